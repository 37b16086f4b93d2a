import { closeSync, constants, existsSync, openSync, readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { helperFolders, helperOf } from './journal.ts';
import { isAlive } from './process-table.ts';

/** What an agent before has left is kept for so long. Milliseconds. */
const KEPT_MS = 24 * 60 * 60 * 1000;

/** For so long the ends are held open: long enough to be noticed. Milliseconds. */
const SET_FREE_MS = 500;

/**
 * Removes what nobody will ask for any more: of helpers that are gone, and of attempts that ended long ago. Returns
 * whether a helper is still there, with its command.
 *
 * @param keptMs For so long what is left is kept; Infinity to remove nothing. Milliseconds.
 */
export function sweep(stateDirectory: string, keptMs = KEPT_MS): boolean {
  const before = Date.now() - keptMs;
  const folders = new Set(helperFolders(stateDirectory));
  let isAnyAlive = false;
  for (const name of folders) {
    setFree(join(stateDirectory, name));
    const helper = helperOf(join(stateDirectory, name, 'journal'));
    if (helper !== null && isAlive(helper)) isAnyAlive = true;
    else removeIfOld(join(stateDirectory, name), before);
  }
  // A silent command of an agent before may still write to its old files.
  if (isAnyAlive) return true;
  for (const name of readdirSync(stateDirectory))
    if (!folders.has(name)) removeIfOld(join(stateDirectory, name), before);
  return false;
}

/** A helper whose agent died when it was just started waits for the other end of its jobs. When it comes and goes, it ends. */
function setFree(folder: string): void {
  const jobs = join(folder, 'jobs');
  if (!existsSync(jobs)) return;
  const end = openSync(jobs, constants.O_RDWR);
  setTimeout(() => closeSync(end), SET_FREE_MS);
}

function removeIfOld(path: string, before: number): void {
  const state = statSync(path, { throwIfNoEntry: false });
  if (state && state.mtimeMs < before) rmSync(path, { recursive: true, force: true });
}
