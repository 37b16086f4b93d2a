import { EventEmitter, on } from 'node:events';
import type { PoolHistoryReader, PoolSample } from './api/context.ts';
import type { Clock } from './clock.ts';
import type { Service } from './lifecycle.ts';

/** How a pool stands now; null when this server does not run it. */
export type PoolGauge = (pool: string) => Omit<PoolSample, 'at'> | null;

/** Between two samples. Milliseconds. */
const EVERY_MS = 5_000;
/** An hour of them is kept; of what is older one a minute, for a day. */
const FINE = 720;
const COARSE = 1_440;
const MINUTE_MS = 60_000;

/**
 * How the pools of this server have stood of late: sampled every five seconds and kept in memory, some 200 KB a pool. It
 * is for looking at; whoever wants it for good reads `/metrics`.
 */
export class PoolHistory implements Service, PoolHistoryReader {
  readonly #pools: readonly string[];
  readonly #gauge: PoolGauge;
  readonly #clock: Clock;
  readonly #samples = new Map<string, { fine: PoolSample[]; coarse: PoolSample[] }>();
  readonly #told = new EventEmitter().setMaxListeners(0);
  #ending: AbortController | null = null;

  constructor(pools: readonly string[], gauge: PoolGauge, clock: Clock) {
    this.#pools = pools;
    this.#gauge = gauge;
    this.#clock = clock;
  }

  start(): Promise<void> {
    if (this.#ending === null) {
      this.#ending = new AbortController();
      void this.#run(this.#ending.signal);
    }
    return Promise.resolve();
  }

  stop(): Promise<void> {
    this.#ending?.abort();
    this.#ending = null;
    return Promise.resolve();
  }

  since(pool: string, from: number): readonly PoolSample[] {
    const { coarse, fine } = this.#samples.get(pool) ?? { coarse: [], fine: [] };
    const firstFine = fine[0]?.at ?? Infinity;
    return [...coarse.filter(({ at }) => at < firstFine), ...fine].filter(({ at }) => at >= from);
  }

  async *follow(pool: string, signal: AbortSignal): AsyncGenerator<PoolSample> {
    const latest = this.#samples.get(pool)?.fine.at(-1);
    if (latest !== undefined) yield latest;
    try {
      for await (const [sample] of on(this.#told, pool, { signal })) yield sample as PoolSample;
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  }

  async #run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      this.sample();
      await this.#clock.sleep(EVERY_MS, signal).catch(() => undefined);
    }
  }

  /** Looks at every pool once. */
  sample(): void {
    const at = this.#clock.now();
    for (const pool of this.#pools) {
      const now = this.#gauge(pool);
      if (now === null) continue;
      let kept = this.#samples.get(pool);
      if (kept === undefined) this.#samples.set(pool, (kept = { fine: [], coarse: [] }));
      const sample = { at, ...now };
      kept.fine.push(sample);
      if (kept.fine.length > FINE) kept.fine.shift();
      // Either way: a clock may be set back.
      if (Math.abs(at - (kept.coarse.at(-1)?.at ?? -Infinity)) >= MINUTE_MS) kept.coarse.push(sample);
      if (kept.coarse.length > COARSE) kept.coarse.shift();
      this.#told.emit(pool, sample);
    }
  }
}
