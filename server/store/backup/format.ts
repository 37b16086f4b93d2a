import * as z from 'zod';
import type { Cell } from '../dialect/snapshot.ts';

/*
 * A backup is a Zstandard stream of lines of JSON: a header; for each table a line that names its columns, a line per
 * batch of rows and a line that counts them; and a footer with the SHA-256 of all lines before it. It names no dialect,
 * so that a backup of SQLite can be restored into MySQL and the other way round.
 */

/** Of this format; a reader refuses a higher one. */
export const BACKUP_FORMAT = 1;

/** The file is damaged, incomplete, or no backup at all. */
export class InvalidBackup extends Error {
  override readonly name = 'InvalidBackup';
}

const whole = z.number().int().nonnegative();
const name = z.string().regex(/^[a-z_]{1,64}$/);

export const headerSchema = z.object({
  gantryBackup: whole,
  /** The version of Gantry that wrote it. */
  version: z.string(),
  /** The last migration of the database that it was taken from. */
  migration: whole,
  dialect: z.enum(['SQLite', 'MySQL']),
  databaseId: z.string(),
  takenAt: whole,
  /** By table: the number that the database counted up to last. Numbers are never given twice, also after a restore. */
  counters: z.record(name, whole),
});
export type BackupHeader = z.infer<typeof headerSchema>;

const cell = z.union([z.string(), z.number(), z.null(), z.object({ base64: z.base64() }).strict()]);
type WrittenCell = z.infer<typeof cell>;

export const lineSchema = z.union([
  z.object({ table: name, columns: z.array(name).min(1) }).strict(),
  z.object({ rows: z.array(z.array(cell)) }).strict(),
  z.object({ end: name, count: whole }).strict(),
  z.object({ complete: z.literal(true), sha256: z.string() }).strict(),
]);
export type BackupLine = z.infer<typeof lineSchema>;

export const writtenCell = (value: Cell): WrittenCell =>
  value instanceof Uint8Array ? { base64: Buffer.from(value).toString('base64') } : value;

export const cellOf = (value: WrittenCell): Cell =>
  typeof value === 'object' && value !== null ? Buffer.from(value.base64, 'base64') : value;
