import type { Clock } from '../clock.ts';
import type { AttemptId } from '../domain/ids.ts';
import type { Logger } from '../log.ts';
import type { NodeLogChunk } from '../protocol/gateway.ts';

/** The most that one chunk holds as UTF-8. */
export const CHUNK_BYTES = 64 * 1024;
/** What a chunk costs beside its text, in memory and in the store: output in tiny stretches must be bounded as well. */
const CHUNK_COST_BYTES = 128;
/** A batch goes out when it holds this much, or after this long. */
const BATCH_BYTES = 1024 * 1024;
const BATCH_MS = 50;
/** Whoever pushes is asked to wait while more than this is on its way. */
const QUEUE_BYTES = 4 * 1024 * 1024;
/** Beyond this the oldest output is let go: the store has been away for long. */
const LIMIT_BYTES = 48 * 1024 * 1024;
/** For how long the end of an attempt waits for its output to be stored. A store that is away must not hold it up for ever. */
export const DRAIN_MS = 10_000;
const FIRST_RETRY_MS = 100;
const LAST_RETRY_MS = 5_000;
/** A batch that was refused for so long is let go: it may be the batch that is at fault. */
const GIVE_UP_MS = 300_000;

/** One attempt's way through the shipper. Opaque to others. */
export interface LogChannel {
  readonly attempt: AttemptId;
  /** The number of the last chunk that was put into a batch. */
  seq: number;
  /** Chunks that are not stored yet. */
  pendingCount: number;
  /** The last chunk of the queue, to which more can be added. */
  open: QueuedChunk | null;
  /** Told when nothing is pending, or waiting is given up at `until`. */
  drained: { readonly resolve: () => void; readonly until: number } | null;
}

interface QueuedChunk {
  readonly channel: LogChannel;
  readonly stream: NodeLogChunk['stream'];
  readonly at: number;
  text: string;
  /** Of its text. */
  bytes: number;
}

/** Brings the output of all attempts of a node to the server: in batches, in order, one at a time, again until stored. */
export class LogShipper {
  readonly #send: (chunks: readonly NodeLogChunk[]) => Promise<void>;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #closing = new AbortController();
  #queue: QueuedChunk[] = [];
  /** Of everything on its way, with what chunks cost. */
  #bytes = 0;
  #shipping: Promise<void> | null = null;
  #roomWaiters: (() => void)[] = [];
  readonly #draining = new Set<LogChannel>();
  #isWatching = false;
  /** Ends the gathering of a batch early. */
  #hurry: (() => void) | null = null;
  /** Begun with one batch, it may end the next one's gathering, which is then a little shorter. */
  #pause: Promise<void> | null = null;
  /** Since when nothing could be stored, by the clock that only grows. */
  #awaySince: number | null = null;

  /** @param send Resolves when the chunks are stored; they are sent again when it rejects. */
  constructor(send: (chunks: readonly NodeLogChunk[]) => Promise<void>, clock: Clock, log: Logger) {
    this.#send = send;
    this.#clock = clock;
    this.#log = log;
  }

  open(attempt: AttemptId, sentSeq: number): LogChannel {
    return { attempt, seq: sentSeq, pendingCount: 0, open: null, drained: null };
  }

  /** Takes at most CHUNK_BYTES of text. Null, or a promise that resolves when there is room for more. */
  push(channel: LogChannel, stream: NodeLogChunk['stream'], at: number, text: string): Promise<void> | null {
    if (this.#closing.signal.aborted) return null;
    const bytes = Buffer.byteLength(text);
    const { open } = channel;
    if (open?.stream === stream && open.bytes + bytes <= CHUNK_BYTES) {
      open.text += text;
      open.bytes += bytes;
    } else {
      channel.open = { channel, stream, at, text, bytes };
      this.#bytes += CHUNK_COST_BYTES;
      channel.pendingCount++;
      this.#queue.push(channel.open);
    }
    this.#bytes += bytes;
    if (this.#bytes > LIMIT_BYTES) this.#letGo();
    if (this.#bytes >= BATCH_BYTES) this.#hurry?.();
    this.#shipping ??= this.#ship().finally(() => (this.#shipping = null));
    if (this.#bytes < QUEUE_BYTES) return null;
    return new Promise((resolve) => this.#roomWaiters.push(resolve));
  }

  /** Resolves when all output of an attempt is stored, or it has taken too long. Null when there is nothing to wait for. */
  drained(channel: LogChannel): Promise<void> | null {
    if (channel.pendingCount === 0 || this.#closing.signal.aborted) return null;
    const now = this.#clock.monotonic();
    if (this.#awaySince !== null && now - this.#awaySince >= DRAIN_MS) return null;
    this.#hurry?.();
    return new Promise((resolve) => {
      channel.drained = { resolve, until: now + DRAIN_MS };
      this.#draining.add(channel);
      if (!this.#isWatching) void this.#watch();
    });
  }

  /** Lets everybody go who waits, and stops. What is not stored yet is lost. */
  async close(): Promise<void> {
    this.#closing.abort();
    this.#hurry?.();
    for (const channel of this.#draining) this.#release(channel);
    for (const resolve of this.#roomWaiters.splice(0)) resolve();
    await this.#shipping;
  }

  async #ship(): Promise<void> {
    while (this.#queue.length > 0 && !this.#closing.signal.aborted) {
      if (this.#bytes < BATCH_BYTES && this.#draining.size === 0) await this.#gather();
      const batch = this.#takeBatch();
      await this.#store(
        batch.map(({ channel, stream, at, text }) => ({
          attempt: channel.attempt,
          seq: ++channel.seq,
          stream,
          at,
          text,
        })),
      );
      for (const { channel, bytes } of batch) {
        this.#bytes -= bytes + CHUNK_COST_BYTES;
        if (--channel.pendingCount === 0) this.#release(channel);
      }
      if (this.#bytes < QUEUE_BYTES) for (const resolve of this.#roomWaiters.splice(0)) resolve();
    }
  }

  /** No timer is cancelled: with short tasks this happens at every end, and an AbortSignal costs more than their output. */
  async #gather(): Promise<void> {
    this.#pause ??= this.#clock.sleep(BATCH_MS).then(() => {
      this.#pause = null;
    });
    const hurry = new Promise<void>((resolve) => (this.#hurry = resolve));
    await Promise.race([this.#pause, hurry]);
    this.#hurry = null;
  }

  #takeBatch(): readonly QueuedChunk[] {
    let bytes = 0;
    let count = 0;
    for (; count < this.#queue.length; count++) {
      const chunk = this.#queue[count]!;
      if (count > 0 && bytes + chunk.bytes > BATCH_BYTES) break;
      bytes += chunk.bytes + CHUNK_COST_BYTES;
      if (chunk.channel.open === chunk) chunk.channel.open = null;
    }
    return this.#queue.splice(0, count);
  }

  async #store(chunks: readonly NodeLogChunk[]): Promise<void> {
    const { signal } = this.#closing;
    for (let delayMs = FIRST_RETRY_MS; ; delayMs = Math.min(delayMs * 2, LAST_RETRY_MS)) {
      try {
        await this.#send(chunks);
        this.#awaySince = null;
        return;
      } catch (error) {
        const now = this.#clock.monotonic();
        if (this.#awaySince === null) this.#log.warn({ err: error }, 'Output cannot be stored; it is sent again.');
        this.#awaySince ??= now;
        if (signal.aborted) return;
        if (now - this.#awaySince >= GIVE_UP_MS) {
          this.#log.error({ err: error, chunks: chunks.length }, 'Output could not be stored for long and is lost.');
          this.#awaySince = now;
          return;
        }
        await this.#clock.sleep(delayMs, signal).catch(() => undefined);
      }
    }
  }

  /** Lets the older half of the queue go, with a marker in the place of each attempt's part. */
  #letGo(): void {
    const gone = this.#queue.splice(0, Math.ceil(this.#queue.length / 2));
    const goneChunks = new Set(gone);
    const bytesByChannel = new Map<LogChannel, number>();
    for (const { channel, bytes } of gone) {
      bytesByChannel.set(channel, (bytesByChannel.get(channel) ?? 0) + bytes);
      this.#bytes -= bytes + CHUNK_COST_BYTES;
      channel.pendingCount--;
    }
    const markers: QueuedChunk[] = [];
    for (const [channel, lost] of bytesByChannel) {
      const text = `… ${lost} bytes left out: the log store was away …\n`;
      markers.push({ channel, stream: 'SYSTEM', at: this.#clock.now(), text, bytes: text.length });
      this.#bytes += text.length + CHUNK_COST_BYTES;
      channel.pendingCount++;
      if (channel.open !== null && goneChunks.has(channel.open)) channel.open = null;
    }
    this.#queue.unshift(...markers);
  }

  #release(channel: LogChannel): void {
    channel.drained?.resolve();
    channel.drained = null;
    this.#draining.delete(channel);
  }

  /** Gives up waiting for those for whom it has taken too long. One timer for all of them. */
  async #watch(): Promise<void> {
    const { signal } = this.#closing;
    this.#isWatching = true;
    while (this.#draining.size > 0 && !signal.aborted) {
      await this.#clock.sleep(DRAIN_MS / 4, signal).catch(() => undefined);
      const now = this.#clock.monotonic();
      for (const channel of this.#draining) if (now >= channel.drained!.until) this.#release(channel);
    }
    this.#isWatching = false;
  }
}
