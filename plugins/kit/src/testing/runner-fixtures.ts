import type { JsonObject } from '../vocabulary.ts';
import type { AttemptHarness } from './attempt-harness.ts';

/** Work for the runner under test, as a task's `with:`. */
export interface RunnerFixtures {
  /** Ends soon, and well. */
  readonly succeeds: JsonObject;
  /** Ends soon, and badly. */
  readonly fails: JsonObject;
  /** Does not end by itself, but when it is asked to. */
  readonly endless: JsonObject;
  /** Prints text and ends well, if the runner prints at all. */
  readonly prints?: { readonly config: JsonObject; readonly text: string };
  /** Asks to be found again, and ends soon; for runners with `reattach`. */
  readonly checkpoints?: JsonObject;
  /** Does not end when it is asked to; by the hard stop only. */
  readonly stubborn?: JsonObject;
  /** Is ended by a signal of its own, and which that is. */
  readonly signalled?: { readonly config: JsonObject; readonly signal: string };
  /** Prints the numbers from 1 to this one, a line each. */
  readonly counts?: { readonly config: JsonObject; readonly upTo: number };
  /** Prints these very bytes, which are no UTF-8. */
  readonly binary?: { readonly config: JsonObject; readonly bytes: Uint8Array };
  /** Prints the variable TEXT of its environment, and nothing else. */
  readonly echoes?: JsonObject;
  /** Mistakes of a task, each of which no node and no repetition can mend, and the code that each is told by. */
  readonly mistakes?: readonly { readonly config: JsonObject; readonly code: string }[];
  /** So many attempts it can have at once in a test of seconds. Default 200. */
  readonly atOnce?: number;
  /** What the node's operator would write for it. */
  readonly settings?: JsonObject;
}

/** One thing that every runner must hold. */
export interface RunnerCheck {
  /** Completes the sentence “a runner …”. */
  readonly name: string;
  /** What is wrong; null when nothing is. */
  run(harness: AttemptHarness, fixtures: RunnerFixtures): Promise<string | null>;
}
