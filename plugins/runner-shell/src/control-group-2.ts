import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  pidsBelow,
  readEntry,
  readNumber,
  removeGroup,
  tryToWrite,
  type Controller,
  type ControlGroup,
} from './control-group.ts';
import type { Limits } from './limits.ts';
import { signal } from './process-table.ts';
import type { Usage } from './usage-meter.ts';

const PERIOD_MICROSECONDS = 100_000;
/** The kernel takes no smaller share of a period. Microseconds. */
const LEAST_QUOTA_MICROSECONDS = 1_000;

/** How much of each period so many thousandths of a processor are. Microseconds. */
export const quotaOf = (cpuMillis: number): number =>
  Math.max(LEAST_QUOTA_MICROSECONDS, Math.round((cpuMillis * PERIOD_MICROSECONDS) / 1_000));

/** A group of the unified hierarchy (cgroup v2). */
export class ControlGroup2 implements ControlGroup {
  readonly #folder: string;
  readonly #controllers: readonly Controller[];
  readonly doors: readonly string[];

  /** @param folder Below one whose controllers are passed on. */
  constructor(folder: string, controllers: readonly Controller[]) {
    this.#folder = folder;
    this.#controllers = controllers;
    this.doors = [join(folder, 'cgroup.procs')];
  }

  make({ memoryBytes, cpuMillis, taskCount }: Limits): void {
    mkdirSync(this.#folder);
    if (memoryBytes !== undefined && this.#has('memory')) {
      this.#write('memory.max', memoryBytes);
      // Or what does not fit would be swapped out. Not there on a machine without swap.
      tryToWrite(this.#folder, 'memory.swap.max', 0);
      // Half an attempt is of no use, and might wait for its other half for ever.
      tryToWrite(this.#folder, 'memory.oom.group', 1);
    }
    if (cpuMillis !== undefined && this.#has('cpu'))
      this.#write('cpu.max', `${quotaOf(cpuMillis)} ${PERIOD_MICROSECONDS}`);
    if (taskCount !== undefined && this.#has('pids')) this.#write('pids.max', taskCount);
  }

  exists(): boolean {
    return existsSync(this.#folder);
  }

  pids(): readonly number[] {
    return pidsBelow(this.#folder);
  }

  kill(): void {
    // Since Linux 5.14.
    if (tryToWrite(this.#folder, 'cgroup.kill', 1)) return;
    tryToWrite(this.#folder, 'cgroup.freeze', 1);
    for (const pid of this.pids()) signal(pid, 'SIGKILL');
    tryToWrite(this.#folder, 'cgroup.freeze', 0);
  }

  usage(): Usage {
    // Since Linux 5.19.
    const peakMemoryBytes = readNumber(this.#folder, 'memory.peak');
    const cpuMicroseconds = readEntry(this.#folder, 'cpu.stat', 'usage_usec');
    return {
      ...(peakMemoryBytes !== null && { peakMemoryBytes }),
      ...(cpuMicroseconds !== null && { cpuMs: Math.round(cpuMicroseconds / 1_000) }),
    };
  }

  outOfMemoryCount(): number {
    return readEntry(this.#folder, 'memory.events', 'oom_kill') ?? 0;
  }

  refusedTaskCount(): number {
    return readEntry(this.#folder, 'pids.events', 'max') ?? 0;
  }

  remove(): Promise<boolean> {
    return removeGroup(this.#folder);
  }

  #has(controller: Controller): boolean {
    return this.#controllers.includes(controller);
  }

  #write(file: string, value: string | number): void {
    writeFileSync(join(this.#folder, file), String(value), { flag: 'r+' });
  }
}
