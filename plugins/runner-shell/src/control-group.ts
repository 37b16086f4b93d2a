import { readdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Limits } from './limits.ts';
import type { Usage } from './usage-meter.ts';

/** The kernel takes a moment to let go of a group whose last process has ended. */
const REMOVE_TRIES = 50;
const REMOVE_AGAIN_MS = 10;

/** What a node's control groups can limit. */
export type Controller = 'memory' | 'cpu' | 'pids';

/** The control group of one attempt: nothing that the attempt starts can leave it, short of being root. */
export interface ControlGroup {
  /** Files that a process writes 0 to in order to enter. */
  readonly doors: readonly string[];
  /** Makes it. Throws the kernel's error. */
  make(limits: Limits): void;
  /** Whether it is there. */
  exists(): boolean;
  /** The processes that are in it, and in groups that they have made below. */
  pids(): readonly number[];
  /** Ends all of them at once; what a fork has just made is not missed. */
  kill(): void;
  /** What it has taken in all. */
  usage(): Usage;
  /** How often the kernel had to end a process of it for want of memory. */
  outOfMemoryCount(): number;
  /** How often it was refused a process or thread. */
  refusedTaskCount(): number;
  /** Removes it, when all its processes have ended. Tells whether it could. */
  remove(): Promise<boolean>;
}

/** A number in a file of the kernel's; null when there is no such file, or no number in it. */
export function readNumber(folder: string, file: string): number | null {
  const value = Number.parseInt(readText(folder, file), 10);
  return Number.isNaN(value) ? null : value;
}

/** One of the numbers in a file whose lines are `name number`; null when there is none. */
export function readEntry(folder: string, file: string, name: string): number | null {
  const line = readText(folder, file)
    .split('\n')
    .find((text) => text.startsWith(`${name} `));
  return line === undefined ? null : Number(line.slice(name.length + 1));
}

export function readText(folder: string, file: string): string {
  try {
    return readFileSync(join(folder, file), 'latin1');
  } catch {
    return '';
  }
}

/** Writes one of the kernel's files that not every kernel has; false when it would not take it. */
export function tryToWrite(folder: string, file: string, value: string | number): boolean {
  try {
    writeFileSync(join(folder, file), String(value), { flag: 'r+' });
    return true;
  } catch {
    return false;
  }
}

/** The processes of a group and of all below it. */
export function pidsBelow(folder: string): readonly number[] {
  return [folder, ...groupsBelow(folder)].flatMap((group) =>
    readText(group, 'cgroup.procs')
      .split('\n')
      // 0 is a process that is not of this namespace.
      .flatMap((line) => (Number(line) > 0 ? [Number(line)] : [])),
  );
}

/** Every group below, the deepest last. */
function groupsBelow(folder: string): readonly string[] {
  try {
    return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
      const path = join(folder, entry.name);
      return entry.isDirectory() ? [path, ...groupsBelow(path)] : [];
    });
  } catch {
    return [];
  }
}

/** Removes a group and those below it; true when nothing of it is there any more. */
export async function removeGroup(folder: string): Promise<boolean> {
  for (let tries = 1; ; tries++) {
    try {
      for (const group of [...groupsBelow(folder)].reverse()) rmdirSync(group);
      rmdirSync(folder);
      return true;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return true;
      if (tries === REMOVE_TRIES) return false;
      await delay(REMOVE_AGAIN_MS);
    }
  }
}
