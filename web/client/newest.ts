/**
 * The one rule by which what a page hears is put together. Answers and events travel by different ways and overtake each
 * other: an event is executed before a query and drawn after it, a query that was asked first is answered last.
 *
 * - What has a revision (runs, task runs, nodes) never goes back: per object the higher revision wins, wherever it comes
 *   from. Of two equal ones the later wins, for what is in no revision (the progress of a task run) comes with it.
 * - What has none (pools, queues, pipelines) is never put together from events: an event only says that it is to be read
 *   again, reads go one at a time, and one that was begun before a change of one's own is thrown away (`use-live.ts`).
 * - What is in a log (logs, histories, samples) comes from one source, in its order.
 */

/** Something that the server numbers: a higher revision is a later state. */
export interface Revised {
  readonly revision: number;
}

/** Which of two states of one object is to be shown. */
export const newest = <Value extends Revised>(known: Value | undefined, given: Value): Value =>
  known !== undefined && known.revision > given.revision ? known : given;

/** As many objects are remembered: those that were heard of last. Who is older than that has long come by every way. */
const KEPT = 20_000;

/**
 * The newest state of each object that has been heard of, whether it is shown or not: a run that has left a list must not
 * come back with an older event.
 */
export class Latest<Value extends Revised> {
  readonly #values = new Map<string, Value>();
  readonly #kept: number;

  constructor(kept = KEPT) {
    this.#kept = kept;
  }

  /** Takes a state in; answers the newest that is known. */
  take(key: string, given: Value): Value {
    const value = newest(this.#values.get(key), given);
    // Deleted first, so that the key moves to the end.
    this.#values.delete(key);
    this.#values.set(key, value);
    if (this.#values.size > this.#kept) {
      const [oldest] = this.#values.keys();
      if (oldest !== undefined) this.#values.delete(oldest);
    }
    return value;
  }

  get(key: string): Value | undefined {
    return this.#values.get(key);
  }
}
