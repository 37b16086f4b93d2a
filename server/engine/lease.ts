import type { Clock } from '../clock.ts';
import type { HeldLease, LeaseStore } from '../store/store.ts';

/** How long a lease lasts without renewal, and how early its holder stops trusting it. Milliseconds. */
export interface LeaseTimers {
  readonly ttlMs: number;
  readonly renewMs: number;
  readonly pollMs: number;
  /** Nothing is begun in the last part of the term: clocks and networks are not exact. */
  readonly marginMs: number;
}
export const DEFAULT_LEASE: LeaseTimers = { ttlMs: 10_000, renewMs: 3_000, pollMs: 1_000, marginMs: 1_500 };

/** Who takes leases: one process, not whatever runs on a folder. */
export interface LeaseHolder {
  readonly name: string;
  /** Processes whose place it has taken and which are certain to have ended: it need not wait for their leases. */
  readonly predecessors: readonly string[];
}

/**
 * Takes and keeps a pool's lease. Only the monotonic clock counts here: the lease is trusted until
 * `attempt started + ttl − margin` of the last successful renewal. The epoch in the store is what really fences.
 */
export class LeaseKeeper {
  readonly #leases: LeaseStore;
  readonly #name: string;
  readonly #holder: LeaseHolder;
  readonly #clock: Clock;
  readonly #timers: LeaseTimers;
  #held: HeldLease | null = null;
  #trustedUntil = -Infinity;

  constructor(
    leases: LeaseStore,
    name: string,
    holder: LeaseHolder,
    clock: Clock,
    timers: LeaseTimers = DEFAULT_LEASE,
  ) {
    this.#leases = leases;
    this.#name = name;
    this.#holder = holder;
    this.#clock = clock;
    this.#timers = timers;
  }

  /** Whether work may be begun under the lease now. */
  get isTrusted(): boolean {
    return this.#held !== null && this.#clock.monotonic() < this.#trustedUntil;
  }

  /**
   * Waits until the lease is ours. Rejects when the signal is aborted, or with what the store rejects with.
   *
   * @param onWait Called once when somebody else has it.
   */
  async acquire(signal: AbortSignal, onWait: () => void = () => undefined): Promise<HeldLease> {
    const { name } = this.#holder;
    const predecessors = new Set(this.#holder.predecessors);
    const seen = { holder: '', mark: '', since: 0 };
    for (let tries = 0; ; tries++) {
      const asked = this.#clock.monotonic();
      const held = await this.#leases.acquire(this.#name, name, this.#timers.ttlMs, [...predecessors]);
      if (held) {
        this.#held = held;
        this.#trustedUntil = asked + this.#timers.ttlMs - this.#timers.marginMs;
        return held;
      }
      if (tries === 0) onWait();
      if (await this.#isLeft(seen)) predecessors.add(seen.holder);
      await this.#clock.sleep(this.#timers.pollMs, signal);
    }
  }

  /**
   * Whether the lease has stood unchanged for a whole term by our own clock: its holder, who renews it several times a
   * term, has ended. The database's clock may have been set back, and then say for long that it has not expired.
   */
  async #isLeft(seen: { holder: string; mark: string; since: number }): Promise<boolean> {
    const now = this.#clock.monotonic();
    const standing = await this.#leases.standing(this.#name);
    if (standing === null) return false;
    if (standing.mark !== seen.mark || standing.holder !== seen.holder) {
      Object.assign(seen, standing, { since: now });
      return false;
    }
    return now - seen.since > this.#timers.ttlMs + this.#timers.marginMs;
  }

  /** Renews until the signal is aborted or the lease is lost; resolves then. A store that is away is asked again. */
  async keep(lease: HeldLease, signal: AbortSignal): Promise<void> {
    while (!signal.aborted && this.#held === lease) {
      await this.#clock.sleep(this.#timers.renewMs, signal).catch(() => undefined);
      if (signal.aborted || this.#held !== lease) return;
      const asked = this.#clock.monotonic();
      const renewed = await this.#leases.renew(lease, this.#timers.ttlMs).catch(() => null);
      if (renewed === true) this.#trustedUntil = asked + this.#timers.ttlMs - this.#timers.marginMs;
      if (renewed === false) {
        this.#held = null;
        return;
      }
    }
  }

  /** Gives the lease back, so that another need not wait for its end. */
  async resign(): Promise<void> {
    const held = this.#held;
    this.#held = null;
    if (held) await this.#leases.resign(held).catch(() => undefined);
  }
}
