import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';

/** How long what was left behind may take to end in good order. Milliseconds. */
const LEFT_BEHIND_GRACE_MS = 200;
const LOOK_MS = 10;

/** What tells a process from a later one of the same pid. */
export interface ProcessIdentity {
  readonly pid: number;
  /** Clock ticks between boot and the process's start; null where /proc cannot say. */
  readonly startTicks: number | null;
  readonly bootId: string | null;
}

/** Who a pid is now. */
export function identityOf(pid: number): ProcessIdentity {
  return { pid, startTicks: startTicksOf(pid), bootId: bootId() };
}

/** Whether that very process is still there (as a zombie it is not). */
export function isAlive({ pid, startTicks, bootId: boot }: ProcessIdentity): boolean {
  if (boot !== bootId()) return false;
  const fields = statOf(pid);
  if (fields === null) return startTicks === null && signal(pid, 0);
  return fields[0] !== 'Z' && Number(fields[19]) === startTicks;
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

/** Whether anything of the group may be left: a corpse that nobody has buried yet counts, too. */
export const isGroupAlive = (pid: number): boolean => signal(-pid, 0);

/** Ends what a command left behind in its group: in good order, then not. How many there were. */
export async function endGroup(pid: number): Promise<number> {
  const count = groupMembers(pid).length;
  if (count === 0) return 0;
  signal(-pid, 'SIGTERM');
  for (let waited = 0; waited < LEFT_BEHIND_GRACE_MS && groupMembers(pid).length > 0; waited += LOOK_MS)
    await delay(LOOK_MS);
  signal(-pid, 'SIGKILL');
  return count;
}

/** Ends, at once, every process that bears the attempt's id in its environment: also those that left its group. */
export function endEscapees(attempt: string): number {
  const mark = `GANTRY_ATTEMPT_ID=${attempt}\0`;
  let count = 0;
  for (const pid of pids()) {
    if (pid === process.pid || !environmentOf(pid).includes(mark)) continue;
    if (signal(pid, 'SIGKILL')) count++;
  }
  return count;
}

function groupMembers(group: number): readonly number[] {
  return pids().filter((pid) => Number(statOf(pid)?.[2]) === group && statOf(pid)?.[0] !== 'Z');
}

function pids(): readonly number[] {
  try {
    return readdirSync('/proc').flatMap((name) => (/^\d+$/.test(name) ? [Number(name)] : []));
  } catch {
    return [];
  }
}

function environmentOf(pid: number): string {
  try {
    return `${readFileSync(`/proc/${pid}/environ`, 'latin1')}\0`;
  } catch {
    return '';
  }
}

/** The fields of /proc/<pid>/stat from the third (the state) on: the second may hold blanks and brackets. */
function statOf(pid: number): readonly string[] | null {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'latin1');
    return text.slice(text.lastIndexOf(')') + 2).split(' ');
  } catch {
    return null;
  }
}

const startTicksOf = (pid: number): number | null => {
  const fields = statOf(pid);
  return fields === null ? null : Number(fields[19]);
};

let boot: string | null | undefined;
function bootId(): string | null {
  if (boot === undefined) {
    try {
      boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
    } catch {
      boot = null;
    }
  }
  return boot;
}
