/*
 * What of a long period is done again. Sampling single runs would thin out the load and so take away what schedulers are
 * compared by, and to shrink the nodes along with it would change what fits where. So whole stretches of the period are
 * taken, evenly spread, and joined: within a stretch runs arrive as they did, to as many nodes as there are. What is lost
 * is what had been going on when a stretch began; instead the end of the stretch before goes on there.
 */

/** A run, as far as choosing needs to know it. */
export interface RunMark {
  readonly id: string;
  /** Milliseconds since the epoch. */
  readonly createdAt: number;
  readonly taskRunCount: number;
}

/** A run that is done again, and how much earlier than it did it arrives: the time between stretches is left out. */
export interface SampledRun {
  readonly id: string;
  readonly earlierMs: number;
}

export interface RunSample {
  /** In the order in which they were created. */
  readonly runs: readonly SampledRun[];
  /** Of those. */
  readonly taskRunCount: number;
  /** Of all. */
  readonly recordedCount: number;
  /** How many stretches they are of; 1 when they are all. */
  readonly stretches: number;
}

/** As many stretches are taken. */
const STRETCHES = 8;

/** Takes all runs, or where they have more than `budget` task runs some of them. `marks` in the order of their creation. */
export function sampleRuns(marks: readonly RunMark[], budget: number): RunSample {
  const recordedCount = marks.reduce((sum, { taskRunCount }) => sum + taskRunCount, 0);
  if (recordedCount <= budget) {
    const runs = marks.map(({ id }) => ({ id, earlierMs: 0 }));
    return { runs, taskRunCount: recordedCount, recordedCount, stretches: 1 };
  }
  const runs: SampledRun[] = [];
  let taken = 0;
  let stretches = 0;
  let earlierMs = 0;
  /** Where the last stretch ended: when the first run behind it was created. */
  let endedAt: number | null = null;
  let seen = 0;
  let at = 0;
  for (let part = 0; part < STRETCHES; part++) {
    const until = ((part + 1) * recordedCount) / STRETCHES;
    // What a part leaves over is for the next: a run may be larger than its part of the budget.
    const quota = Math.floor(((part + 1) * budget) / STRETCHES);
    let isFull = false;
    for (; at < marks.length && seen < until; at++) {
      const { id, createdAt, taskRunCount } = marks[at]!;
      seen += taskRunCount;
      isFull ||= taken + taskRunCount > quota;
      if (isFull) {
        if (runs.length > 0) endedAt ??= createdAt;
        continue;
      }
      if (runs.length === 0 || endedAt !== null) stretches++;
      if (endedAt !== null) earlierMs += createdAt - endedAt;
      endedAt = null;
      taken += taskRunCount;
      runs.push({ id, earlierMs });
    }
  }
  return { runs, taskRunCount: taken, recordedCount, stretches };
}
