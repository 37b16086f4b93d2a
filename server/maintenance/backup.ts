import { randomBytes } from 'node:crypto';
import { mkdir, open, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import type { Writable } from 'node:stream';
import type { Clock } from '../clock.ts';
import { checkBackup, type BackupContents } from '../store/backup/read-backup.ts';
import { writeBackup, type WrittenBackup } from '../store/backup/write-backup.ts';

/** The file exists already. */
export class BackupExists extends Error {
  override readonly name = 'BackupExists';
}

export const BACKUP_SUFFIX = '.gantry-backup';

/** A file's name that says when its backup was taken: `gantry-20261129T140000Z.gantry-backup`. */
export const backupName = (now: number): string =>
  `gantry-${new Date(now).toISOString().replace(/[-:]|\.\d+/g, '')}${BACKUP_SUFFIX}`;

/** What is in a file. */
export interface BackupFile extends WrittenBackup {
  readonly path: string;
}

/**
 * Writes a backup into a file that is there whole or not at all, readable for its owner alone, and reads it back.
 * Rejects with BackupExists, StoreUnavailable, or what the file system says.
 */
export async function backUpTo(
  path: string,
  url: string,
  facts: { readonly version: string; readonly clock: Clock },
): Promise<BackupFile> {
  const target = resolve(path);
  if ((await stat(target).catch(() => null)) !== null) throw new BackupExists(`${target} exists already.`);
  await mkdir(dirname(target), { recursive: true, mode: 0o700 });
  const partial = join(dirname(target), `.${basename(target)}.${randomBytes(4).toString('hex')}.partial`);
  try {
    const file = await open(partial, 'wx', 0o600);
    const written = await writeBackup(url, file.createWriteStream({ flush: true }), {
      version: facts.version,
      now: facts.clock.now(),
    });
    // A backup that cannot be read is found out now, and not when it is needed.
    await checkBackup(partial);
    await rename(partial, target);
    await syncFolder(dirname(target));
    return { ...written, path: target };
  } catch (error) {
    await rm(partial, { force: true });
    throw error;
  }
}

/** Writes a backup into a stream. */
export const backUpInto = (
  target: Writable,
  url: string,
  facts: { readonly version: string; readonly clock: Clock },
): Promise<WrittenBackup> => writeBackup(url, target, { version: facts.version, now: facts.clock.now() });

/** Reads a backup to its end. Rejects with InvalidBackup. */
export const verifyBackup = (path: string): Promise<BackupContents> => checkBackup(resolve(path));

async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder);
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
