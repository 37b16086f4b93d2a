import { type FileHandle, mkdir, open, readFile, rename } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Json } from '@gantry/plugin-kit/vocabulary';
import type { AttemptSpec } from '../domain/effect.ts';
import type { AttemptId } from '../domain/ids.ts';
import type { AttemptReport } from '../domain/input.ts';
import type { JournaledAttempt } from './attempt-ledger.ts';
import { encodeRecord, readRecords, type JournalRecord } from './journal-record.ts';

export { readRecords } from './journal-record.ts';

/** The file is written anew when it has grown to this, and to twice what a new one would hold. Bytes. */
const COMPACT_AT = 32 * 1024 * 1024;

/** What an agent before left behind. */
export interface OpenedJournal {
  readonly journal: Journal;
  /** The attempts that it had not forgotten. */
  readonly open: readonly JournaledAttempt[];
  /** Bytes at the end that were no whole record: a crash tore them, or a disk damaged them. */
  readonly tornBytes: number;
}

/**
 * The agent's memory over restarts: an append-only file. What must be there before something is done is flushed first
 * (I5): that attempts are accepted, which is to say that they may have been started, and checkpoints. Ends and what is
 * forgotten ride along with the next flush.
 *
 * A write that fails leaves nobody knows what in the file, and records behind that would never be read. So the next
 * flush writes the whole file anew.
 */
export class Journal {
  readonly #path: string;
  #file: FileHandle;
  #bytes = 0;
  #compactAt = COMPACT_AT;
  #isDamaged = false;
  readonly #open = new Map<AttemptId, JournaledAttempt>();
  #waiting = emptyRecord();
  #flushing: Promise<void> | null = null;
  #next: Promise<void> | null = null;

  private constructor(path: string, file: FileHandle) {
    this.#path = path;
    this.#file = file;
  }

  /** Opens a journal and reads what it holds. Rejects when the file cannot be read or written. */
  static async open(path: string): Promise<OpenedJournal> {
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    const content = await readFile(path).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return Buffer.alloc(0);
      throw error;
    });
    const { records, bytes } = readRecords(content);
    const journal = new Journal(path, await open(path, 'a', 0o600));
    for (const record of records) journal.#remember(record);
    await journal.#compact();
    return { journal, open: [...journal.#open.values()], tornBytes: content.length - bytes };
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

  /** Resolves when the handle is durable, with what a restart needs to hand to the runner. */
  checkpoint(
    attempt: AttemptId,
    handle: Json,
    spec?: Pick<AttemptSpec, 'with' | 'resources' | 'secrets'>,
  ): Promise<void> {
    const known = this.#open.get(attempt);
    if (!known) return Promise.resolve();
    known.handle = handle;
    const isNew = known.config === undefined && spec !== undefined;
    if (isNew) Object.assign(known, { config: spec.with, resources: spec.resources, secrets: spec.secrets });
    const { config, resources, secrets } = isNew ? known : {};
    this.#waiting.checkpoint.push([attempt, handle, config ?? null, resources ?? null, secrets ?? null]);
    return this.flush();
  }

  /** Written with the next flush: should it be lost, the attempt's runner is asked again. */
  ended(report: AttemptReport): void {
    const known = this.#open.get(report.attempt);
    if (!known || known.end === report) return;
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
    try {
      await this.flush();
    } finally {
      await this.#file.close();
    }
  }

  async #write(): Promise<void> {
    const record = this.#waiting;
    if (record.accept.length + record.checkpoint.length + record.end.length + record.forget.length === 0) return;
    this.#waiting = emptyRecord(record.at);
    // The end of what has been forgotten meanwhile is of no use any more.
    if (record.end.length > 0) record.end = record.end.filter(({ attempt }) => this.#open.has(attempt));
    try {
      if (this.#isDamaged) await this.#compact();
      else await this.#append(encodeRecord(record));
    } catch (error) {
      this.#isDamaged = true;
      // Whoever accepted these hears that nothing of it is durable, and does not start them.
      for (const [attempt] of record.accept) this.#open.delete(attempt as AttemptId);
      throw error;
    }
    if (this.#bytes > this.#compactAt) await this.#compact().catch(() => (this.#isDamaged = true));
  }

  async #append(bytes: Buffer): Promise<void> {
    await this.#file.appendFile(bytes);
    await this.#file.datasync();
    this.#bytes += bytes.length;
  }

  /** Writes what is still open into a new file, which takes the old one's place at once or not at all. */
  async #compact(): Promise<void> {
    const parts: Buffer[] = [];
    for (const {
      attempt,
      runner,
      taskKey,
      timeoutMs,
      killGraceMs,
      acceptedAt,
      handle,
      config,
      resources,
      secrets,
      end,
    } of this.#open.values()) {
      const record = emptyRecord(acceptedAt);
      record.accept.push([attempt, runner, taskKey, timeoutMs, killGraceMs]);
      if (handle !== undefined)
        record.checkpoint.push([attempt, handle, config ?? null, resources ?? null, secrets ?? null]);
      if (end !== undefined) record.end.push(end);
      parts.push(encodeRecord(record));
    }
    const bytes = Buffer.concat(parts);
    const path = `${this.#path}.new`;
    const file = await open(path, 'w', 0o600);
    try {
      await file.writeFile(bytes);
      await file.datasync();
      await rename(path, this.#path);
    } catch (error) {
      await file.close();
      throw error;
    }
    const former = this.#file;
    this.#file = file;
    this.#bytes = bytes.length;
    this.#compactAt = Math.max(COMPACT_AT, 2 * bytes.length);
    await former.close();
    const folder = await open(dirname(this.#path));
    try {
      await folder.sync();
    } finally {
      await folder.close();
    }
    this.#isDamaged = false;
  }

  #remember(record: JournalRecord): void {
    for (const [id, runner, taskKey, timeoutMs, killGraceMs] of record.accept) {
      const attempt = id as AttemptId;
      this.#open.set(attempt, { attempt, runner, taskKey, timeoutMs, killGraceMs, acceptedAt: record.at });
    }
    for (const [attempt, handle, config, resources, secrets] of record.checkpoint) {
      const known = this.#open.get(attempt as AttemptId);
      if (!known) continue;
      known.handle = handle;
      if (config !== null) known.config = config;
      if (resources !== null) known.resources = resources;
      if (secrets) known.secrets = secrets;
    }
    for (const end of record.end) {
      const known = this.#open.get(end.attempt as AttemptId);
      if (known) known.end = end as unknown as AttemptReport;
    }
    for (const attempt of record.forget) this.#open.delete(attempt as AttemptId);
  }
}

/** A record to be filled. */
interface OpenRecord {
  at: number;
  readonly accept: [string, string, string, number | null, number][];
  readonly checkpoint: [
    string,
    Json,
    AttemptSpec['with'] | null,
    AttemptSpec['resources'] | null,
    AttemptSpec['secrets'] | null,
  ][];
  end: AttemptReport[];
  readonly forget: string[];
}

const emptyRecord = (at = 0): OpenRecord => ({ at, accept: [], checkpoint: [], end: [], forget: [] });
