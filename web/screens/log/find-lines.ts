import { useEffect, useState } from 'react';
import { plainText, type LogLine } from './log-lines.ts';

/** Lines looked at before the page may do something else. */
const SLICE = 20_000;

/** The places of the lines that hold a text, found without holding the page up. */
export function useFoundLines(lines: readonly LogLine[], revision: number, search: string): readonly number[] {
  const [found, setFound] = useState<readonly number[]>([]);
  useEffect(() => {
    if (search === '') {
      setFound([]);
      return undefined;
    }
    let timer: ReturnType<typeof setTimeout>;
    const places: number[] = [];
    let at = 0;
    const look = (): void => {
      for (const end = Math.min(at + SLICE, lines.length); at < end; at++) {
        if (plainText(lines[at]!.text).toLowerCase().includes(search)) places.push(at);
      }
      if (at < lines.length) timer = setTimeout(look, 0);
      else setFound(places);
    };
    timer = setTimeout(look, 120);
    return () => clearTimeout(timer);
  }, [lines, revision, search]);
  return found;
}
