import { allPids, environmentOfProcess, stateOf, type ProcessState } from './process-table.ts';
import { busySessions } from './process-tree.ts';
import type { UsageMeter } from './usage-meter.ts';

/** Of the time, at most so much is spent on looking; and when a limit depends on it. */
const SHARE = 0.02;
const SHARE_FOR_LIMITS = 0.1;
/** Where one look takes very long, the pauses grow no longer than so, whatever the share. Milliseconds. */
const LONGEST_FOR_COST_MS = 500;
const LONGEST_FOR_COST_AND_LIMITS_MS = 100;
/** Between two looks, while the youngest attempt is very young. Milliseconds. */
const SHORTEST_MS = 15;
/** Between two looks, however old all attempts are. Milliseconds. */
const LONGEST_MS = 250;
/** The same when a limit depends on it. Milliseconds. */
const LONGEST_FOR_LIMITS_MS = 25;
/** An attempt of this age is looked at four times as seldom as that. Milliseconds. */
const PER_AGE = 1 / 4;

/** What a process that is in no helper's session was found to belong to. */
interface Stray {
  readonly startTicks: number;
  readonly meter: UsageMeter | null;
}

/**
 * One look at all processes for all attempts: often while one of them is young, seldom later, and always so that it
 * costs next to nothing. Each look reads /proc/<pid>/stat of every process on the machine, 10 µs each.
 */
export class UsageLooks {
  readonly #meters = new Map<number, UsageMeter>();
  readonly #onLooked = new Map<UsageMeter, () => void>();
  #strays = new Map<number, Stray>();
  #timer: NodeJS.Timeout | null = null;
  #youngestMs = 0;
  readonly #limited = new Set<UsageMeter>();

  /**
   * @param onLooked Called after each look, when the meter has what it saw.
   * @param isLimited Whether a limit depends on it, so that it is looked at often however old it is.
   */
  add(meter: UsageMeter, onLooked: () => void, isLimited: boolean): void {
    if (isLimited) this.#limited.add(meter);
    this.#meters.set(meter.session, meter);
    this.#onLooked.set(meter, onLooked);
    this.#youngestMs = meter.sinceMs;
    this.#timer ??= this.#later(SHORTEST_MS);
  }

  remove(meter: UsageMeter): void {
    if (this.#meters.get(meter.session) === meter) this.#meters.delete(meter.session);
    this.#onLooked.delete(meter);
    this.#limited.delete(meter);
  }

  /** Looks at none any more. */
  clear(): void {
    this.#meters.clear();
    this.#onLooked.clear();
    this.#limited.clear();
    if (this.#timer) clearTimeout(this.#timer);
    this.#timer = null;
  }

  #later(waitMs: number): NodeJS.Timeout {
    return setTimeout(() => this.#look(), waitMs).unref();
  }

  #look(): void {
    this.#timer = null;
    // Nothing runs: the next attempt begins anew.
    if (this.#meters.size === 0) return;
    const beganAt = performance.now();
    for (const [meter, members] of this.#membersByMeter()) {
      meter.note(members);
      this.#onLooked.get(meter)?.();
    }
    const now = performance.now();
    const isLimited = this.#limited.size > 0;
    const byAge = Math.min((now - this.#youngestMs) * PER_AGE, isLimited ? LONGEST_FOR_LIMITS_MS : LONGEST_MS);
    const byCost = isLimited
      ? Math.min((now - beganAt) / SHARE_FOR_LIMITS, LONGEST_FOR_COST_AND_LIMITS_MS)
      : Math.min((now - beganAt) / SHARE, LONGEST_FOR_COST_MS);
    this.#timer = this.#later(Math.max(SHORTEST_MS, byAge, byCost));
  }

  #membersByMeter(): ReadonlyMap<UsageMeter, readonly ProcessState[]> {
    const found = new Map<UsageMeter, ProcessState[]>();
    const strays = new Map<number, Stray>();
    for (const pid of allPids()) {
      const state = stateOf(pid);
      if (state === null || this.#meters.has(pid)) continue;
      const meter = this.#meters.get(state.session) ?? this.#strayOf(state, strays);
      if (meter === null) continue;
      const members = found.get(meter);
      if (members) members.push(state);
      else found.set(meter, [state]);
    }
    this.#strays = strays;
    return found;
  }

  /** Whose a process is that has a session of its own. What it was started with is read only once. */
  #strayOf(state: ProcessState, strays: Map<number, Stray>): UsageMeter | null {
    const { pid, session, startTicks } = state;
    if (busySessions.has(session)) return null;
    let stray = this.#strays.get(pid);
    if (stray?.startTicks !== startTicks || (stray.meter && !this.#onLooked.has(stray.meter))) {
      const mark = /\0(GANTRY_OUTPUT=[^\0]*)\0/.exec(environmentOfProcess(pid))?.[1];
      let meter: UsageMeter | null = null;
      if (mark !== undefined) for (const other of this.#onLooked.keys()) if (other.mark === mark) meter = other;
      stray = { startTicks, meter };
    }
    strays.set(pid, stray);
    return stray.meter;
  }
}
