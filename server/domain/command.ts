import type { Json } from '@gantry/plugin-kit/vocabulary';
import type { RunId } from './ids.ts';
import type { PoolUpdate } from './pool.ts';
import type { PipelineDefinition } from './pipeline.ts';

/** What somebody asks of a pool's engine. Stored before anything acts on it. */
export type Command =
  | {
      readonly type: 'TRIGGER_RUN';
      readonly run: RunId;
      readonly pipeline: string;
      readonly version: number;
      /** Checked, with defaults filled in. */
      readonly params: Readonly<Record<string, Json>>;
      readonly priority: number;
    }
  | { readonly type: 'CANCEL_RUN'; readonly run: RunId; readonly message?: string }
  | {
      readonly type: 'RETRY_RUN';
      /** The run to repeat, which has ended. */
      readonly of: RunId;
      /** The new run. */
      readonly run: RunId;
      readonly from: 'FAILED' | 'ALL' | 'TASKS';
      /** With TASKS: these and everything downstream of them. */
      readonly tasks: readonly string[];
    }
  | { readonly type: 'PAUSE_RUN'; readonly run: RunId }
  | { readonly type: 'RESUME_RUN'; readonly run: RunId }
  | {
      readonly type: 'CORDON_NODE' | 'UNCORDON_NODE';
      readonly node: string;
      /** Why. */
      readonly message?: string;
    }
  | {
      readonly type: 'UPDATE_POOL';
      /** Null: the schedulers stay as they are, and remember what they do. */
      readonly update: PoolUpdate | null;
      /** The pool's default for tasks, null for none; absent: it stays as it is. */
      readonly idempotent?: boolean | null;
    };

/** A command as the store keeps it. */
export interface StoredCommand {
  /** Given by the database; commands of a pool are taken in this order. */
  readonly id: number;
  readonly pool: string;
  readonly command: Command;
  readonly actor: string;
  readonly at: number;
}

/** What became of a command: it took effect, or it was refused with a code that the API turns into a typed error. */
export type Receipt =
  | { readonly ok: true }
  | {
      readonly ok: false;
      readonly code:
        | 'RUN_NOT_FOUND'
        | 'PIPELINE_NOT_FOUND'
        | 'INTERNAL_ERROR'
        | 'RUN_ALREADY_FINISHED'
        | 'RUN_NOT_FINISHED'
        | 'NODE_NOT_FOUND'
        | 'TASK_NOT_FOUND';
      readonly message: string;
    };

/** What the loop adds to a command before the core sees it: rows that the core may not fetch. */
export interface PreparedCommand extends StoredCommand {
  /** With TRIGGER_RUN and RETRY_RUN: the pinned version's definition. */
  readonly definition?: PipelineDefinition;
  /** With RETRY_RUN: the run that is repeated, from memory or the store, with its task runs. */
  readonly original?: import('./input.ts').RecoveredRun;
}
