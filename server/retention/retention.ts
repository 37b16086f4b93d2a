import type { Clock } from '../clock.ts';
import {
  RetentionRules,
  type RetentionPreview,
  type RetentionStatus,
  type SweepReport,
  type Swept,
} from '../domain/retention.ts';
import type { RunId } from '../domain/ids.ts';
import type { Hub } from '../events/hub.ts';
import type { Service } from '../lifecycle.ts';
import type { Logger } from '../log.ts';
import type { StoreUsage } from '../store/retention-store.ts';
import type { Store } from '../store/store.ts';
import { Activity } from './activity.ts';
import { bytesIn } from './folder-bytes.ts';
import { expiredRuns, pipelinesOf } from './expired-runs.ts';
import { limitsOf, type ConfiguredRetention } from './limits.ts';
import { packLogs } from './pack-logs.ts';
import { Pace } from './pace.ts';
import { Sweeper } from './sweep.ts';

/** Between two looks at what there is to do. Milliseconds. */
const LOOK_MS = 1_000;
/** For so long a figure of what there is counts. Milliseconds. */
const USAGE_FRESH_MS = 5_000;
const PACK_EVERY_MS = 5_000;
/** So long at most it waits for a busy server to come to rest before it compresses logs all the same. Milliseconds. */
const PACK_PATIENCE_MS = 300_000;

export interface RetentionOptions {
  readonly store: Store;
  readonly hub: Hub;
  readonly clock: Clock;
  readonly log: Logger;
  readonly configured: ConfiguredRetention;
  /** Whose size is told. */
  readonly dataDir: string;
  /** Of servers that share a database one does this: the owner of the default pool. */
  readonly isOwner: () => boolean;
}

/**
 * Keeps the database within its rules: sweeps what has expired, deletes the rows of removed runs and compresses logs;
 * all of it in short pieces, beside everything else, and begun again where a crash broke it off.
 */
export class Retention implements Service {
  readonly #options: RetentionOptions;
  readonly #activity: Activity;
  readonly #sweeper: Sweeper;
  #ending: AbortController | null = null;
  #running: Promise<void> = Promise.resolve();
  #nextSweepAt: number | null = null;
  #lastSweep: SweepReport | null = null;
  #usage: { readonly at: number; readonly reading: Promise<StoreUsage & { readonly folderBytes: number }> } | null =
    null;
  #hasRemovals = true;
  #warned = false;

  constructor(options: RetentionOptions) {
    this.#options = options;
    this.#activity = new Activity(options.hub, options.clock);
    this.#sweeper = new Sweeper(options.store, options.configured, (runs) => options.hub.runsDeleted(runs));
  }

  start(): Promise<void> {
    if (this.#ending === null) {
      this.#ending = new AbortController();
      this.#running = this.#run(this.#ending.signal);
    }
    return Promise.resolve();
  }

  async stop(): Promise<void> {
    this.#ending?.abort();
    this.#ending = null;
    await this.#running;
  }

  /** Deletes one run that has ended. Null: there is none. */
  async deleteRun(id: RunId, actor: string): Promise<'REMOVED' | 'NOT_FINISHED' | null> {
    const { store, clock, hub } = this.#options;
    const [run] = await store.runs.byIds([id]);
    const answer = await store.retention.removeByHand(id, actor, clock.now());
    if (answer === 'REMOVED' && run) {
      this.#hasRemovals = true;
      hub.runsDeleted([run]);
    }
    return answer;
  }

  async status(): Promise<RetentionStatus> {
    const settings = await this.#options.store.retention.settings();
    const limits = limitsOf(this.#options.configured, settings);
    return { nextSweepAt: this.#nextSweepAt, lastSweep: this.#lastSweep, limits, settings };
  }

  /** What the database and the data folder hold; looked up at most so often, because that reads all of it. */
  usage(): Promise<StoreUsage & { readonly folderBytes: number }> {
    const now = this.#options.clock.monotonic();
    if (this.#usage === null || now - this.#usage.at > USAGE_FRESH_MS) {
      const reading = this.#readUsage();
      this.#usage = { at: now, reading };
      reading.catch(() => (this.#usage = null));
    }
    return this.#usage.reading;
  }

  async #readUsage(): Promise<StoreUsage & { readonly folderBytes: number }> {
    const { store, dataDir } = this.#options;
    const [usage, folderBytes] = await Promise.all([store.retention.usage(), bytesIn(dataDir)]);
    return { ...usage, folderBytes };
  }

  /** What the next sweep would delete, by pipeline; those of which nothing would go are left out. */
  async preview(): Promise<readonly RetentionPreview[]> {
    const { store, clock } = this.#options;
    const now = clock.now();
    const { limits, settings } = await this.status();
    const rules = new RetentionRules(limits.runs, settings);
    const pools = (await store.pools.all()).map(({ name }) => name);
    const previews: RetentionPreview[] = [];
    for await (const pipeline of pipelinesOf(store)) {
      let runs = 0;
      let oldestFinishedAt = Infinity;
      let newestFinishedAt = -Infinity;
      for await (const page of expiredRuns(store, pipeline, pools, rules, now)) {
        for (const { finishedAt } of page) {
          runs++;
          oldestFinishedAt = Math.min(oldestFinishedAt, finishedAt!);
          newestFinishedAt = Math.max(newestFinishedAt, finishedAt!);
        }
        await clock.turn();
      }
      if (runs > 0) previews.push({ pipeline, runs, oldestFinishedAt, newestFinishedAt });
    }
    return previews;
  }

  async #run(signal: AbortSignal): Promise<void> {
    const { clock, configured, isOwner, log } = this.#options;
    let sweepAt = clock.monotonic() + configured.interval;
    let packedAt = clock.monotonic();
    while (!signal.aborted) {
      await clock.sleep(LOOK_MS, signal).catch(() => undefined);
      if (signal.aborted) return;
      if (!isOwner()) {
        this.#nextSweepAt = null;
        continue;
      }
      const now = clock.monotonic();
      this.#nextSweepAt ??= clock.now() + Math.max(0, sweepAt - now);
      try {
        await this.#warn();
        if (this.#hasRemovals) await this.#purge(signal);
        const sinceMs = now - packedAt;
        if (sinceMs >= PACK_EVERY_MS && (!this.#activity.isBusy() || sinceMs >= PACK_PATIENCE_MS)) {
          await packLogs(this.#options.store, this.#pace(signal), clock.now());
          packedAt = clock.monotonic();
        }
        if (now >= sweepAt) {
          sweepAt = clock.monotonic() + configured.interval;
          await this.#sweep(signal);
          this.#nextSweepAt = clock.now() + Math.max(0, sweepAt - clock.monotonic());
        }
      } catch (error) {
        if (!signal.aborted) log.warn({ err: error }, 'Work on what is kept was broken off; it goes on later.');
      }
    }
  }

  #pace(signal: AbortSignal): Pace {
    const { clock, store } = this.#options;
    return new Pace({ clock, isBusy: this.#activity.isBusy, heldMs: () => store.retention.asideMs(), signal });
  }

  async #purge(signal: AbortSignal): Promise<void> {
    this.#hasRemovals = false;
    try {
      await this.#sweeper.purge(this.#pace(signal));
    } catch (error) {
      this.#hasRemovals = true;
      throw error;
    }
  }

  async #sweep(signal: AbortSignal): Promise<void> {
    const { clock, log } = this.#options;
    const pace = this.#pace(signal);
    const at = clock.now();
    const began = clock.monotonic();
    const report = (swept: Swept, problem: string | null): SweepReport => ({
      ...swept,
      at,
      tookMs: Math.round(clock.monotonic() - began),
      longestPieceMs: Math.round(pace.longestMs),
      problem,
    });
    try {
      const swept = await this.#sweeper.sweep(pace, at);
      this.#lastSweep = report(swept, null);
      if (Object.values(swept).some((count) => count > 0))
        log.info({ swept: this.#lastSweep }, 'Expired data was deleted.');
    } catch (error) {
      if (!signal.aborted) this.#lastSweep = report(NOTHING, (error as Error).message);
      // Runs that it has removed are deleted whatever broke it off.
      this.#hasRemovals = true;
      throw error;
    }
  }

  /** Once: that nothing is ever deleted here is nobody's choice. */
  async #warn(): Promise<void> {
    if (this.#warned) return;
    const { limits } = await this.status();
    this.#warned = true;
    if (!limits.keepsAllByUpgrade) return;
    this.#options.log.warn(
      'This database was filled before Gantry deleted anything, so all runs are kept. Set retentionAge and retentionRuns, ' +
        'for example to 30d and 10000, or to never to keep it so; “gantry storage --preview” shows what would go.',
    );
  }
}

const NOTHING: Swept = { runs: 0, events: 0, commands: 0, auditRecords: 0, decisions: 0, versions: 0 };
