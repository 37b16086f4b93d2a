import type { RunId } from './ids.ts';
import { isTerminalRun, type RunState } from './run.ts';

/** What is kept of runs that have ended. Null: what the next wider scope says. `NEVER`: nothing is deleted for it. */
export interface KeptRuns {
  /** Milliseconds since the end of a run. */
  readonly age: number | 'NEVER' | null;
  /** So many of the newest of each pipeline, those under way among them. */
  readonly runs: number | 'NEVER' | null;
}

/** Whom a setting is for: the most specific one wins, separately for age and number. */
export type RetentionScope = 'SERVER' | 'POOL' | 'PIPELINE';

/** What holds for a run, with nothing left open. */
export interface RetentionRule {
  readonly age: number | 'NEVER';
  readonly runs: number | 'NEVER';
}

/** What somebody set to be kept of a pool's or pipeline's runs. */
export interface RetentionSetting extends KeptRuns {
  readonly scope: RetentionScope;
  /** Of the pool or pipeline; empty for the server. */
  readonly name: string;
  readonly updatedAt: number;
  readonly updatedBy: string;
}

/** What holds for a server, with nothing left open. Ages in milliseconds. */
export interface RetentionLimits {
  readonly runs: RetentionRule;
  readonly audit: number | 'NEVER';
  /** How long an idempotency key counts. */
  readonly keys: number;
  /** How long the event log goes back. */
  readonly events: number;
  /** Nothing is configured, and the database is from before anything was deleted: all of it stays. */
  readonly keepsAllByUpgrade: boolean;
}

/** What a sweep has deleted, counted. */
export interface Swept {
  readonly runs: number;
  readonly events: number;
  readonly commands: number;
  readonly auditRecords: number;
  readonly decisions: number;
  readonly versions: number;
}

/** A sweep that is over. Times in milliseconds. */
export interface SweepReport extends Swept {
  readonly at: number;
  readonly tookMs: number;
  /** The longest time for which it held up everybody else. */
  readonly longestPieceMs: number;
  /** What broke it off; null when it came to its end. */
  readonly problem: string | null;
}

/** How retention stands. */
export interface RetentionStatus {
  /** Null on a server that does not sweep. */
  readonly nextSweepAt: number | null;
  /** Since this server started; null when there was none. */
  readonly lastSweep: SweepReport | null;
  readonly limits: RetentionLimits;
  readonly settings: readonly RetentionSetting[];
}

/** What a sweep would delete of a pipeline. */
export interface RetentionPreview {
  readonly pipeline: string;
  readonly runs: number;
  /** When the first and the last of them ended. */
  readonly oldestFinishedAt: number;
  readonly newestFinishedAt: number;
}

/** What the choice of runs to delete needs to know of one. */
export interface KeptRun {
  /** Of two runs, the one that was triggered later has the greater. */
  readonly key: number;
  readonly id: RunId;
  readonly pool: string;
  readonly pipeline: string;
  readonly state: RunState;
  readonly createdAt: number;
  readonly finishedAt: number | null;
}

/** Everything that was set, to look up what holds for a pipeline's runs in a pool. */
export class RetentionRules {
  readonly #server: RetentionRule;
  readonly #set = new Map<string, KeptRuns>();

  constructor(
    server: RetentionRule,
    settings: readonly (KeptRuns & { readonly scope: RetentionScope; readonly name: string })[],
  ) {
    this.#server = server;
    for (const { scope, name, age, runs } of settings) this.#set.set(`${scope} ${name}`, { age, runs });
  }

  /** What holds where nothing more specific is set. */
  get server(): RetentionRule {
    return this.#server;
  }

  ruleOf(pipeline: string, pool: string): RetentionRule {
    const own = this.#set.get(`PIPELINE ${pipeline}`);
    const ofPool = this.#set.get(`POOL ${pool}`);
    return {
      age: own?.age ?? ofPool?.age ?? this.#server.age,
      runs: own?.runs ?? ofPool?.runs ?? this.#server.runs,
    };
  }
}

/**
 * Whether a run is to be deleted: it has ended, and is older than its rule allows or not among the newest.
 *
 * @param newestBeyond The key of the newest run of its pipeline that is one too many; null when there are not so many.
 */
export function isExpired(run: KeptRun, rule: RetentionRule, newestBeyond: number | null, now: number): boolean {
  if (!isTerminalRun(run.state) || run.finishedAt === null) return false;
  if (rule.age !== 'NEVER' && run.finishedAt < now - rule.age) return true;
  return newestBeyond !== null && run.key <= newestBeyond;
}

/**
 * Whether neither a run nor any that was triggered later can be expired, so that a search from the oldest on may end.
 * A run ends after it was created, so what is too young by its creation is too young.
 */
export function isBeyondSearch(run: KeptRun, rule: RetentionRule, newestBeyond: number | null, now: number): boolean {
  const isYoung = rule.age === 'NEVER' || run.createdAt >= now - rule.age;
  return isYoung && (newestBeyond === null || run.key > newestBeyond);
}
