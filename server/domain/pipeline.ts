import type { Json } from '@gantry/plugin-kit/vocabulary';
import type { Task } from './task.ts';

export type ParamType = 'string' | 'integer' | 'number' | 'boolean' | 'json';

/** What may be handed in when a run is triggered. */
export interface Param {
  readonly type: ParamType;
  readonly description: string;
  /** Required when absent. */
  readonly default?: Json;
  /** The only values allowed. */
  readonly options?: readonly Json[];
}

/** A pipeline's text, checked and with every default filled in: what a version stores. */
export interface PipelineDefinition {
  readonly name: string;
  readonly description: string;
  readonly pool: string;
  /** Of its runs, unless the trigger says otherwise. Higher goes first; −100 to 100. */
  readonly priority: number;
  readonly params: Readonly<Record<string, Param>>;
  readonly tasks: readonly Task[];
}

/** One immutable state of a pipeline. */
export interface PipelineVersion {
  readonly pipeline: string;
  /** 1 for the first; only grows. */
  readonly number: number;
  readonly definition: PipelineDefinition;
  /** The text as its author wrote it; null when it came as GraphQL input. */
  readonly source: string | null;
  /** SHA-256 of the canonical definition, in hex: applying the same again makes no new version. */
  readonly hash: string;
  readonly createdAt: number;
  readonly createdBy: string;
}

/** A named DAG of tasks. */
export interface Pipeline {
  readonly name: string;
  readonly latestVersion: number;
  /** Paused: no new run may be triggered. */
  readonly paused: boolean;
  readonly createdAt: number;
  readonly updatedAt: number;
}
