import type { Clock } from '../clock.ts';
import type { AttemptId } from '../domain/ids.ts';
import type { NodeLogChunk } from '../protocol/gateway.ts';
import type { LogSink } from './attempt-log.ts';

/** A batch goes out when it holds this much, or after this long. */
const BATCH_CHARACTERS = 256 * 1024;
const BATCH_MS = 50;
/** Whoever pushes waits while more than this is on its way. */
const QUEUE_CHARACTERS = 4 * 1024 * 1024;
/** For how long the end of an attempt waits for its output to be stored. A store that is away must not hold it up for ever. */
const DRAIN_MS = 10_000;
const RETRY_MS = 500;

/** Brings the output of all attempts of a node to the server, in batches, in order, one at a time. */
export class LogShipper implements LogSink {
  readonly #send: (chunks: readonly NodeLogChunk[]) => Promise<void>;
  readonly #clock: Clock;
  #queue: NodeLogChunk[] = [];
  #characters = 0;
  #shipping: Promise<void> | null = null;
  #roomWaiters: (() => void)[] = [];
  readonly #pending = new Map<AttemptId, { count: number; waiters: (() => void)[] }>();
  #isHurried = false;
  #hurry: (() => void) | null = null;

  /** @param send Resolves when the chunks are stored; they are sent again when it rejects. */
  constructor(send: (chunks: readonly NodeLogChunk[]) => Promise<void>, clock: Clock) {
    this.#send = send;
    this.#clock = clock;
  }

  push(chunk: NodeLogChunk): Promise<void> | null {
    this.#queue.push(chunk);
    this.#characters += chunk.text.length;
    const pending = this.#pending.get(chunk.attempt);
    if (pending) pending.count++;
    else this.#pending.set(chunk.attempt, { count: 1, waiters: [] });
    if (this.#characters >= BATCH_CHARACTERS) this.#hurryUp();
    this.#shipping ??= this.#ship().finally(() => (this.#shipping = null));
    if (this.#characters < QUEUE_CHARACTERS) return null;
    return new Promise((resolve) => this.#roomWaiters.push(resolve));
  }

  /** Resolves when all output of the attempt is stored, or it has taken too long. Null when there is nothing to wait for. */
  drained(attempt: AttemptId): Promise<void> | null {
    const pending = this.#pending.get(attempt);
    if (!pending) return null;
    this.#hurryUp();
    const timeout = new AbortController();
    return Promise.race([
      new Promise<void>((resolve) => pending.waiters.push(resolve)),
      this.#clock.sleep(DRAIN_MS, timeout.signal).catch(() => undefined),
    ]).finally(() => timeout.abort());
  }

  #hurryUp(): void {
    this.#isHurried = true;
    this.#hurry?.();
  }

  async #ship(): Promise<void> {
    while (this.#queue.length > 0) {
      await this.#gather();
      const batch = this.#takeBatch();
      for (;;) {
        try {
          await this.#send(batch);
          break;
        } catch {
          await this.#clock.sleep(RETRY_MS);
        }
      }
      this.#stored(batch);
    }
  }

  async #gather(): Promise<void> {
    if (!this.#isHurried) {
      const timeout = new AbortController();
      await Promise.race([
        new Promise<void>((resolve) => (this.#hurry = resolve)),
        this.#clock.sleep(BATCH_MS, timeout.signal).catch(() => undefined),
      ]);
      timeout.abort();
      this.#hurry = null;
    }
    this.#isHurried = false;
  }

  #takeBatch(): readonly NodeLogChunk[] {
    let characters = 0;
    let count = 0;
    while (count < this.#queue.length && (count === 0 || characters < BATCH_CHARACTERS))
      characters += this.#queue[count++]!.text.length;
    return this.#queue.splice(0, count);
  }

  #stored(batch: readonly NodeLogChunk[]): void {
    for (const { attempt, text } of batch) {
      this.#characters -= text.length;
      const pending = this.#pending.get(attempt)!;
      if (--pending.count > 0) continue;
      this.#pending.delete(attempt);
      for (const resolve of pending.waiters) resolve();
    }
    if (this.#queue.length > 0 && this.#pending.size > 0)
      for (const { waiters } of this.#pending.values()) if (waiters.length > 0) this.#isHurried = true;
    if (this.#characters < QUEUE_CHARACTERS) for (const resolve of this.#roomWaiters.splice(0)) resolve();
  }
}
