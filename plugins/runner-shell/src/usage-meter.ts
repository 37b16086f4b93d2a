import type { Outcome } from '@gantry/plugin-kit/runner';
import { pageBytes, peakBytesOf, privateBytesOf, TICK_MS, type ProcessState } from './process-table.ts';

/** What an attempt took; only what is known of it. */
export type Usage = NonNullable<Outcome['usage']>;

/**
 * What the processes of one attempt take, from looks at them. Processor time is complete for all that were waited for,
 * because their helper then has it (`waitedTicks`); of those that were not (daemons), and of memory, the looks are all
 * that is known.
 */
export class UsageMeter {
  /** The helper, whose session the attempt is. */
  readonly session: number;
  /** What is in the environment of each of its processes, and of no other. */
  readonly mark: string;
  readonly sinceMs = performance.now();
  #peakBytes = 0;
  #seenTicks = 0;
  /** Processes that nobody of the attempt waits for, by pid and start: their time and that of all below them. */
  readonly #strays = new Map<string, number>();
  #wasSeen = false;

  constructor(session: number, mark: string) {
    this.session = session;
    this.mark = mark;
  }

  #members: readonly ProcessState[] = [];
  #residentBytes = 0;
  /** How many processes and threads there were at the last look. */
  taskCount = 0;

  /** Takes note of all its processes at one moment. */
  note(members: readonly ProcessState[]): void {
    const byPid = new Map(members.map((member) => [member.pid, member]));
    const strays = new Map<string, number>();
    let ticks = 0;
    let pages = 0;
    for (const member of members) {
      const own = member.ownTicks + member.waitedTicks;
      ticks += own;
      pages += member.residentPages;
      const root = rootOf(member, byPid);
      if (root.parent === this.session) continue;
      const key = `${root.pid} ${root.startTicks}`;
      strays.set(key, (strays.get(key) ?? 0) + own);
    }
    for (const [key, own] of strays) this.#strays.set(key, Math.max(own, this.#strays.get(key) ?? 0));
    this.#members = members;
    this.#residentBytes = pages * pageBytes();
    this.taskCount = members.reduce((count, { threadCount }) => count + threadCount, 0);
    this.#seenTicks = Math.max(this.#seenTicks, ticks);
    this.#peakBytes = Math.max(this.#peakBytes, this.#residentBytes);
    // Between two looks one of them may have had more: the kernel remembers that of each.
    for (const { pid } of members) this.#peakBytes = Math.max(this.#peakBytes, peakBytesOf(pid));
    this.#wasSeen ||= members.length > 0;
  }

  /**
   * Whether its processes have more than so much memory together. Pages of programs and other files count for none: many
   * processes share them, and the kernel can take them back.
   */
  hasMoreThan(bytes: number): boolean {
    // The sum that is known already is never the smaller one.
    if (this.#residentBytes <= bytes) return false;
    return this.#members.reduce((sum, { pid }) => sum + privateBytesOf(pid), 0) > bytes;
  }

  /** @param waitedMs Processor time of all that its helper has waited for; null when that is not known. */
  usage(waitedMs: number | null): Usage {
    let strayTicks = 0;
    for (const ticks of this.#strays.values()) strayTicks += ticks;
    const cpuMs = waitedMs === null ? this.#seenTicks * TICK_MS : waitedMs + strayTicks * TICK_MS;
    return {
      ...(this.#peakBytes > 0 && { peakMemoryBytes: this.#peakBytes }),
      ...((waitedMs !== null || this.#wasSeen) && { cpuMs }),
    };
  }
}

/** The oldest of a process's forebears that is in the attempt as well. */
function rootOf(member: ProcessState, byPid: ReadonlyMap<number, ProcessState>): ProcessState {
  let root = member;
  // No longer than there are processes: a pid that was given out anew meanwhile could close a circle.
  for (let step = 0; step < byPid.size; step++) {
    const parent = byPid.get(root.parent);
    if (parent === undefined) break;
    root = parent;
  }
  return root;
}
