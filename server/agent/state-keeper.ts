import type { Json } from '@gantry/plugin-kit/vocabulary';
import type { Clock } from '../clock.ts';
import type { AttemptId } from '../domain/ids.ts';
import type { AttemptSavedState } from '../protocol/gateway.ts';

const FIRST_RETRY_MS = 100;
const LAST_RETRY_MS = 2_000;
/** So long the start of an attempt waits for the state that it is to go on from, and its end for the one it saved. */
export const STATE_PATIENCE_MS = 10_000;

/** The server's side of it. */
export interface StateGateway {
  /** Higher than every number that agents before this one have given (first-number.ts). */
  firstNumber(): number;
  saveState(state: AttemptSavedState): Promise<void>;
  previousState(attempt: AttemptId): Promise<Json | null>;
}

interface Saving {
  /** The state to be sent next; undefined when the last one is on its way. */
  next: { readonly state: Json } | undefined;
  readonly done: Promise<void>;
}

/** Brings the states that attempts save to the server, and fetches those that they go on from. Of several the last counts. */
export class StateKeeper {
  readonly #gateway: StateGateway;
  readonly #clock: Clock;
  readonly #saving = new Map<AttemptId, Saving>();
  readonly #closing = new AbortController();
  #lastSeq = 0;

  constructor(gateway: StateGateway, clock: Clock) {
    this.#gateway = gateway;
    this.#clock = clock;
  }

  /** Resolves when the server holds this state or a later one. */
  save(attempt: AttemptId, state: Json): Promise<void> {
    const known = this.#saving.get(attempt);
    if (known) {
      known.next = { state };
      return known.done;
    }
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const saving: Saving = { next: { state }, done: promise };
    this.#saving.set(attempt, saving);
    void this.#send(attempt, saving).then(resolve, reject);
    // Whoever saves need not wait for it.
    promise.catch(() => undefined);
    return promise;
  }

  /** Resolves when what an attempt saved is held, or has taken too long. Null when there is nothing to wait for. */
  drained(attempt: AttemptId): Promise<void> | null {
    const saving = this.#saving.get(attempt);
    if (!saving) return null;
    const patience = new AbortController();
    const isLate = this.#clock.sleep(STATE_PATIENCE_MS, patience.signal).catch(() => undefined);
    return Promise.race([saving.done.catch(() => undefined), isLate]).finally(() => patience.abort());
  }

  /** What attempts before this one saved. Rejects when the server does not say for long, or the signal is aborted. */
  async previous(attempt: AttemptId, signal: AbortSignal): Promise<Json> {
    const from = this.#clock.monotonic();
    for (let delayMs = FIRST_RETRY_MS; ; delayMs = Math.min(delayMs * 2, LAST_RETRY_MS)) {
      try {
        return await this.#gateway.previousState(attempt);
      } catch (error) {
        if (signal.aborted || this.#clock.monotonic() - from >= STATE_PATIENCE_MS) throw error;
        await this.#clock.sleep(delayMs, signal);
      }
    }
  }

  close(): void {
    this.#closing.abort();
  }

  /** Sends until nothing newer waits. What is refused is sent again, unless there is something newer by then. */
  async #send(attempt: AttemptId, saving: Saving): Promise<void> {
    try {
      let delayMs = FIRST_RETRY_MS;
      while (saving.next !== undefined) {
        const { next } = saving;
        saving.next = undefined;
        // So that an agent that was restarted goes on above the one before.
        this.#lastSeq = Math.max(this.#lastSeq + 1, this.#gateway.firstNumber());
        try {
          await this.#gateway.saveState({ attempt, seq: this.#lastSeq, state: next.state });
          delayMs = FIRST_RETRY_MS;
        } catch (error) {
          if (this.#closing.signal.aborted) throw error;
          saving.next ??= next;
          await this.#clock.sleep(delayMs, this.#closing.signal);
          delayMs = Math.min(delayMs * 2, LAST_RETRY_MS);
        }
      }
    } finally {
      // In the very turn in which nothing waits any more: what is saved next must not be left with who has stopped sending.
      this.#saving.delete(attempt);
    }
  }
}
