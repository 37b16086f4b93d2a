import type { LabelRule } from './label-rule.ts';

/** Where a task may and should run, beyond resources, `nodeSelector` and taints. */
export interface PlacementRules {
  /** The node meets all of them. */
  readonly require: readonly LabelRule[];
  /** Each that the node meets adds its weight. */
  readonly prefer: readonly WeightedRule[];
  /** How many of a kind may be on one node at once; null for as many as fit. */
  readonly perNode: PerNodeLimit | null;
  /** Nothing else runs on the node at the same time. */
  readonly exclusive: boolean;
  readonly spread: SpreadRule | null;
  readonly near: NearRule | null;
  readonly gang: GangRule | null;
}

export interface WeightedRule extends LabelRule {
  /** From −100 (anywhere else) to 100. */
  readonly weight: number;
}

/** At most `max` of those that it counts on one node; 1 is “distinct hosts”. */
export interface PerNodeLimit {
  readonly max: number;
  /**
   * TASK: the instances of this task in this run. RUN: all tasks of this run that say RUN, too. PIPELINE: this task in
   * all runs of the pipeline.
   */
  readonly among: 'TASK' | 'RUN' | 'PIPELINE';
}

/** The instances of the task in its run are spread evenly over the values of a label. */
export interface SpreadRule {
  readonly label: string;
  /** Rather wait than be uneven by more than one. */
  readonly required: boolean;
}

/** Where its input lies: on the node where an upstream task ran last. */
export interface NearRule {
  readonly task: string;
  /** Nowhere else. */
  readonly required: boolean;
  /** When it is not required. From 1 to 100. */
  readonly weight: number;
}

/** All instances of the task start at once, or none. */
export interface GangRule {
  /** So long they wait for room for all; then they fail. Null for ever. Milliseconds. */
  readonly timeoutMs: number | null;
}

/** A task that does not care. */
export const ANYWHERE: PlacementRules = Object.freeze({
  require: Object.freeze([]),
  prefer: Object.freeze([]),
  perNode: null,
  exclusive: false,
  spread: null,
  near: null,
  gang: null,
});
