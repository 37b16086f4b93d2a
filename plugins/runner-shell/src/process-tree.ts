import { setTimeout as delay } from 'node:timers/promises';
import type { ControlGroup } from './control-group.ts';
import { commandLineOf, hasInEnvironment, isProcess, pidsSince, signal, stateOf } from './process-table.ts';

/** How long what was left behind may take to end in good order. Milliseconds. */
const LEFT_BEHIND_GRACE_MS = 200;
const LOOK_MS = 10;
/** What still forks after so many rounds of SIGKILL forks faster than it can be found. */
const KILL_ROUNDS = 50;

/** Sessions of the helpers that run commands now: what is in one of them belongs to that one's attempt. */
export const busySessions = new Set<number>();

/** What is known of an attempt's processes: they are in its helper's session, or bear its marks. */
export interface ProcessTree {
  /** Of the environment (`NAME=value`), all together found nowhere else. */
  readonly marks: readonly string[];
  /** The helper, which leads the session and the group, and is itself none of them. */
  readonly session: number;
  /** The last pid before the first of them; null when that is not known. */
  readonly since: number | null;
  /** When that was. Milliseconds, of the monotonic clock. */
  readonly sinceMs: number;
  /** All of them are in it, once the first has entered; null when the node has none. */
  readonly group: ControlGroup | null;
  /**
   * Whether the helper has begun nothing else since: then what is in its session is another attempt's, unless it bears
   * the marks. Asked after each look. Absent where that cannot be, because its agent gives it nothing else meanwhile.
   */
  ownsSession?(): boolean;
}

/** Within so long pids cannot have gone round once, however fast processes are started. Milliseconds. */
const PID_ROUND_MS = 1_000;

/** What is left of an attempt. */
export interface Left {
  readonly members: readonly number[];
  /**
   * Whether certainly nobody has its files open: of all that was started since it began there is only what runs in the
   * sessions of others, which no process can enter, or its control group is empty.
   */
  readonly isNobodyElse: boolean;
}

/** The processes of an attempt that are there now: see leftOf. */
export const membersOf = (tree: ProcessTree): readonly number[] => leftOf(tree).members;

/**
 * What of an attempt is there now. Found are members of the session, whatever group they are in, and those that have
 * left it but kept their environment. One that did both to hide is not, but in a control group.
 */
export function leftOf(tree: ProcessTree): Left {
  const { marks, session, since, sinceMs, group } = tree;
  if (group !== null) {
    const members = group.pids().filter((pid) => stateOf(pid) !== null);
    return { members, isNobodyElse: members.length === 0 };
  }
  const members: number[] = [];
  /** Those of them that only their session speaks for. */
  const unmarked = new Set<number>();
  let isNobodyElse = true;
  // Once pids have gone round, a member may have any: a range of them says nothing.
  const isRecent = performance.now() - sinceMs < PID_ROUND_MS;
  for (const pid of pidsSince(isRecent ? since : null)) {
    const state = stateOf(pid);
    if (state === null || pid === session) continue;
    if (state.session !== session && busySessions.has(state.session)) continue;
    isNobodyElse = false;
    const isInSession = state.session === session;
    const isMarked = (!isInSession || tree.ownsSession !== undefined) && hasInEnvironment(pid, marks);
    if (!(isInSession || isMarked) || !isProcess(pid)) continue;
    members.push(pid);
    if (!isMarked) unmarked.add(pid);
  }
  // In this order: while nothing else had been begun after the look, all that it found in the session was ours.
  if (unmarked.size === 0 || (tree.ownsSession?.() ?? true)) return { members, isNobodyElse };
  return { members: members.filter((pid) => !unmarked.has(pid)), isNobodyElse };
}

/**
 * Whether the command has begun to be itself. Before, a signal that a command dies of would be lost: the shell that
 * is about to become it has a handler.
 */
export function hasBegun(tree: ProcessTree): boolean {
  const helper = commandLineOf(tree.session);
  return membersOf(tree).some((pid) => {
    const own = commandLineOf(pid);
    return own !== '' && own !== helper;
  });
}

/** Ends what a command left behind: in good order, then not. Resolves with how many there were at the least. */
export async function endMembers(tree: ProcessTree, members = membersOf(tree)): Promise<number> {
  for (const pid of members) {
    signal(pid, 'SIGTERM');
    signal(pid, 'SIGCONT');
  }
  for (let waited = 0; waited < LEFT_BEHIND_GRACE_MS; waited += LOOK_MS) {
    await delay(LOOK_MS);
    if (membersOf(tree).length === 0) return members.length;
  }
  await killMembers(tree);
  return members.length;
}

/** Ends every process of an attempt at once, also those that are started meanwhile. */
export async function killMembers(tree: ProcessTree): Promise<void> {
  for (let round = 0; round < KILL_ROUNDS; round++) {
    const members = membersOf(tree);
    if (members.length === 0) return;
    if (tree.group === null) for (const pid of members) signal(pid, 'SIGKILL');
    else tree.group.kill();
    await delay(LOOK_MS);
  }
}
