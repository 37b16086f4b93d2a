import { type FileHandle, mkdir, open, readFile, rename } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Json, JsonObject, Resources } from '@gantry/plugin-kit/vocabulary';
import type { AttemptSpec } from '../domain/effect.ts';
import type { AttemptId } from '../domain/ids.ts';
import type { AttemptReport } from '../domain/input.ts';
import type { StopReason } from './attempt-end.ts';
import type { JournaledAttempt } from './journaled-attempt.ts';
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

export interface JournalOptions {
  /** Which start of the machine this is; null when it does not say. */
  readonly boot?: string | null;
  /** Whether a runner finds an attempt again by its id: then what it needs for that is kept. */
  finds?(runner: string): boolean;
  /** Told when it is durable that these are forgotten. */
  onForgotten?(attempts: readonly JournaledAttempt[]): void;
}

/**
 * The agent's memory over restarts: an append-only file. What must be there before something is done is flushed first
 * (I5): that attempts are accepted, which is to say that they may have been started, checkpoints, and stops. What is
 * forgotten rides along with the next flush, and so do ends that a runner can be asked for again.
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
  readonly #options: JournalOptions;
  readonly #open = new Map<AttemptId, JournaledAttempt>();
  #waiting: OpenRecord;
  #forgotten: JournaledAttempt[] = [];
  #flushing: Promise<void> | null = null;
  #next: Promise<void> | null = null;

  private constructor(path: string, file: FileHandle, options: JournalOptions) {
    this.#path = path;
    this.#file = file;
    this.#options = options;
    this.#waiting = emptyRecord(0, options.boot ?? null);
  }

  /** Opens a journal and reads what it holds. Rejects when the file cannot be read or written. */
  static async open(path: string, options: JournalOptions = {}): Promise<OpenedJournal> {
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    const content = await readFile(path).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return Buffer.alloc(0);
      throw error;
    });
    const { records, bytes } = readRecords(content);
    const journal = new Journal(path, await open(path, 'a', 0o600), options);
    for (const record of records) journal.#remember(record);
    await journal.#compact();
    return { journal, open: [...journal.#open.values()], tornBytes: content.length - bytes };
  }

  /** Resolves when it is durable that these attempts may have been started. */
  accept(specs: readonly AttemptSpec[], at: number): Promise<void> {
    const { boot = null, finds } = this.#options;
    this.#waiting.at = at;
    for (const { attempt, runner, taskKey, timeoutMs, killGraceMs, with: config, resources, secrets } of specs) {
      const known: JournaledAttempt = { attempt, runner, taskKey, timeoutMs, killGraceMs, acceptedAt: at, boot };
      this.#open.set(attempt, known);
      if (finds?.(runner)) Object.assign(known, { config, resources, secrets });
      this.#waiting.accept.push(acceptOf(known, this.#waiting));
    }
    return this.flush();
  }

  /** Resolves when the handle is durable, with what a restart needs to hand to the runner. */
  checkpoint(
    attempt: AttemptId,
    handle: Json,
    spec?: Pick<AttemptSpec, 'with' | 'resources' | 'secrets'>,
    startedAt?: number,
  ): Promise<void> {
    const known = this.#open.get(attempt);
    if (!known) return Promise.resolve();
    known.handle = handle;
    const isNew = known.config === undefined && spec !== undefined;
    if (isNew) Object.assign(known, { config: spec.with, resources: spec.resources, secrets: spec.secrets });
    if (startedAt !== undefined) known.startedAt ??= startedAt;
    this.#waiting.checkpoint.push(checkpointOf(known, isNew));
    return this.flush();
  }

  /** Resolves when it is durable that these may be told to stop. */
  stopped(stops: readonly { readonly attempt: AttemptId; readonly reason: StopReason }[], at: number): Promise<void> {
    for (const { attempt, reason } of stops) {
      const known = this.#open.get(attempt);
      if (!known || known.stop !== undefined) continue;
      known.stop = { reason, at };
      this.#waiting.stop.push([attempt, reason, at]);
    }
    return this.flush();
  }

  /** Written with the next flush. True when nobody else could tell it again after a restart: then flush soon. */
  ended(report: AttemptReport): boolean {
    const known = this.#open.get(report.attempt);
    if (!known || known.end === report) return false;
    known.end = report;
    this.#waiting.end.push(report);
    return known.config === undefined;
  }

  /**
   * Written with the next flush: should it be lost, the server says it again. True when a runner keeps what the attempt
   * wrote until then, and a flush should not wait for other work.
   */
  forgotten(attempt: AttemptId): boolean {
    const known = this.#open.get(attempt);
    if (!known) return false;
    this.#open.delete(attempt);
    this.#waiting.forget.push(attempt);
    this.#forgotten.push(known);
    return known.config !== undefined;
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
    const { accept, checkpoint, stop, end, forget } = record;
    if (accept.length + checkpoint.length + stop.length + end.length + forget.length === 0) return;
    const forgotten = this.#forgotten;
    this.#waiting = emptyRecord(record.at, record.boot);
    this.#forgotten = [];
    // The end of what has been forgotten meanwhile is of no use any more.
    if (record.end.length > 0) record.end = record.end.filter(({ attempt }) => this.#open.has(attempt));
    try {
      if (this.#isDamaged) await this.#compact();
      else await this.#append(encodeRecord(record));
    } catch (error) {
      this.#isDamaged = true;
      // Whoever accepted these hears that nothing of it is durable, and does not start them.
      for (const [attempt] of record.accept) this.#open.delete(attempt as AttemptId);
      // They are forgotten with the next flush, which writes everything.
      this.#waiting.forget.push(...record.forget);
      this.#forgotten = [...forgotten, ...this.#forgotten];
      throw error;
    }
    if (forgotten.length > 0) this.#options.onForgotten?.(forgotten);
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
    for (const known of this.#open.values()) {
      const record = emptyRecord(known.acceptedAt, known.boot);
      record.accept.push(acceptOf(known, record));
      if (known.handle !== undefined) record.checkpoint.push(checkpointOf(known, record.works.length === 0));
      if (known.stop !== undefined) record.stop.push([known.attempt, known.stop.reason, known.stop.at]);
      if (known.end !== undefined) record.end.push(known.end);
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
    const { at: acceptedAt, boot } = record;
    for (const [id, runner, taskKey, timeoutMs, killGraceMs, place] of record.accept) {
      const attempt = id as AttemptId;
      const known: JournaledAttempt = { attempt, runner, taskKey, timeoutMs, killGraceMs, acceptedAt, boot };
      const work = place === undefined ? undefined : record.works[place];
      if (work) Object.assign(known, { config: work[0], resources: work[1], secrets: work[2] });
      this.#open.set(attempt, known);
    }
    for (const [attempt, handle, config, resources, secrets, startedAt] of record.checkpoint) {
      const known = this.#open.get(attempt as AttemptId);
      if (!known) continue;
      known.handle = handle;
      if (config !== null) known.config = config;
      if (resources !== null) known.resources = resources;
      if (secrets) known.secrets = secrets;
      if (startedAt !== undefined) known.startedAt = startedAt;
    }
    for (const [attempt, reason, at] of record.stop) {
      const known = this.#open.get(attempt as AttemptId);
      if (known) known.stop = { reason, at };
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
  readonly boot: string | null;
  readonly works: Work[];
  readonly accept: [string, string, string, number | null, number, number?][];
  readonly checkpoint: [string, Json, ...(Work | [null, null, null]), number?][];
  readonly stop: [string, StopReason, number][];
  end: AttemptReport[];
  readonly forget: string[];
}
type Work = [JsonObject, Resources, AttemptSpec['secrets']];

const emptyRecord = (at: number, boot: string | null): OpenRecord => ({
  at,
  boot,
  works: [],
  accept: [],
  checkpoint: [],
  stop: [],
  end: [],
  forget: [],
});

/** An attempt for a record, to which its work is added, unless the one before does the same: instances of a task do. */
function acceptOf(known: JournaledAttempt, { works }: OpenRecord): OpenRecord['accept'][number] {
  const { attempt, runner, taskKey, timeoutMs, killGraceMs, config, resources = {}, secrets = [] } = known;
  if (config === undefined) return [attempt, runner, taskKey, timeoutMs, killGraceMs];
  const last = works.at(-1);
  const isSame = last?.[0] === config && last[1] === resources && last[2].length === 0 && secrets.length === 0;
  if (!isSame) works.push([config, resources, secrets]);
  return [attempt, runner, taskKey, timeoutMs, killGraceMs, works.length - 1];
}

function checkpointOf(known: JournaledAttempt, withWork: boolean): OpenRecord['checkpoint'][number] {
  const { attempt, handle = null, config, resources = {}, secrets = [], startedAt } = known;
  const work: Work | [null, null, null] = withWork && config ? [config, resources, secrets] : [null, null, null];
  return startedAt === undefined ? [attempt, handle, ...work] : [attempt, handle, ...work, startedAt];
}
