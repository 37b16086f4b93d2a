import { useEffect, useRef, useState } from 'react';
import type { LogLine } from './log-lines.ts';

/** Lines looked at before the page may do something else. */
const SLICE = 10_000;
/** Before it is looked for more, so that a log that grows does not hold the page up. */
const PAUSE_MS = 120;

/** Finds a text wherever it stands, in upper or lower case; every character stands for itself. Null for an empty text. */
export const searchPattern = (search: string): RegExp | null =>
  search === '' ? null : new RegExp(search.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&'), 'giu');

/** The places of the lines that hold something, kept while the lines grow. */
export class FoundLines {
  readonly #pattern: RegExp;
  /** In ascending order. */
  #places: number[] = [];
  #at = 0;
  #mayChange: readonly number[] = [];

  constructor(pattern: RegExp) {
    // Without a memory of its own of where it was: the one that was given marks hits at the same time.
    this.#pattern = new RegExp(pattern.source, pattern.flags.replace('g', ''));
  }

  get places(): readonly number[] {
    return this.#places;
  }

  /** Looks at some lines that have come, and again at those that might change when it looked last. `true`: there are more. */
  look(lines: readonly LogLine[], open: readonly number[]): boolean {
    for (const at of this.#mayChange) this.#lookAgain(lines, at);
    for (const end = Math.min(this.#at + SLICE, lines.length); this.#at < end; this.#at++) {
      if (this.#fits(lines, this.#at)) this.#places.push(this.#at);
    }
    const seen = this.#at;
    this.#mayChange = open.filter((at) => at < seen);
    return this.#at < lines.length;
  }

  #lookAgain(lines: readonly LogLine[], at: number): void {
    const place = this.#places.findLastIndex((each) => each <= at);
    const wasFound = place >= 0 && this.#places[place] === at;
    const isFound = this.#fits(lines, at);
    if (isFound === wasFound) return;
    if (isFound) this.#places.splice(place + 1, 0, at);
    else this.#places.splice(place, 1);
  }

  #fits(lines: readonly LogLine[], at: number): boolean {
    return this.#pattern.test(lines[at]?.text ?? '');
  }
}

/** What has been found so far. */
export interface Found {
  readonly places: readonly number[];
  /** There are lines that have not been looked at. */
  readonly isLooking: boolean;
}

const NOTHING: Found = { places: [], isLooking: false };

/**
 * The places of the lines that fit a pattern, found without holding the page up; the first ones are told at once. While
 * the log grows only what has come or changed is looked at.
 */
export function useFoundLines(
  lines: readonly LogLine[],
  open: readonly number[],
  revision: number,
  pattern: RegExp | null,
): Found {
  const [found, setFound] = useState<Found>(NOTHING);
  const goOn = useRef<() => void>(undefined);
  const latestOpen = useRef(open);
  latestOpen.current = open;
  useEffect(() => {
    setFound(pattern === null ? NOTHING : { places: [], isLooking: true });
    if (pattern === null) return undefined;
    let timer: ReturnType<typeof setTimeout> | null = null;
    const finder = new FoundLines(pattern);
    const look = (): void => {
      const isLooking = finder.look(lines, latestOpen.current);
      timer = isLooking ? setTimeout(look, 0) : null;
      setFound({ places: [...finder.places], isLooking });
    };
    goOn.current = () => {
      // What has come is seen by what is under way.
      timer ??= setTimeout(look, PAUSE_MS);
    };
    goOn.current();
    return () => {
      goOn.current = undefined;
      if (timer !== null) clearTimeout(timer);
    };
  }, [lines, pattern]);
  useEffect(() => goOn.current?.(), [revision]);
  return found;
}
