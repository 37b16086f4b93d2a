import { type FileHandle, mkdir, open, readFile, rename } from 'node:fs/promises';
import { dirname } from 'node:path';
import { crc32 } from 'node:zlib';
import type { Json } from '@gantry/plugin-kit/vocabulary';
import * as z from 'zod';
import type { AttemptSpec } from '../domain/effect.ts';
import type { AttemptId } from '../domain/ids.ts';
import type { AttemptReport } from '../domain/input.ts';

/** The file is written anew when it has grown to this. Bytes. */
const COMPACT_AT = 32 * 1024 * 1024;
const HEADER_BYTES = 8;

/** What a restart must know of an attempt. Its config, environment and inputs are the server's to keep. */
export interface JournaledAttempt {
  readonly attempt: AttemptId;
  readonly runner: string;
  readonly taskKey: string;
  readonly timeoutMs: number | null;
  readonly killGraceMs: number;
  readonly acceptedAt: number;
  /** What its runner asked to be kept (`checkpoint`); undefined before. */
  handle?: Json;
  /** How it ended; undefined while it may still run. */
  end?: AttemptReport;
}

/** Attempt id, runner, task key, timeout, kill grace. Kept short: there may be thousands in a record. */
const accepted = z.tuple([z.string(), z.string(), z.string(), z.number().nullable(), z.number()]);
type Accepted = z.infer<typeof accepted>;
/** One record: what one flush announced. Any member may be missing. */
const recordSchema = z.object({
  at: z.number(),
  accept: z.array(accepted).optional(),
  checkpoint: z.array(z.tuple([z.string(), z.json()])).optional(),
  end: z.array(z.looseObject({ attempt: z.string(), state: z.string(), at: z.number() })).optional(),
  forget: z.array(z.string()).optional(),
});
type JournalRecord = z.infer<typeof recordSchema>;

/**
 * The agent's memory over restarts: an append-only file of records, each with its length and CRC-32. What must be
 * there before something is done is flushed first (I5); the rest rides along with the next flush. A torn tail, which a
 * crash may leave, is cut off.
 */
export class Journal {
  readonly #path: string;
  #file: FileHandle;
  #bytes: number;
  readonly #open = new Map<AttemptId, JournaledAttempt>();
  #waiting = emptyRecord(0);
  #flushing: Promise<void> | null = null;
  #next: Promise<void> | null = null;

  private constructor(path: string, file: FileHandle, bytes: number) {
    this.#path = path;
    this.#file = file;
    this.#bytes = bytes;
  }

  /** Opens the journal and reads what the agent before knew. Rejects when the file cannot be read or written. */
  static async open(path: string): Promise<{ readonly journal: Journal; readonly open: readonly JournaledAttempt[] }> {
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    const content = await readFile(path).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return Buffer.alloc(0);
      throw error;
    });
    const { records, bytes } = readRecords(content);
    const file = await open(path, bytes === content.length ? 'a' : 'r+', 0o600);
    if (bytes !== content.length) await file.truncate(bytes);
    const journal = new Journal(path, file, bytes);
    for (const record of records) journal.#remember(record);
    await journal.#compact();
    return { journal, open: [...journal.#open.values()] };
  }

  /** Resolves when it is durable that these attempts may have been started. */
  accept(specs: readonly AttemptSpec[], at: number): Promise<void> {
    this.#waiting.at = at;
    for (const { attempt, runner, taskKey, timeoutMs, killGraceMs } of specs) {
      this.#waiting.accept.push([attempt, runner, taskKey, timeoutMs, killGraceMs]);
      this.#open.set(attempt, { attempt, runner, taskKey, timeoutMs, killGraceMs, acceptedAt: at });
    }
    return this.flush();
  }

  /** Resolves when the handle is durable. */
  checkpoint(attempt: AttemptId, handle: Json): Promise<void> {
    const known = this.#open.get(attempt);
    if (!known) return Promise.resolve();
    known.handle = handle;
    this.#waiting.checkpoint.push([attempt, handle]);
    return this.flush();
  }

  /** Written with the next flush: should it be lost, the attempt's runner is asked again. */
  ended(report: AttemptReport): void {
    const known = this.#open.get(report.attempt);
    if (!known) return;
    known.end = report;
    this.#waiting.end.push(report);
  }

  /** Written with the next flush: should it be lost, the server says it again. */
  forgotten(attempt: AttemptId): void {
    if (this.#open.delete(attempt)) this.#waiting.forget.push(attempt);
  }

  /** Resolves when everything that was handed in before is durable. One flush at a time; who comes meanwhile shares the next. */
  flush(): Promise<void> {
    if (!this.#flushing) {
      this.#flushing = this.#write().finally(() => (this.#flushing = null));
      return this.#flushing;
    }
    this.#next ??= this.#flushing
      .catch(() => undefined)
      .then(() => {
        this.#next = null;
        return this.flush();
      });
    return this.#next;
  }

  async close(): Promise<void> {
    await this.flush();
    await this.#file.close();
  }

  async #write(): Promise<void> {
    const record = this.#waiting;
    if (record.accept.length + record.checkpoint.length + record.end.length + record.forget.length === 0) return;
    this.#waiting = emptyRecord(record.at);
    // The end of what has been forgotten meanwhile is of no use any more.
    if (record.end.length > 0) record.end = record.end.filter(({ attempt }) => this.#open.has(attempt));
    const bytes = encode(record);
    await this.#file.appendFile(bytes);
    this.#bytes += bytes.length;
    await this.#file.datasync();
    if (this.#bytes > COMPACT_AT) await this.#compact();
  }

  /** Writes what is still open into a new file, which takes the old one's place at once or not at all. */
  async #compact(): Promise<void> {
    const record = emptyRecord(0);
    for (const { attempt, runner, taskKey, timeoutMs, killGraceMs, acceptedAt, handle, end } of this.#open.values()) {
      record.at = Math.max(record.at, acceptedAt);
      record.accept.push([attempt, runner, taskKey, timeoutMs, killGraceMs]);
      if (handle !== undefined) record.checkpoint.push([attempt, handle]);
      if (end !== undefined) record.end.push(end);
    }
    const bytes = encode(record);
    const path = `${this.#path}.new`;
    const file = await open(path, 'w', 0o600);
    await file.writeFile(bytes);
    await file.datasync();
    await rename(path, this.#path);
    const folder = await open(dirname(this.#path));
    await folder.sync();
    await folder.close();
    await this.#file.close();
    await file.close();
    this.#file = await open(this.#path, 'a');
    this.#bytes = bytes.length;
  }

  #remember(record: JournalRecord): void {
    for (const [id, runner, taskKey, timeoutMs, killGraceMs] of record.accept ?? []) {
      const attempt = id as AttemptId;
      this.#open.set(attempt, { attempt, runner, taskKey, timeoutMs, killGraceMs, acceptedAt: record.at });
    }
    for (const [attempt, handle] of record.checkpoint ?? []) {
      const known = this.#open.get(attempt as AttemptId);
      if (known) known.handle = handle;
    }
    for (const end of record.end ?? []) {
      const known = this.#open.get(end.attempt as AttemptId);
      if (known) known.end = end as unknown as AttemptReport;
    }
    for (const attempt of record.forget ?? []) this.#open.delete(attempt as AttemptId);
  }
}

const emptyRecord = (at: number) => ({
  at,
  accept: [] as Accepted[],
  checkpoint: [] as [string, Json][],
  end: [] as AttemptReport[],
  forget: [] as string[],
});

function encode(record: unknown): Buffer {
  const text = JSON.stringify(record);
  const size = Buffer.byteLength(text);
  const bytes = Buffer.allocUnsafe(HEADER_BYTES + size);
  bytes.write(text, HEADER_BYTES);
  bytes.writeUInt32LE(size, 0);
  bytes.writeUInt32LE(crc32(bytes.subarray(HEADER_BYTES)), 4);
  return bytes;
}

/** Reads records until the first that is torn or damaged: nothing after it was ever announced as durable. */
export function readRecords(content: Buffer): { readonly records: readonly JournalRecord[]; readonly bytes: number } {
  const records: JournalRecord[] = [];
  let at = 0;
  while (at + HEADER_BYTES <= content.length) {
    const size = content.readUInt32LE(at);
    const end = at + HEADER_BYTES + size;
    if (end > content.length) break;
    const payload = content.subarray(at + HEADER_BYTES, end);
    if (crc32(payload) !== content.readUInt32LE(at + 4)) break;
    const parsed = recordSchema.safeParse(JSON.parse(payload.toString()));
    if (!parsed.success) break;
    records.push(parsed.data);
    at = end;
  }
  return { records, bytes: at };
}
