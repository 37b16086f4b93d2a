import type {
  Decision,
  Json,
  PlacementInput,
  Reason,
  ReservePolicy,
  SchedulerWish,
} from '@gantry/plugin-kit/scheduler';

/** What a scheduler is asked, before the host adds what it keeps for the plugin. */
export type Offer = Omit<PlacementInput, 'config' | 'memory' | 'seed' | 'reservations'>;

/** A node that a scheduler holds for a task run, until there is room for it. */
export interface HeldNode {
  /** The task run's id. */
  readonly taskRun: string;
  /** By name. */
  readonly node: string;
  /** Since when. */
  readonly since: number;
}

/** One call of a scheduler in full: enough to make it again. */
export interface SchedulerCall {
  readonly scheduler: string;
  readonly version: string;
  readonly input: PlacementInput;
  /** What it answered; null when that was nothing that could be used, and the fallback decided. */
  readonly decisions: readonly Decision[] | null;
}

/** What a call can be made again from. */
export type DecidedCall = Pick<SchedulerCall, 'input' | 'decisions'>;

/** How a pool's scheduler has fared since the engine took the pool. */
export interface SchedulerStatus {
  readonly name: string;
  readonly version: string;
  /** FAULTY: its last call failed, and the fallback decided. */
  readonly state: 'HEALTHY' | 'FAULTY';
  readonly calls: number;
  readonly decisions: number;
  /** Decisions that did not pass verification. */
  readonly refusals: number;
  /** Calls that failed: thrown, too slow, nonsense, or with refusals. */
  readonly faults: number;
  /** What the last of them was. */
  readonly lastFault: string | null;
}

/** Somebody who decides, and whose decisions are still to be verified. */
export interface Scheduler {
  /** What its offers must hold beyond the necessary. */
  readonly wants: readonly SchedulerWish[];
  /** For whom it holds nodes; null for nobody. */
  readonly reserves: ReservePolicy | null;
  /** What its last call has held. */
  readonly held: readonly HeldNode[];
  /** Asks the plugin. When it fails the fallback decides; an offer is then drawn up anew, because it may be spoilt. */
  decide(makeOffer: () => Offer): readonly Decision[];
  /** Counts decisions that were refused against the plugin, and lets the fallback decide on what is left. */
  decideInstead(makeOffer: () => Offer, fault: Reason, refusals: number): readonly Decision[];
  /** What the plugin asked to be remembered; the same value as long as it has not changed. */
  readonly memory: Json;
  readonly status: SchedulerStatus;
  /** The last call of `decide` that asked the plugin; null when it has not been asked. */
  readonly lastCall: SchedulerCall | null;
}
