import { closeSync, existsSync, openSync, readdirSync, readFileSync, readSync } from 'node:fs';

/** What tells a process from a later one of the same pid, also after the machine was started anew. */
export interface ProcessIdentity {
  readonly pid: number;
  readonly bootId: string;
  /** Clock ticks from the boot to its start. */
  readonly startTicks: number;
}

/** What /proc/<pid>/stat says of a process that is there. */
export interface ProcessState {
  readonly pid: number;
  readonly group: number;
  readonly session: number;
  readonly startTicks: number;
  readonly parent: number;
  /** Its own time on processors. Clock ticks. */
  readonly ownTicks: number;
  /** That of its children that have ended and were waited for, and of theirs. Clock ticks. */
  readonly waitedTicks: number;
  readonly residentPages: number;
  readonly threadCount: number;
}

/** A clock tick of /proc, whatever the kernel's own: USER_HZ is 100 on every machine that Node runs on. Milliseconds. */
export const TICK_MS = 10;

/** What is read at once from /proc. */
const content = Buffer.alloc(1_024);

/** Which boot of the machine this is. */
export const bootId = readFileOnce('/proc/sys/kernel/random/boot_id');

/** Whether that very process is still there; as a zombie it is not. */
export function isAlive({ pid, bootId: boot, startTicks }: ProcessIdentity): boolean {
  return boot === bootId() && stateOf(pid)?.startTicks === startTicks;
}

/** Signals a process, or with a negative pid its group. False when there is none. */
export function signal(pid: number, name: NodeJS.Signals | 0): boolean {
  try {
    process.kill(pid, name);
    return true;
  } catch {
    return false;
  }
}

/** What a process is now; null when it has gone, or is but a zombie. */
export function stateOf(pid: number): ProcessState | null {
  let descriptor: number | null = null;
  try {
    // At the end of a short command this is done for every process that runs beside it: readFileSync takes twice as long.
    descriptor = openSync(`/proc/${pid}/stat`, 'r');
    const text = content.toString('latin1', 0, readSync(descriptor, content, 0, content.length, 0));
    // The second field is its name, in brackets, and may hold blanks and brackets.
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
    if (fields[0] === 'Z' || fields[0] === 'X') return null;
    return {
      pid,
      parent: Number(fields[1]),
      group: Number(fields[2]),
      session: Number(fields[3]),
      ownTicks: Number(fields[11]) + Number(fields[12]),
      waitedTicks: Number(fields[13]) + Number(fields[14]),
      threadCount: Number(fields[17]),
      startTicks: Number(fields[19]),
      residentPages: Number(fields[21]),
    };
  } catch {
    return null;
  } finally {
    if (descriptor !== null) closeSync(descriptor);
  }
}

/** Whether a process has all of these (`NAME=value`) in the environment that it was started with. */
export function hasInEnvironment(pid: number, marks: readonly string[]): boolean {
  const environment = environmentOfProcess(pid);
  return marks.every((mark) => environment.includes(`\0${mark}\0`));
}

/** What a process was started with: `NAME=value`, a NUL before and behind each; empty when it cannot be known. */
export function environmentOfProcess(pid: number): string {
  try {
    return `\0${readFileSync(`/proc/${pid}/environ`, 'utf8')}\0`;
  } catch {
    return '';
  }
}

/** With what words a process was started, each with a NUL behind it; empty when it is gone. */
export function commandLineOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
  } catch {
    return '';
  }
}

/** Whether it is a process, and not one of another's threads, which have pids of the same kind. */
export function isProcess(pid: number): boolean {
  try {
    return readFileSync(`/proc/${pid}/status`, 'latin1').includes(`\nTgid:\t${pid}\n`);
  } catch {
    return false;
  }
}

/** Every process there is. */
export function allPids(): readonly number[] {
  try {
    return readdirSync('/proc').flatMap((name) => (name[0]! <= '9' ? [Number(name)] : []));
  } catch {
    return [];
  }
}

/** The most that a process has had resident so far; 0 when it is gone. Bytes. */
export function peakBytesOf(pid: number): number {
  try {
    const match = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'));
    return Number(match?.[1] ?? 0) * 1_024;
  } catch {
    return 0;
  }
}

/** What a process has resident that is no file's and not shared with others; 0 when it is gone. Bytes. */
export function privateBytesOf(pid: number): number {
  try {
    const [, resident, shared] = readFileSync(`/proc/${pid}/statm`, 'latin1').split(' ');
    return (Number(resident) - Number(shared)) * pageBytes();
  } catch {
    return 0;
  }
}

/** What a page of memory takes. Bytes. */
export function pageBytes(): number {
  return (page ??= Number(/^KernelPageSize:\s+(\d+) kB$/m.exec(readSmaps())?.[1] ?? 4) * 1_024);
}
let page: number | null = null;
function readSmaps(): string {
  try {
    return readFileSync('/proc/self/smaps', 'latin1');
  } catch {
    return '';
  }
}

let loadavg: number | null = null;

/** The pid that was given out last; null when this kernel does not say. Costs one system call. */
export function lastPid(): number | null {
  try {
    loadavg ??= openSync('/proc/loadavg', 'r');
    const length = readSync(loadavg, content, 0, content.length, 0);
    const pid = Number(content.toString('latin1', content.lastIndexOf(' ', length - 2) + 1, length));
    return pid > 0 ? pid : null;
  } catch {
    return null;
  }
}

/** So many pids are tried one by one; beyond, the table is listed. */
const TRIED_ONE_BY_ONE = 256;

/** Processes that were started after `from` was the last pid; all when that cannot be known. */
export function pidsSince(from: number | null): readonly number[] {
  const to = lastPid();
  // Pids start anew when they have reached the kernel's limit.
  if (from === null || to === null || to < from) return allPids();
  if (to - from > TRIED_ONE_BY_ONE) return allPids().filter((pid) => pid > from && pid <= to);
  const found: number[] = [];
  for (let pid = from + 1; pid <= to; pid++) if (existsSync(`/proc/${pid}`)) found.push(pid);
  return found;
}

function readFileOnce(path: string): () => string {
  let known: string | null = null;
  return () => (known ??= readFileSync(path, 'latin1').trim());
}
