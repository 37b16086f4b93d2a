import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { promisify } from 'node:util';
import type { Settings } from './settings.ts';

/** A user of this machine. */
export interface User {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
}

/** Why a command may not be run as somebody here. */
export interface UserRefused {
  /** The task's mistake, which no repetition mends; or the node's, and another may do better. */
  readonly kind: 'APPLICATION' | 'REJECTED';
  readonly code: string;
  readonly message: string;
  readonly remedy?: string;
}

/** Changes user, groups and capabilities, and becomes what it is told to; of util-linux. */
export const SETPRIV = '/usr/bin/setpriv';

const run = promisify(execFile);
const known = new Map<string, Promise<User | null>>();

/** Who a command is to be run as, if the node's operator lets it. */
export async function userOf(name: string, { users = [] }: Settings): Promise<User | UserRefused> {
  if (!users.includes(name))
    return {
      kind: 'APPLICATION',
      code: 'USER_NOT_ALLOWED',
      message: `Commands may not be run as ${name} on this node: its setting \`users\` does not name that user.`,
      remedy: 'Choose nodes that allow it by a selector, or have the node’s operator add it to runners.shell.users.',
    };
  if (process.getuid?.() !== 0)
    return {
      kind: 'REJECTED',
      code: 'NOT_ROOT',
      message: `Only an agent that is root can run commands as ${name}; this one is not.`,
    };
  if (!existsSync(SETPRIV))
    return {
      kind: 'REJECTED',
      code: 'NO_SETPRIV',
      message: `To run commands as ${name} this node needs ${SETPRIV} (util-linux).`,
    };
  let looked = known.get(name);
  if (!looked) known.set(name, (looked = lookUp(name)));
  const user = await looked;
  if (user !== null) return user;
  known.delete(name);
  return { kind: 'APPLICATION', code: 'USER_UNKNOWN', message: `The user ${name} does not exist on this node.` };
}

async function lookUp(name: string): Promise<User | null> {
  try {
    const { stdout } = await run('getent', ['passwd', name]);
    const [, , uid, gid] = stdout.trim().split(':');
    return /^\d+$/.test(uid ?? '') && /^\d+$/.test(gid ?? '') ? { name, uid: Number(uid), gid: Number(gid) } : null;
  } catch {
    return null;
  }
}

/** What becomes the user and then runs the words that follow: without capabilities, and unable to regain any. */
export const asUser = ({ uid, gid }: User): readonly string[] => [
  SETPRIV,
  `--reuid=${uid}`,
  `--regid=${gid}`,
  '--init-groups',
  '--inh-caps=-all',
  '--bounding-set=-all',
  '--no-new-privs',
  '--',
];
