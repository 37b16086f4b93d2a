import type { Duration } from '../domain/task-run.ts';
import type { Forecast } from '../placement/queue.ts';
import type { EngineRun, EngineTaskRun } from './core/pool-state.ts';

/** So many of a task's last durations are remembered. */
const REMEMBERED = 15;
/** What a task counts as of which nothing is known, in a pipeline of which nothing is known. Milliseconds. */
const UNKNOWN_MS = 1_000;

/**
 * How long tasks took, and what follows for those that wait: the median of the last successes of the same task, and
 * the upward rank of HEFT over the run's graph (Topcuoglu et al. 2002), without the cost of communication.
 */
export class DurationHistory {
  readonly #byTask = new Map<string, number[]>();
  /** Of runs that are under way, as they were worked out first: what is learned meanwhile counts for the next run. */
  readonly #ofRun = new WeakMap<
    EngineRun,
    { readonly durations: readonly (number | null)[]; readonly ranks: Float64Array }
  >();

  /** @param durations Oldest first. */
  constructor(durations: readonly Duration[] = []) {
    for (const duration of durations) this.add(duration);
  }

  add({ pipeline, taskKey, durationMs }: Duration): void {
    const key = `${pipeline}/${taskKey}`;
    let durations = this.#byTask.get(key);
    if (durations === undefined) this.#byTask.set(key, (durations = []));
    durations.push(durationMs);
    if (durations.length > REMEMBERED) durations.shift();
  }

  /** A success. */
  ended({ owner, taskKey, attempt }: EngineTaskRun): void {
    if (attempt === null || attempt.startedAt === null || attempt.finishedAt === null) return;
    this.add({ pipeline: owner.pipeline, taskKey, durationMs: attempt.finishedAt - attempt.startedAt });
  }

  forecast(run: EngineRun, taskIndex: number): Forecast {
    let known = this.#ofRun.get(run);
    if (known === undefined) this.#ofRun.set(run, (known = this.#workOut(run)));
    return { durationMs: known.durations[taskIndex]!, rankMs: known.ranks[taskIndex]! };
  }

  #workOut({ pipeline, plan }: EngineRun) {
    const durations = plan.definition.tasks.map(({ key }) => median(this.#byTask.get(`${pipeline}/${key}`) ?? []));
    const known = durations.filter((each) => each !== null);
    const mean = known.length === 0 ? UNKNOWN_MS : known.reduce((sum, each) => sum + each, 0) / known.length;
    const ranks = new Float64Array(durations.length);
    for (const index of plan.graph.order.toReversed()) {
      let longest = 0;
      for (const downstream of plan.graph.downstream[index]!) longest = Math.max(longest, ranks[downstream]!);
      ranks[index] = longest + (durations[index] ?? mean);
    }
    return { durations, ranks };
  }
}

function median(values: readonly number[]): number | null {
  return values.length === 0 ? null : values.toSorted((one, other) => one - other)[values.length >> 1]!;
}
