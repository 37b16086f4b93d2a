import { randomUUID } from 'node:crypto';
import { mkdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join, resolve } from 'node:path';
import { lockFile, type FileLock } from './file-lock.ts';

/** The lock, and who has it; two files, because whoever reads a locked file would free it by closing it. */
const LOCK_FILE = 'process.lock';
const HOLDER_FILE = 'process.json';
const SERVER_ID_FILE = 'server-id';

/** A data folder that belongs to this process until it ends or releases it. */
export interface DataFolder {
  /** Names this process among all that share a database. */
  readonly holder: string;
  /**
   * The names of processes that had this folder before and are certain to be dead: they ran on this machine since it
   * booted, on this very folder and not on a copy, and its lock is free. The latest first.
   */
  readonly predecessors: readonly string[];
  /** Why the holder could not be noted in the folder; null when it was. The next start then waits for the lease. */
  readonly problem: string | null;
  release(): void;
}

/** Another process has the data folder. Its message says which, and what to do. */
export class DataFolderInUse extends Error {
  override readonly name = 'DataFolderInUse';
}

/** The data folder can be neither made nor locked. */
export class DataFolderUnusable extends Error {
  override readonly name = 'DataFolderUnusable';
}

/** What a process notes of itself in its folder. */
interface Note {
  readonly holder: string;
  readonly pid: number;
  readonly host: string;
  /** When it took the folder, ISO 8601. */
  readonly since: string;
  /** Which boot of which machine, and which folder: differs in a copy of the folder. */
  readonly place: string;
  /** Those before it at this place. One may have ended before it took over the lease of the one before. */
  readonly predecessors: readonly string[];
}

/** How many predecessors are noted. */
const KEPT_PREDECESSORS = 32;

/**
 * Takes a data folder for this process, whatever the database is; makes the folder when it is missing. The operating
 * system frees it however the process ends. Throws DataFolderInUse or DataFolderUnusable.
 *
 * @param now When that is, in milliseconds since the epoch; shown to whoever finds the folder in use.
 */
export function takeDataFolder(path: string, now: number): DataFolder {
  const lock = lockFolder(path);
  const before = readNote(path);
  if (lock === null) throw new DataFolderInUse(inUse(path, before));
  const place = placeOf(path);
  const holder = `${serverId(path)}/${process.pid}-${randomUUID()}`;
  const predecessors =
    before?.place === place ? [before.holder, ...before.predecessors].slice(0, KEPT_PREDECESSORS) : [];
  const since = new Date(now).toISOString();
  return {
    holder,
    predecessors,
    problem: writeNote(path, { holder, pid: process.pid, host: hostname(), since, place, predecessors }),
    release: () => lock.release(),
  };
}

function lockFolder(path: string): FileLock | null {
  try {
    mkdirSync(path, { recursive: true, mode: 0o700 });
    return lockFile(join(path, LOCK_FILE));
  } catch (error) {
    throw new DataFolderUnusable(`The data folder ${resolve(path)} cannot be used: ${(error as Error).message}.`, {
      cause: error,
    });
  }
}

function inUse(path: string, note: Note | null): string {
  const who = note === null ? 'Another process' : `Process ${note.pid} on ${note.host}`;
  const since = note === null ? '' : ` since ${note.since}`;
  return `${who} has had the data folder ${resolve(path)}${since}. Stop it first, or choose another folder (GANTRY_DATA_DIR).`;
}

/** Null when there is none, or none that can be read: it is a help and nothing depends on it. */
function readNote(path: string): Note | null {
  try {
    const note = JSON.parse(readFileSync(join(path, HOLDER_FILE), 'utf8')) as Partial<Note> | null;
    const texts = [note?.holder, note?.host, note?.since, note?.place, ...(note?.predecessors ?? [null])];
    return texts.every((text) => typeof text === 'string') && typeof note?.pid === 'number' ? (note as Note) : null;
  } catch {
    return null;
  }
}

/** A full disk is no reason not to start: cleaning up may be why it is started. */
function writeNote(path: string, note: Note): string | null {
  const file = join(path, HOLDER_FILE);
  try {
    writeFileSync(`${file}.new`, `${JSON.stringify(note)}\n`, { mode: 0o600, flush: true });
    renameSync(`${file}.new`, file);
    return null;
  } catch (error) {
    return (error as Error).message;
  }
}

function placeOf(path: string): string {
  const { dev, ino, birthtimeNs } = statSync(path, { bigint: true });
  return `${bootId()} ${dev}:${ino}:${birthtimeNs}`;
}

function bootId(): string {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  } catch {
    return hostname();
  }
}

/** Names the folder; the same over restarts. One that could not be kept is as good until the next start. */
function serverId(path: string): string {
  const file = join(path, SERVER_ID_FILE);
  try {
    const known = readFileSync(file, 'utf8').trim();
    if (known !== '') return known;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
  const id = randomUUID();
  try {
    writeFileSync(file, id, { mode: 0o600 });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
  }
  return id;
}
