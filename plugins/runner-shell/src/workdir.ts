import { accessSync, constants, statSync } from 'node:fs';
import { resolve } from 'node:path';
import { failed, type Failed } from './outcome.ts';

/**
 * Where a command starts: the working folder that its task names, or its own. What is wrong with one that it names is
 * the task's mistake, whatever the system calls it.
 */
export function workdirOf(named: string | undefined, own: string): string | Failed {
  if (named === undefined) return own;
  const path = resolve(own, named);
  try {
    const state = statSync(path, { throwIfNoEntry: false });
    if (state === undefined) return refused(path, 'does not exist on this node');
    if (!state.isDirectory()) return refused(path, 'is no folder');
    accessSync(path, constants.X_OK);
    return path;
  } catch (error) {
    const { code = 'is no path' } = error as NodeJS.ErrnoException;
    return refused(path, code === 'EACCES' ? 'may not be entered by the agent' : `cannot be entered (${code})`);
  }
}

const refused = (path: string, why: string): Failed =>
  failed('APPLICATION', 'WORKDIR_NOT_FOUND', `The working folder ${path.replaceAll('\0', '\\0')} ${why}.`);
