import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pidsBelow, readEntry, readNumber, removeGroup, tryToWrite, type ControlGroup } from './control-group.ts';
import { quotaOf } from './control-group-2.ts';
import type { Limits } from './limits.ts';
import { signal } from './process-table.ts';
import type { Usage } from './usage-meter.ts';

/** Where a group of this attempt is in each hierarchy that there is. Two may be the same folder. */
export interface Folders {
  readonly memory?: string;
  readonly cpu?: string;
  readonly cpuacct?: string;
  readonly pids?: string;
}

/** The same group in the separate hierarchies of cgroup v1. */
export class ControlGroup1 implements ControlGroup {
  readonly #folders: Folders;
  readonly #all: readonly string[];
  readonly doors: readonly string[];

  constructor(folders: Folders) {
    this.#folders = folders;
    this.#all = [...new Set(Object.values(folders) as string[])];
    this.doors = this.#all.map((folder) => join(folder, 'cgroup.procs'));
  }

  make({ memoryBytes, cpuMillis, taskCount }: Limits): void {
    const { memory, cpu, pids } = this.#folders;
    for (const folder of this.#all) mkdirSync(folder);
    if (memoryBytes !== undefined && memory !== undefined) {
      write(memory, 'memory.limit_in_bytes', memoryBytes);
      // Memory and swap together; not on every kernel.
      tryToWrite(memory, 'memory.memsw.limit_in_bytes', memoryBytes);
    }
    // Its period is a tenth of a second until somebody writes another.
    if (cpuMillis !== undefined && cpu !== undefined) write(cpu, 'cpu.cfs_quota_us', quotaOf(cpuMillis));
    if (taskCount !== undefined && pids !== undefined) write(pids, 'pids.max', taskCount);
  }

  exists(): boolean {
    return this.#all.some((folder) => existsSync(folder));
  }

  pids(): readonly number[] {
    // A process enters one hierarchy after the other.
    return [...new Set(this.#all.flatMap(pidsBelow))];
  }

  /** There is no word for it here: whoever calls looks again until none is left. */
  kill(): void {
    for (const pid of this.pids()) signal(pid, 'SIGKILL');
  }

  usage(): Usage {
    const { memory, cpuacct } = this.#folders;
    const peakMemoryBytes = memory === undefined ? null : readNumber(memory, 'memory.max_usage_in_bytes');
    const cpuNanoseconds = cpuacct === undefined ? null : readNumber(cpuacct, 'cpuacct.usage');
    return {
      ...(peakMemoryBytes !== null && { peakMemoryBytes }),
      ...(cpuNanoseconds !== null && { cpuMs: Math.round(cpuNanoseconds / 1e6) }),
    };
  }

  outOfMemoryCount(): number {
    const { memory } = this.#folders;
    return memory === undefined ? 0 : (readEntry(memory, 'memory.oom_control', 'oom_kill') ?? 0);
  }

  refusedTaskCount(): number {
    const { pids } = this.#folders;
    return pids === undefined ? 0 : (readEntry(pids, 'pids.events', 'max') ?? 0);
  }

  async remove(): Promise<boolean> {
    return (await Promise.all(this.#all.map(removeGroup))).every(Boolean);
  }
}

function write(folder: string, file: string, value: number): void {
  writeFileSync(join(folder, file), String(value), { flag: 'r+' });
}
