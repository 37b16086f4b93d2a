import type { EventBatch } from '../domain/event.ts';
import type { RunId, TaskRunId } from '../domain/ids.ts';

/** Hears every committed batch, at once and in order. Must not throw and must not keep what it cannot bound. */
export type BatchListener = (batch: EventBatch) => void;

/** A run that is in no list any more. */
export interface DeletedRun {
  readonly id: RunId;
  readonly pipeline: string;
  readonly pool: string;
}

/** Hears which runs were deleted. Must not throw. */
export type DeletionListener = (runs: readonly DeletedRun[]) => void;

/** Hears which nodes of a pool hold more or less than before. Must not throw. */
export type LoadListener = (pool: string, nodes: readonly string[]) => void;

/**
 * Where committed events come in and are handed to whoever follows. It keeps nothing: a follower that has fallen
 * behind reads the event log, and each bounds what it keeps for a slow reader (follow.ts).
 */
export class Hub {
  readonly #listeners = new Set<BatchListener>();
  readonly #loadListeners = new Set<LoadListener>();
  readonly #deletionListeners = new Set<DeletionListener>();
  readonly #logListeners = new Map<TaskRunId, Set<() => void>>();

  publish(batch: EventBatch): void {
    for (const listener of this.#listeners) listener(batch);
  }

  /** The returned function ends it. */
  listen(listener: BatchListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** What these nodes hold has been committed. In no log: nobody needs to know what a node held a while ago. */
  loadsChanged(pool: string, nodes: readonly string[]): void {
    for (const listener of this.#loadListeners) listener(pool, nodes);
  }

  listenToLoads(listener: LoadListener): () => void {
    this.#loadListeners.add(listener);
    return () => this.#loadListeners.delete(listener);
  }

  /** These runs are deleted. In no log: who was not there finds them gone. */
  runsDeleted(runs: readonly DeletedRun[]): void {
    if (runs.length > 0) for (const listener of this.#deletionListeners) listener(runs);
  }

  listenToDeletions(listener: DeletionListener): () => void {
    this.#deletionListeners.add(listener);
    return () => this.#deletionListeners.delete(listener);
  }

  /** New output of these task runs is in the store. */
  logsAppended(taskRuns: Iterable<TaskRunId>): void {
    if (this.#logListeners.size === 0) return;
    for (const id of taskRuns) for (const listener of this.#logListeners.get(id) ?? []) listener();
  }

  listenToLogs(taskRun: TaskRunId, listener: () => void): () => void {
    const listeners = this.#logListeners.get(taskRun) ?? new Set();
    listeners.add(listener);
    this.#logListeners.set(taskRun, listeners);
    return () => {
      listeners.delete(listener);
      if (listeners.size === 0) this.#logListeners.delete(taskRun);
    };
  }
}
