import type { PendingTask, PlacementInput } from '@gantry/plugin-kit/scheduler';
import { improve } from './improve.ts';
import type { Config } from './config.ts';
import { makeProblem } from './problem.ts';

/** Beyond so many tasks a plan costs more than it gains. */
const MAX_TASKS = 2_000;

/** One call starts at most so many tasks in its plans: what bounds its time without a look at the clock. */
const MAX_STARTS = 150_000;

/** Each schedule that is tried is made three times: forward, backward, forward. */
const PASSES = 3;

/**
 * The ready tasks in the order of the shortest schedule found, of everything that is running, ready and to come; null
 * when there is too much of it, or nothing is known that could be planned with.
 *
 * @param ranked The ready tasks, the most urgent first.
 */
export function planOrder(
  input: PlacementInput<Config>,
  ranked: readonly PendingTask[],
): readonly PendingTask[] | null {
  const { tasks, running, upcoming = [], seed } = input;
  const count = tasks.length + running.length + upcoming.length;
  if (count > MAX_TASKS || tasks.every(({ durationMs }) => typeof durationMs !== 'number')) return null;
  const problem = makeProblem(input, ranked);
  if (problem === null) return null;
  const schedules = Math.min(input.config.lookAhead, Math.floor(MAX_STARTS / PASSES / count));
  const urgencies = improve(problem, schedules, seed);
  const from = running.length;
  return ranked
    .map((task, at) => ({ task, at, urgency: urgencies[from + at]! }))
    .sort((one, other) => other.urgency - one.urgency || one.at - other.at)
    .map(({ task }) => task);
}
