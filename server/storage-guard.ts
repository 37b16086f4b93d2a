import { randomFillSync } from 'node:crypto';
import { open, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from './clock.ts';
import { diskLevel, spaceOf, spaceText, type DiskLevel } from './disk-space.ts';
import type { Service } from './lifecycle.ts';
import type { Logger } from './log.ts';

/** Between two looks. Milliseconds. */
const LOOK_MS = 2_000;
/** The ballast is set aside when a server has stood for a while, and not while it starts. Milliseconds. */
const BALLAST_AFTER_MS = 60_000;
/** The disk has plenty when it has so many times the ballast. */
const PLENTY = 20;
const PIECE_BYTES = 1 << 20;
const BALLAST_FILE = 'ballast';

export interface StorageGuardOptions {
  /** Where the database is. */
  readonly folder: string;
  /** Percent of the disk that should be free; 0 for no guard. */
  readonly percent: number;
  /** Bytes to set aside; 0 for none. */
  readonly ballastBytes: number;
  readonly clock: Clock;
  readonly log: Logger;
  /** Makes the database give back what it needs no longer. */
  makeRoom(): Promise<void>;
}

/**
 * Watches the disk of a database that is a file. In an emergency it sets the ballast free – a full disk takes no
 * deletion either, for that is written first – and has new runs refused until there is room again; what runs goes on.
 */
export class StorageGuard implements Service {
  readonly #options: StorageGuardOptions;
  #level: DiskLevel = 'OK';
  #isSaving = false;
  #text = '';
  #ending: AbortController | null = null;
  #watching: Promise<void> | null = null;

  constructor(options: StorageGuardOptions) {
    this.#options = options;
  }

  /** Why no new run is taken in; null while there is room. */
  get problem(): string | null {
    if (!this.#isSaving) return null;
    return `The disk of the server’s database is full: ${this.#text}. Free space on it: runs are taken in again by themselves.`;
  }

  async start(): Promise<void> {
    if (this.#ending !== null || this.#options.percent === 0) return;
    this.#ending = new AbortController();
    await this.look();
    this.#watching = this.#watch(this.#ending.signal);
  }

  async stop(): Promise<void> {
    this.#ending?.abort();
    await this.#watching;
    this.#ending = null;
    this.#watching = null;
  }

  /** Looks once, and does what is due. */
  async look(): Promise<void> {
    const { folder, percent, log } = this.#options;
    const space = await spaceOf(folder).catch(() => null);
    if (space === null) return;
    const before = this.#level;
    this.#level = diskLevel(space, percent, before);
    this.#text = spaceText(space);
    if (this.#level !== before && (this.#level === 'LOW' || this.#level === 'FULL'))
      log.warn({ folder }, `The disk of the database is nearly full: ${this.#text}.`);
    const hadRoom = !this.#isSaving;
    if (this.#level === 'EMERGENCY') this.#isSaving = true;
    // What the ballast has set free is for cleaning up: only room that somebody has made ends the emergency.
    else if (this.#level !== 'FULL') this.#isSaving = false;
    if (this.#isSaving && hadRoom) {
      log.error({ folder }, `The disk of the database is full: no new runs are taken in. ${this.#text}.`);
      await this.#save();
    }
    if (!this.#isSaving && !hadRoom) log.info({ folder }, `The disk of the database has room again: ${this.#text}.`);
  }

  async #save(): Promise<void> {
    const { folder, log, makeRoom } = this.#options;
    await rm(join(folder, BALLAST_FILE), { force: true }).catch((error: unknown) =>
      log.warn({ err: error }, 'The ballast could not be removed.'),
    );
    await makeRoom().catch((error: unknown) => log.warn({ err: error }, 'The database could not give back room.'));
  }

  async #watch(signal: AbortSignal): Promise<void> {
    const { clock, log, folder } = this.#options;
    const since = clock.monotonic();
    while (!signal.aborted) {
      await clock.sleep(LOOK_MS, signal).catch(() => undefined);
      if (signal.aborted) return;
      await this.look();
      if (clock.monotonic() - since < BALLAST_AFTER_MS) continue;
      await this.#setBallastAside(signal).catch(async (error: unknown) => {
        log.warn({ err: error }, 'No ballast could be set aside.');
        await rm(join(folder, BALLAST_FILE), { force: true }).catch(() => undefined);
      });
    }
  }

  /** Writes the ballast, piece by piece, where there is none and the disk has plenty. */
  async #setBallastAside(signal: AbortSignal): Promise<void> {
    const { folder, ballastBytes } = this.#options;
    if (ballastBytes === 0 || this.#isSaving) return;
    const path = join(folder, BALLAST_FILE);
    const size = await stat(path).then(
      (found) => found.size,
      () => 0,
    );
    if (size >= ballastBytes || (await spaceOf(folder)).free < PLENTY * ballastBytes) return;
    // Noise, which no file system packs.
    const piece = randomFillSync(Buffer.allocUnsafe(PIECE_BYTES));
    const file = await open(path, 'a', 0o600);
    try {
      for (let written = size; written < ballastBytes && !signal.aborted; written += piece.length)
        await file.write(piece, 0, Math.min(piece.length, ballastBytes - written));
    } finally {
      await file.close();
    }
  }
}
