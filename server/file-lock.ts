import { DatabaseSync } from 'node:sqlite';

/** SQLITE_BUSY: somebody else has the lock. */
const BUSY = 5;

/** A lock that the operating system frees however the process ends, SIGKILL included. */
export interface FileLock {
  /** May be called twice. */
  release(): void;
}

/**
 * Takes a lock that one process may hold, or returns null when another has it. Node has no `flock`, so an empty SQLite
 * database holds it, in an exclusive transaction that never ends: a record lock (fcntl) on the file, which child
 * processes do not inherit. Nothing else in this process may open the file: closing it again would free the lock.
 * Throws what SQLite throws when the file cannot be made.
 */
export function lockFile(path: string): FileLock | null {
  let database: DatabaseSync | undefined;
  try {
    const open = new DatabaseSync(path, { timeout: 0 });
    database = open;
    open.exec('PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE');
    return {
      release: () => {
        if (open.isOpen) open.close();
      },
    };
  } catch (error) {
    database?.close();
    if ((Number((error as { errcode?: unknown } | null)?.errcode) & 0xff) === BUSY) return null;
    throw error;
  }
}
