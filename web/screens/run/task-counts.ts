import type { TaskRunRow, TaskRunState } from '../../client/operations.ts';

/** How the runs of one task stand. */
export interface TaskCounts {
  readonly total: number;
  /** Those that have ended, one way or the other: as a run counts them. */
  readonly ended: number;
  readonly states: ReadonlyMap<TaskRunState, number>;
  /** What the reader should see first: a failure before what runs, that before what waits, and that before what is done. */
  readonly worst: TaskRunState;
}

/** The first of these that there is. */
const BY_WEIGHT: readonly TaskRunState[] = [
  'FAILED',
  'RUNNING',
  'CANCELLING',
  'ASSIGNED',
  'BACKOFF',
  'BLOCKED',
  'READY',
  'WAITING',
  'UPSTREAM_FAILED',
  'CANCELLED',
  'SUCCEEDED',
  'CACHED',
  'SKIPPED',
];

/** States in which nothing more happens. */
const ENDED: readonly TaskRunState[] = ['SUCCEEDED', 'CACHED', 'FAILED', 'UPSTREAM_FAILED', 'CANCELLED', 'SKIPPED'];

/** By task key. A fan-out is one entry with many. */
export function countByTask(
  taskRuns: readonly Pick<TaskRunRow, 'taskKey' | 'state'>[],
): ReadonlyMap<string, TaskCounts> {
  const byTask = new Map<string, Map<TaskRunState, number>>();
  for (const { taskKey, state } of taskRuns) {
    let states = byTask.get(taskKey);
    if (states === undefined) byTask.set(taskKey, (states = new Map()));
    states.set(state, (states.get(state) ?? 0) + 1);
  }
  return new Map(
    [...byTask].map(([key, states]) => {
      const total = [...states.values()].reduce((sum, each) => sum + each, 0);
      const ended = ENDED.reduce((sum, state) => sum + (states.get(state) ?? 0), 0);
      return [key, { total, ended, states, worst: BY_WEIGHT.find((state) => states.has(state)) ?? 'WAITING' }];
    }),
  );
}

/** `build`, or `build[3]` for one of a fan-out. */
export const labelOf = ({ taskKey, mapIndex }: Pick<TaskRunRow, 'taskKey' | 'mapIndex'>): string =>
  mapIndex === null ? taskKey : `${taskKey}[${mapIndex}]`;
