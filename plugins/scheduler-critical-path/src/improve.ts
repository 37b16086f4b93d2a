import { chance } from '@gantry/plugin-kit/chance';
import { makeSchedule, type Schedule } from './make-schedule.ts';
import type { Problem } from './problem.ts';

/** Single tasks are moved by at most this part of the lower bound. */
const MOVE = 0.3;
/** All ranks together are bent by at most this part of themselves. */
const BEND = 0.5;

/**
 * Looks for urgencies whose schedule is short: begins with the upward ranks, tries `schedules` others, and keeps what is
 * not longer. Ends at once when the lower bound is reached. The same seed finds the same.
 */
export function improve(problem: Problem, schedules: number, seed: number): Float64Array {
  const random = chance(seed);
  const isOptimal = (lengthMs: number): boolean => lengthMs <= problem.lowerBoundMs * (1 + 1e-9);
  let current = problem.ranks;
  let currentMs = makeSchedule(problem, current, false).lengthMs;
  for (let tried = 0; tried < schedules && !isOptimal(currentMs); tried++) {
    const moved = tried % 2 === 0 ? moveSome(current, problem.lowerBoundMs, random) : bend(problem.ranks, random);
    const there = makeSchedule(problem, moved, false);
    const back = makeSchedule(problem, endsOf(there, problem), true);
    const tightened = endsOf(back, problem);
    const again = makeSchedule(problem, tightened, false);
    const [urgencies, lengthMs] =
      again.lengthMs <= there.lengthMs ? [tightened, again.lengthMs] : [moved, there.lengthMs];
    if (lengthMs > currentMs) continue;
    current = urgencies;
    currentMs = lengthMs;
  }
  return current;
}

/** Turned round: what ends last begins first. */
function endsOf({ starts }: Schedule, { durations }: Problem): Float64Array {
  return starts.map((start, task) => start + durations[task]!);
}

/** Few are moved mostly, many at times. */
function moveSome(urgencies: Float64Array, scale: number, random: () => number): Float64Array {
  const moved = urgencies.slice();
  const count = 1 + Math.floor(random() * random() * 8);
  for (let move = 0; move < count; move++) {
    moved[Math.floor(random() * moved.length)]! += (2 * random() - 1) * scale * MOVE;
  }
  return moved;
}

function bend(ranks: Float64Array, random: () => number): Float64Array {
  const most = random() * BEND;
  return ranks.map((rank) => rank * (1 + (2 * random() - 1) * most));
}
