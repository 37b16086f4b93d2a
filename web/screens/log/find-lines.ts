import { useEffect, useRef, useState } from 'react';
import { plainText, type LogLine } from './log-lines.ts';

/** Lines looked at before the page may do something else. */
const SLICE = 10_000;
/** So many lines at the end are looked at again when more have come: the last of each stream may have grown. */
const MAY_GROW = 100;
/** Before it is looked for more, so that a log that grows does not hold the page up. */
const PAUSE_MS = 120;

/**
 * The places of the lines that hold a text, found without holding the page up. While the log grows only what has come
 * is looked at.
 */
export function useFoundLines(lines: readonly LogLine[], revision: number, search: string): readonly number[] {
  const [found, setFound] = useState<readonly number[]>([]);
  const goOn = useRef<() => void>(undefined);
  useEffect(() => {
    setFound([]);
    if (search === '') return undefined;
    let timer: ReturnType<typeof setTimeout> | null = null;
    const places: number[] = [];
    let at = 0;
    const look = (): void => {
      for (const end = Math.min(at + SLICE, lines.length); at < end; at++) {
        if (plainText(lines[at]!.text).toLowerCase().includes(search)) places.push(at);
      }
      timer = at < lines.length ? setTimeout(look, 0) : null;
      if (timer === null) setFound([...places]);
    };
    goOn.current = () => {
      // What has come is seen by what is under way.
      if (timer !== null) return;
      at = Math.max(0, at - MAY_GROW);
      while (places.length > 0 && places.at(-1)! >= at) places.pop();
      timer = setTimeout(look, PAUSE_MS);
    };
    goOn.current();
    return () => {
      goOn.current = undefined;
      if (timer !== null) clearTimeout(timer);
    };
  }, [lines, search]);
  useEffect(() => goOn.current?.(), [revision]);
  return found;
}
