import { RetentionRules, type KeptRun, type RetentionLimits, type Swept } from '../domain/retention.ts';
import type { Store } from '../store/store.ts';
import { expiredRuns, pipelinesOf } from './expired-runs.ts';
import { limitsOf, MAX_BATCHES, PLAIN_COMMANDS_MS, type ConfiguredRetention } from './limits.ts';
import type { Pace } from './pace.ts';

/** Told of runs that are in no list any more. */
export type OnRemoved = (runs: readonly Pick<KeptRun, 'id' | 'pipeline' | 'pool'>[]) => void;

/** Goes through everything that is kept by rule, and deletes what is not to be kept, piece by piece. */
export class Sweeper {
  readonly #store: Store;
  readonly #configured: ConfiguredRetention;
  readonly #onRemoved: OnRemoved;
  /** Commands without a key are gone up to this one. */
  #commandsUpTo = 0;
  /** Versions that no run had at the last sweep: a retry that was under way then has its run by now. */
  #unusedVersions = new Map<string, ReadonlySet<number>>();

  constructor(store: Store, configured: ConfiguredRetention, onRemoved: OnRemoved) {
    this.#store = store;
    this.#configured = configured;
    this.#onRemoved = onRemoved;
  }

  async sweep(pace: Pace, now: number): Promise<Swept> {
    const settings = await this.#store.retention.settings();
    const limits = limitsOf(this.#configured, settings);
    const pools = (await this.#store.pools.all()).map(({ name }) => name);
    const runs = await this.#runs(pace, new RetentionRules(limits.runs, settings), pools, now);
    await this.purge(pace);
    return {
      runs,
      events: await this.#events(pace, pools, now - limits.events),
      commands: await this.#commands(pace, now, limits),
      auditRecords: await this.#audit(pace, now, limits),
      decisions: await this.#decisions(pace, now, limits),
      versions: await this.#versions(pace, now, limits),
    };
  }

  /** Deletes what is left of runs that have been removed. */
  async purge(pace: Pace): Promise<void> {
    for (;;) if (!(await pace.piece((rows) => this.#store.retention.purge(rows))).hasMore) return;
  }

  async #runs(pace: Pace, rules: RetentionRules, pools: readonly string[], now: number): Promise<number> {
    let count = 0;
    for await (const pipeline of pipelinesOf(this.#store)) {
      const pages = expiredRuns(this.#store, pipeline, pools, rules, now);
      for (;;) {
        const page = await pace.piece(() => pages.next());
        if (page.done) break;
        let left = page.value;
        while (left.length > 0) left = await pace.piece((rows) => this.#remove(left, rows));
        count += page.value.length;
        // As they go, so that their rows make room for those of the next.
        if (page.value.length > 0) await this.purge(pace);
      }
    }
    return count;
  }

  /** Removes some of these runs; answers with the others. */
  async #remove(runs: readonly KeptRun[], rows: number): Promise<readonly KeptRun[]> {
    // A row of `run` stands in six indexes.
    const some = runs.slice(0, Math.max(1, Math.floor(rows / 6)));
    const removed = new Set((await this.#store.retention.remove(some.map(({ key }) => key))).map(({ key }) => key));
    this.#onRemoved(some.filter(({ key }) => removed.has(key)));
    return runs.slice(some.length);
  }

  async #events(pace: Pace, pools: readonly string[], before: number): Promise<number> {
    const limits = { before, batches: MAX_BATCHES };
    let count = 0;
    for (const pool of pools) {
      count += await untilNone(pace, (rows) => this.#store.retention.trimEvents(pool, limits, rows));
    }
    return count;
  }

  async #commands(pace: Pace, now: number, { keys }: RetentionLimits): Promise<number> {
    const plainBefore = now - Math.min(keys, PLAIN_COMMANDS_MS);
    // First from the very beginning, whatever is old enough; then from where the last sweep stopped, those without a key.
    const old = await this.#deleteCommands(pace, 0, ({ at }) => (at < now - keys ? 'DELETE' : 'STOP'));
    const plain = await this.#deleteCommands(pace, this.#commandsUpTo, ({ at, isKeyed }, id) => {
      if (at >= plainBefore) return 'STOP';
      this.#commandsUpTo = id;
      return isKeyed ? 'KEEP' : 'DELETE';
    });
    return old + plain;
  }

  async #deleteCommands(
    pace: Pace,
    from: number,
    judge: (command: { readonly at: number; readonly isKeyed: boolean }, id: number) => 'DELETE' | 'KEEP' | 'STOP',
  ): Promise<number> {
    const { retention } = this.#store;
    let count = 0;
    let after = from;
    for (let isOver = false; !isOver;) {
      count += await pace.piece(async (rows) => {
        const commands = await retention.settledCommands(after, rows);
        const going: number[] = [];
        for (const { id, ...command } of commands) {
          const verdict = judge(command, id);
          isOver = verdict === 'STOP';
          if (isOver) break;
          after = id;
          if (verdict === 'DELETE') going.push(id);
        }
        isOver ||= commands.length < rows;
        return retention.deleteCommands(going);
      });
    }
    return count;
  }

  #audit(pace: Pace, now: number, { audit }: RetentionLimits): Promise<number> {
    if (audit === 'NEVER') return Promise.resolve(0);
    return untilNone(pace, (rows) => this.#store.retention.trimAudit(now - audit, rows));
  }

  /** Those that are too old, and those from before the oldest run that is left: what they placed is gone. */
  async #decisions(pace: Pace, now: number, { runs: { age } }: RetentionLimits): Promise<number> {
    const { retention } = this.#store;
    const oldest = (await retention.oldestRunAt()) ?? now;
    const before = age === 'NEVER' ? oldest : Math.max(now - age, oldest);
    // A row holds a whole call of the scheduler, on several pages.
    return untilNone(pace, (rows) => retention.trimDecisions(before, Math.ceil(rows / 16)));
  }

  async #versions(pace: Pace, now: number, { runs: { age } }: RetentionLimits): Promise<number> {
    if (age === 'NEVER') return 0;
    const unused = new Map<string, ReadonlySet<number>>();
    let count = 0;
    for await (const pipeline of pipelinesOf(this.#store)) {
      count += await pace.piece(async () => {
        const found = await this.#store.retention.replacedVersions(pipeline, now - age);
        if (found.length > 0) unused.set(pipeline, new Set(found));
        const twice = found.filter((number) => this.#unusedVersions.get(pipeline)?.has(number));
        return twice.length === 0 ? 0 : this.#store.retention.deleteVersions(pipeline, twice);
      });
    }
    this.#unusedVersions = unused;
    return count;
  }
}

async function untilNone(pace: Pace, trim: (rows: number) => Promise<number>): Promise<number> {
  let count = 0;
  for (;;) {
    const deleted = await pace.piece(trim);
    if (deleted === 0) return count;
    count += deleted;
  }
}
