import type { AttemptSpec, Effect, StopCause } from '../domain/effect.ts';
import type { AttemptId } from '../domain/ids.ts';
import type { AttemptReport } from '../domain/input.ts';
import { isTerminalAttempt } from '../domain/attempt.ts';
import type { Hint, SyncAnswer } from '../protocol/gateway.ts';

/** What one node should be doing, as the engine has committed it, and a line to its agent. */
export class NodeSession {
  /** 0 until its agent has said hello to this server. */
  incarnation = 0;
  readonly #desired = new Map<AttemptId, AttemptSpec>();
  readonly #stops = new Map<AttemptId, StopCause>();
  #listener: ((hints: readonly Hint[]) => void) | null = null;

  /** Whether the node may speak of this attempt: its output is taken only then. */
  hasAttempt(attempt: AttemptId): boolean {
    return this.#desired.has(attempt);
  }

  /** All attempts that it may speak of. */
  attempts(): Iterable<AttemptId> {
    return this.#desired.keys();
  }

  /** Takes in committed effects and hints at them. */
  perform(effects: readonly Effect[]): void {
    for (const effect of effects) {
      switch (effect.type) {
        case 'ASSIGN':
          this.#desired.set(effect.spec.attempt, effect.spec);
          break;
        case 'STOP':
          this.#stops.set(effect.attempt, effect.cause);
          break;
        case 'FORGET':
          this.#desired.delete(effect.attempt);
          if (this.#stops.size > 0) this.#stops.delete(effect.attempt);
          break;
        default:
          effect satisfies never;
      }
    }
    // An effect says all that a hint says: there are thousands, and none is copied.
    this.#listener?.(effects);
  }

  /** Compares what the agent knows with what it should do: complete, and so indifferent to anything lost before. */
  answer(seq: number, known: readonly AttemptReport[]): SyncAnswer {
    const names = new Set<AttemptId>();
    const stop: { attempt: AttemptId; cause: StopCause }[] = [];
    const forget: AttemptId[] = [];
    for (const { attempt, state } of known) {
      names.add(attempt);
      if (this.#desired.has(attempt)) {
        const cause = this.#stops.get(attempt);
        if (cause && !isTerminalAttempt(state)) stop.push({ attempt, cause });
      } else if (isTerminalAttempt(state)) {
        forget.push(attempt);
      } else {
        // The engine has given this attempt up: a later one may be running elsewhere.
        stop.push({ attempt, cause: 'CANCELLED' });
      }
    }
    const assign = [...this.#desired.values()].filter(({ attempt }) => !names.has(attempt));
    return { status: 'OK', seq, assign, stop, forget };
  }

  listen(listener: (hints: readonly Hint[]) => void): () => void {
    this.#listener = listener;
    return () => {
      if (this.#listener === listener) this.#listener = null;
    };
  }

  hint(hint: Hint): void {
    this.#listener?.([hint]);
  }

  /** Forgets what the engine wanted: it reloads and will tell anew. */
  reset(): void {
    this.#desired.clear();
    this.#stops.clear();
  }
}
