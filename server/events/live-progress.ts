import type { Progress } from '@gantry/plugin-kit/vocabulary';
import { parseAttemptId, type AttemptId, type RunId } from '../domain/ids.ts';

/** Hears that a task run of the run it listens to has come further. Must not throw. */
export type ProgressListener = (ordinal: number, progress: Progress) => void;

/**
 * How far the attempts are that nodes of this server are at, as they said last. In memory alone: it changes many times
 * a second, nothing depends on it, and a node tells anew soon enough.
 */
export class LiveProgress {
  readonly #latest = new Map<AttemptId, Progress>();
  readonly #listeners = new Map<RunId, Set<ProgressListener>>();

  /** How many attempts have told of theirs. */
  get size(): number {
    return this.#latest.size;
  }

  /** A node has told. */
  tell(attempt: AttemptId, progress: Progress): void {
    const id = parseAttemptId(attempt);
    if (id === null) return;
    this.#latest.set(attempt, progress);
    for (const listener of this.#listeners.get(id.run) ?? []) listener(id.ordinal, progress);
  }

  /** The attempt is over, or its node is no longer spoken for here. */
  forget(attempt: AttemptId): void {
    this.#latest.delete(attempt);
  }

  /** How far this attempt is; null where it has not said. */
  of(attempt: AttemptId): Progress | null {
    return this.#latest.get(attempt) ?? null;
  }

  /** The returned function ends it. */
  listen(run: RunId, listener: ProgressListener): () => void {
    const listeners = this.#listeners.get(run) ?? new Set();
    listeners.add(listener);
    this.#listeners.set(run, listeners);
    return () => {
      listeners.delete(listener);
      if (listeners.size === 0) this.#listeners.delete(run);
    };
  }
}
