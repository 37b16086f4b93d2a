import type { RunningAttempt } from '@gantry/plugin-kit/scheduler';

/** Sets of victims are tried one by one as long as there are so many at most; beyond that the search is a greedy one. */
const MAX_TRIED = 2_000;

/**
 * The fewest of `able` that will do; of sets of one size the one whose last is the earliest in `able`. Null when not
 * even all of them will, or more than `most` would have to. Beyond a number of tries not always the fewest, but none of
 * them can be spared.
 */
export function fewestThatWillDo(
  able: readonly RunningAttempt[],
  willDo: (ended: readonly RunningAttempt[]) => boolean,
  most: number,
): readonly RunningAttempt[] | null {
  if (!willDo(able)) return null;
  let tries = 0;
  for (let size = 1; size <= Math.min(able.length, most); size++) {
    tries += combinations(able.length, size);
    if (tries > MAX_TRIED) return spareSome(able, willDo, most);
    const found = firstOfSize(able, size, able.length, [], willDo);
    if (found !== null) return found;
  }
  return null;
}

/** The first set of a size that will do, with those before `end`; sets in the order of their last, then the one before. */
function firstOfSize(
  able: readonly RunningAttempt[],
  size: number,
  end: number,
  chosen: readonly RunningAttempt[],
  willDo: (ended: readonly RunningAttempt[]) => boolean,
): readonly RunningAttempt[] | null {
  if (size === 0) return willDo(chosen) ? chosen : null;
  for (let last = size - 1; last < end; last++) {
    const found = firstOfSize(able, size - 1, last, [able[last]!, ...chosen], willDo);
    if (found !== null) return found;
  }
  return null;
}

/** As many of the first as it takes, and then without each that can be spared, the last first. */
function spareSome(
  able: readonly RunningAttempt[],
  willDo: (ended: readonly RunningAttempt[]) => boolean,
  most: number,
): readonly RunningAttempt[] | null {
  let count = 1;
  while (!willDo(able.slice(0, count))) count++;
  let chosen = able.slice(0, count);
  for (let at = count - 1; at >= 0; at--) {
    const without = chosen.filter((attempt) => attempt !== able[at]);
    if (without.length > 0 && willDo(without)) chosen = without;
  }
  return chosen.length <= most ? chosen : null;
}

function combinations(from: number, size: number): number {
  let count = 1;
  for (let at = 1; at <= size; at++) count = (count * (from - size + at)) / at;
  return count;
}
