import { readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as z from 'zod';
import { readRecords } from './agent/journal.ts';
import { parseAttemptId, type RunId } from './domain/ids.ts';
import type { DatabaseFacts, DatabaseIdentity } from './store/identity.ts';

/** Notes in the data folder which database belongs to it. */
const RECORD = 'database.json';

const recordSchema = z.object({
  /** The id of the database that the folder's server used last. */
  databaseId: z.string(),
  /** How far it had come, by pool (DatabaseIdentity.epochs). */
  epochs: z.record(z.string(), z.number()),
  /** When it was restored from a backup into this folder; null when it never was. Milliseconds since the epoch. */
  restoredAt: z.number().nullable(),
});
export type FolderRecord = z.infer<typeof recordSchema>;

/** The data folder and the database do not belong together: to serve would lose or repeat work. */
export class FolderMismatch extends Error {
  override readonly name = 'FolderMismatch';
  readonly remedy: string;

  constructor(message: string, remedy: string) {
    super(message);
    this.remedy = remedy;
  }
}

/**
 * Checks that the data folder and the database belong together, before anything is done with either: that the database
 * is no copy that was made while a server wrote to it, no older state of itself, and that it knows the work that the
 * node's journal has open. Rejects with FolderMismatch, which says what to do.
 *
 * @param isLocal Whether the database is a file that only this folder's server uses.
 */
export async function checkFolderMatch(dataDir: string, database: DatabaseFacts, isLocal: boolean): Promise<void> {
  const identity = await database.read();
  const record = await readFolderRecord(dataDir);
  const isKnown = record !== null && record.databaseId === identity.id;
  if (isLocal && !isKnown && identity.state === 'OPEN') {
    throw new FolderMismatch(
      `The database does not belong to the data folder ${dataDir}: it was copied while a server had it open, so what that server wrote last is missing.`,
      'Copy databases with `gantry backup` and `gantry restore`. To serve what the copy holds, run `gantry doctor --accept-copy`.',
    );
  }
  if (isKnown) checkAge(record, identity, dataDir);
  const missing = await unknownAttempts(dataDir, database, identity, record);
  if (missing.count > 0) {
    throw new FolderMismatch(
      `The database does not know the work of the data folder ${dataDir}: the node's journal has ${missing.count} attempts open whose runs are not in it, such as ${missing.example}.`,
      'Start with the database that belongs to the folder, restore a backup with `gantry restore`, or use an empty data folder.',
    );
  }
}

/** Notes that the folder belongs to the database as it is now. */
export async function keepFolderRecord(
  dataDir: string,
  database: DatabaseFacts,
  restoredAt: number | null = null,
): Promise<void> {
  const { id, epochs } = await database.read();
  const before = await readFolderRecord(dataDir);
  const isSame = before?.databaseId === id;
  await writeFolderRecord(dataDir, {
    databaseId: id,
    epochs,
    restoredAt: restoredAt ?? (isSame ? before.restoredAt : null),
  });
}

function checkAge({ epochs }: FolderRecord, identity: DatabaseIdentity, dataDir: string): void {
  for (const [pool, epoch] of Object.entries(epochs)) {
    if ((identity.epochs[pool] ?? 0) >= epoch) continue;
    throw new FolderMismatch(
      `The database is an older copy: the data folder ${dataDir} was last used with a later state of it (pool ${pool}: term ${epoch}; the database is at ${identity.epochs[pool] ?? 0}).`,
      'Put the newest state back, or restore a backup with `gantry restore`, which tells the node what no longer counts.',
    );
  }
}

/** The attempts that the node's journal has open and that the database, at its newest event, did not know yet. */
async function unknownAttempts(
  dataDir: string,
  database: DatabaseFacts,
  { lastEventAt }: DatabaseIdentity,
  record: FolderRecord | null,
): Promise<{ readonly count: number; readonly example: string }> {
  const open = await openAttempts(join(dataDir, 'node', 'journal'));
  const suspects: { readonly attempt: string; readonly run: RunId }[] = [];
  for (const [attempt, acceptedAt] of open) {
    // What was restored does not know what came after its backup: the agent is told to stop that.
    if (acceptedAt <= (record?.restoredAt ?? -Infinity)) continue;
    // A run that has ended may have been deleted; then the database has gone on since.
    if (lastEventAt !== null && lastEventAt > acceptedAt) continue;
    const id = parseAttemptId(attempt as never);
    if (id !== null) suspects.push({ attempt, run: id.run });
  }
  const known = await database.knownRuns([...new Set(suspects.map(({ run }) => run))]);
  const found = suspects.filter(({ run }) => !known.has(run));
  return { count: found.length, example: found[0]?.attempt ?? '' };
}

/** When each open attempt was accepted, by id. */
async function openAttempts(path: string): Promise<ReadonlyMap<string, number>> {
  const open = new Map<string, number>();
  const content = await readFile(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return Buffer.alloc(0);
    throw error;
  });
  for (const { at, accept, forget } of readRecords(content).records) {
    for (const [attempt] of accept) open.set(attempt, at);
    for (const attempt of forget) open.delete(attempt);
  }
  return open;
}

/** What the folder notes of its database; null when it notes nothing that can be read. */
export async function readFolderRecord(dataDir: string): Promise<FolderRecord | null> {
  try {
    return recordSchema.safeParse(JSON.parse(await readFile(join(dataDir, RECORD), 'utf8'))).data ?? null;
  } catch {
    return null;
  }
}

async function writeFolderRecord(dataDir: string, record: FolderRecord): Promise<void> {
  const path = join(dataDir, RECORD);
  // Whole or not at all: half a record would make the folder a stranger to its database.
  await writeFile(`${path}.new`, `${JSON.stringify(record, null, 2)}\n`, { mode: 0o600, flush: true });
  await rename(`${path}.new`, path);
}
