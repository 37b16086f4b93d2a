import type { JsonObject, Resources } from '@gantry/plugin-kit/vocabulary';
import type { SecretPlace } from './expression.ts';
import type { AttemptId, RunId } from './ids.ts';

export type StopCause = 'CANCELLED' | 'TIMED_OUT' | 'PREEMPTED';

/** Everything an agent needs to execute an attempt. Plain data: it crosses the wire as it is. */
export interface AttemptSpec {
  readonly attempt: AttemptId;
  readonly number: number;
  readonly run: RunId;
  readonly pipeline: string;
  readonly taskKey: string;
  readonly mapIndex: number | null;
  readonly runner: string;
  /** Rendered: no `${{ … }}` is left. */
  readonly with: JsonObject;
  readonly env: Readonly<Record<string, string>>;
  /** Where in `{ with, env }` secrets belong, which only the node knows. */
  readonly secrets: readonly SecretPlace[];
  /** `{ params, tasks: { <key>: { outputs } }, item, index }`: what the task may read. */
  readonly inputs: JsonObject;
  readonly resources: Resources;
  /** The node's GPUs that it has, by index. */
  readonly gpus: readonly number[];
  readonly timeoutMs: number | null;
  readonly killGraceMs: number;
}

/** What must happen in the world once the changes are durable. */
export type Effect =
  | { readonly type: 'ASSIGN'; readonly node: string; readonly spec: AttemptSpec }
  | { readonly type: 'STOP'; readonly node: string; readonly attempt: AttemptId; readonly cause: StopCause }
  /** The attempt's end is durable: the agent may forget it. */
  | { readonly type: 'FORGET'; readonly node: string; readonly attempt: AttemptId };
