import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { pipeline } from 'node:stream/promises';
import { createZstdDecompress } from 'node:zlib';
import { migrations } from '../migrations/migrate.ts';
import {
  BACKUP_FORMAT,
  headerSchema,
  InvalidBackup,
  lineSchema,
  type BackupHeader,
  type BackupLine,
} from './format.ts';

/** What a whole, undamaged backup holds. */
export interface BackupContents {
  readonly header: BackupHeader;
  /** Rows by table. */
  readonly rows: Readonly<Record<string, number>>;
}

/** Reads a backup to its end and checks every line and the hash. Rejects with InvalidBackup. */
export async function checkBackup(path: string): Promise<BackupContents> {
  const rows: Record<string, number> = {};
  let header: BackupHeader | undefined;
  for await (const read of readBackup(path)) {
    if ('header' in read) header = read.header;
    else if ('end' in read.line) rows[read.line.end] = read.line.count;
  }
  return { header: header!, rows };
}

/**
 * The lines of a backup in their order, checked one by one: first the header, last the footer. Rejects with
 * InvalidBackup at the first that is damaged, and when the file ends too early.
 */
export async function* readBackup(
  path: string,
): AsyncIterable<{ readonly header: BackupHeader } | { readonly line: BackupLine }> {
  const refuse = (why: string) => new InvalidBackup(`${path} cannot be restored: ${why}.`);
  const hash = createHash('sha256');
  let isFirst = true;
  let table: { readonly name: string; readonly columns: number; count: number } | undefined;
  for await (const text of linesOf(path, refuse)) {
    const value = parse(text, refuse);
    if (isFirst) {
      isFirst = false;
      yield { header: headerOf(value, refuse) };
      hash.update(`${text}\n`);
      continue;
    }
    const parsed = lineSchema.safeParse(value);
    if (!parsed.success) throw refuse('one of its lines is damaged');
    const line = parsed.data;
    if ('complete' in line) {
      if (table !== undefined || line.sha256 !== hash.digest('hex')) throw refuse('its checksum is wrong');
      yield { line };
      return;
    }
    hash.update(`${text}\n`);
    if ('table' in line) table = { name: line.table, columns: line.columns.length, count: 0 };
    else if (table === undefined) throw refuse('its lines are out of order');
    else if ('rows' in line) {
      const { columns } = table;
      if (line.rows.some((row) => row.length !== columns)) throw refuse(`a row of ${table.name} has missing columns`);
      table.count += line.rows.length;
    } else {
      if (line.end !== table.name || line.count !== table.count) throw refuse(`rows of ${table.name} are missing`);
      table = undefined;
    }
    yield { line };
  }
  throw refuse(isFirst ? 'it is empty' : 'it is incomplete: its end is missing');
}

function headerOf(value: unknown, refuse: (why: string) => InvalidBackup): BackupHeader {
  const format = (value as { gantryBackup?: unknown } | null)?.gantryBackup;
  if (typeof format !== 'number') throw refuse('it is no backup that `gantry backup` wrote');
  if (format > BACKUP_FORMAT) throw refuse('a newer Gantry wrote it; restore it with that version');
  const header = headerSchema.safeParse(value);
  if (!header.success) throw refuse('its first line is damaged');
  if (header.data.migration > migrations.length) {
    throw refuse(`Gantry ${header.data.version} wrote it, which is newer than this; restore it with that version`);
  }
  return header.data;
}

async function* linesOf(path: string, refuse: (why: string) => InvalidBackup): AsyncIterable<string> {
  const file = createReadStream(path);
  const text = createZstdDecompress();
  const failed = pipeline(file, text).catch((error: NodeJS.ErrnoException) => error);
  try {
    yield* createInterface({ input: text, crlfDelay: Infinity });
  } catch {
    // Told below, with the stream's own error.
  } finally {
    file.destroy();
    text.destroy();
  }
  const error = await failed;
  if (error === undefined || error.code === 'ERR_STREAM_PREMATURE_CLOSE') return;
  throw refuse(error.code === 'ENOENT' ? 'there is no such file' : `it cannot be decompressed (${error.message})`);
}

function parse(text: string, refuse: (why: string) => InvalidBackup): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw refuse('one of its lines is damaged');
  }
}
