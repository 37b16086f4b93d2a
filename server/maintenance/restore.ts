import { randomBytes } from 'node:crypto';
import { chmod, readFile, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { createTokens, TOKEN_PREFIX, type Tokens } from '../auth/tokens.ts';
import type { Clock } from '../clock.ts';
import { takeDataFolder } from '../data-folder.ts';
import { keepFolderRecord } from '../folder-match.ts';
import { restoreBackup } from '../store/backup/restore-backup.ts';
import type { BackupContents } from '../store/backup/read-backup.ts';
import { openStore, type StoreLog } from '../store/open.ts';

const ADMIN_TOKEN_FILE = 'admin-token';

/** What was restored. */
export interface Restored extends BackupContents {
  /** Where the admin token is that was made, because the data folder had none that is good; null when it has one. */
  readonly adminTokenPath: string | null;
}

/**
 * Restores a backup into a database and makes the data folder its own. No server may run on either. What the node still
 * runs of later work, the next start stops; what the backup has under way goes on or is repeated. Rejects with
 * InvalidBackup, DatabaseInUse, DataFolderInUse or StoreUnavailable; a backup that is damaged changes nothing.
 */
export async function restore(
  path: string,
  { dataDir, databaseUrl }: { readonly dataDir: string; readonly databaseUrl: string },
  options: { readonly clock: Clock; readonly log: StoreLog; readonly replace: boolean },
): Promise<Restored> {
  const { clock } = options;
  const folder = takeDataFolder(dataDir, clock.now());
  try {
    return await restoreInto(path, { dataDir, databaseUrl }, options);
  } finally {
    folder.release();
  }
}

async function restoreInto(
  path: string,
  { dataDir, databaseUrl }: { readonly dataDir: string; readonly databaseUrl: string },
  options: { readonly clock: Clock; readonly log: StoreLog; readonly replace: boolean },
): Promise<Restored> {
  const contents = await restoreBackup(resolve(path), databaseUrl, options);
  const { clock } = options;
  const store = await openStore({ url: databaseUrl, clock, log: options.log });
  try {
    await keepFolderRecord(dataDir, store.identity, clock.now());
    const adminTokenPath = await ensureAdminToken(dataDir, createTokens(store, clock));
    await store.identity.closed();
    return { ...contents, adminTokenPath };
  } finally {
    await store.close();
  }
}

/** The path of the admin token that was made; null where the folder has one that the restored database knows. */
async function ensureAdminToken(dataDir: string, tokens: Tokens): Promise<string | null> {
  const path = join(dataDir, ADMIN_TOKEN_FILE);
  const kept = await readFile(path, 'utf8').catch(() => '');
  if ((await tokens.verify(kept.trim())) !== null) return null;
  // A backup holds hashes only.
  const secret = TOKEN_PREFIX + randomBytes(32).toString('base64url');
  await tokens.ensureAdmin(secret);
  await writeFile(path, `${secret}\n`, { mode: 0o600 });
  await chmod(path, 0o600);
  return path;
}
