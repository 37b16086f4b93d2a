import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chownSync, lstatSync, mkdirSync, readdirSync, rmdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import type { User } from './user.ts';

/** Nobody but root can put anything in the way of this one. */
const DEFAULT_BASE = '/var/lib/gantry-shell';
/** What an agent that never came back has left is kept for so long. Milliseconds. */
const KEPT_MS = 24 * 60 * 60 * 1000;

const run = promisify(execFile);

/** Where the folders of a node's attempts with a user are. @param base The node's setting; the default when absent. */
export const userFoldersOf = (stateDirectory: string, base = DEFAULT_BASE): string =>
  join(base, createHash('sha256').update(stateDirectory).digest('hex').slice(0, 16));

/**
 * The folder of an attempt that runs as another user, who cannot enter the agent's own. From the moment that it is
 * handed over, everything in it may be a trap for root: nothing in it is followed, and it is emptied as that user.
 */
export class UserFolder {
  readonly path: string;
  readonly user: User;

  /** @param folders See userFoldersOf. @param name Of this attempt alone; without a slash. */
  constructor(folders: string, name: string, user: User) {
    this.path = join(folders, name);
    this.user = user;
  }

  /** Where the command starts. */
  get workdir(): string {
    return join(this.path, 'work');
  }

  /** Makes it, of root's only. Throws the system's error, also when somebody else could change what is above it. */
  make(): void {
    const folders = dirname(this.path);
    mkdirSync(folders, { recursive: true, mode: 0o711 });
    for (const folder of [dirname(folders), folders]) {
      const { uid, mode } = lstatSync(folder);
      if (!lstatSync(folder).isDirectory() || uid !== 0 || (mode & 0o022) !== 0)
        throw new Error(`${folder} is to be a folder that only root may change`);
    }
    mkdirSync(this.path, { mode: 0o700 });
    mkdirSync(this.workdir, { mode: 0o700 });
    chownSync(this.workdir, this.user.uid, this.user.gid);
  }

  /** Writes what the user may read; only before handOver. */
  write(path: string, content: string, mode: number): void {
    writeFileSync(path, content, { flag: 'wx', mode });
    chownSync(path, this.user.uid, this.user.gid);
  }

  /** Gives it to the user. */
  handOver(): void {
    chownSync(this.path, this.user.uid, this.user.gid);
  }

  /** Removes it with everything in it. What cannot be removed stays for the sweep. */
  async remove(): Promise<void> {
    const { uid, gid } = this.user;
    try {
      chownSync(this.path, uid, gid);
      await run('/bin/sh', ['-c', 'cd "$1" && rm -rf -- ./* ./.[!.]* ./..?*', 'sh', this.path], { uid, gid });
    } catch {
      // What could not be removed makes the next step fail, and is there for the sweep.
    }
    try {
      rmdirSync(this.path);
    } catch {
      // As above, or it was never made.
    }
  }
}

/** Removes what was left long ago. To be called when no command of an agent before runs any more. */
export async function sweepUserFolders(folders: string): Promise<void> {
  for (const name of namesIn(folders)) {
    const { uid, gid, mtimeMs } = lstatSync(join(folders, name));
    if (mtimeMs > Date.now() - KEPT_MS) continue;
    await new UserFolder(folders, name, { name: '', uid, gid }).remove();
  }
}

function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
