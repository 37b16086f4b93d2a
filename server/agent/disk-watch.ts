import { diskLevel, spaceNowOf, spaceOf, spaceText, type DiskLevel, type DiskSpace } from '../disk-space.ts';
import type { Failure } from '../domain/failure.ts';
import { DISK_FULL_TAINT, type Taint } from '../domain/node.ts';
import type { Logger } from '../log.ts';

/** More than a fast disk takes in a second. */
const ROOMY_BYTES = 8 * 2 ** 30;

/** Looks at the disk on which a node keeps its journal and its working folders. */
export class DiskWatch {
  readonly #folder: string;
  readonly #percent: number;
  readonly #log: Logger;
  #level: DiskLevel = 'OK';
  #isRoomy = false;
  /** How full it was when it became full. */
  #text = '';

  /** @param percent Below how much free space the node takes no work; 0 for never. */
  constructor(folder: string, percent: number, log: Logger) {
    this.#folder = folder;
    this.#percent = percent;
    this.#log = log;
  }

  /** Whether the last look found more than can be written in a second. */
  get isRoomy(): boolean {
    return this.#percent === 0 || this.#isRoomy;
  }

  /** Why nothing can be begun; null while there is room. */
  get problem(): string | null {
    return this.#isFull ? `The node’s disk is full: ${this.#text}.` : null;
  }

  /** What keeps new work away. */
  get taints(): readonly Taint[] {
    return this.#isFull ? [{ key: DISK_FULL_TAINT, value: this.#text, effect: 'NO_SCHEDULE' }] : [];
  }

  /** Looks again. True when the node has become full, or has room again. */
  async look(): Promise<boolean> {
    if (this.#percent === 0) return false;
    const space = await spaceOf(this.#folder).catch(() => null);
    this.#isRoomy = space !== null && space.free >= ROOMY_BYTES;
    if (space === null) return false;
    const wasFull = this.#isFull;
    const level = diskLevel(space, this.#percent, this.#level);
    if (level === this.#level) return false;
    this.#level = level;
    const text = spaceText(space);
    // One text for one stretch of time: what is free changes all the while, and is no news.
    if (!wasFull) this.#text = text;
    const folder = this.#folder;
    if (level === 'LOW') this.#log.warn({ folder }, `The disk of the node is nearly full: ${text}.`);
    if (this.#isFull && !wasFull)
      this.#log.error({ folder }, `The disk of the node is full, it takes no work: ${text}.`);
    if (wasFull && !this.#isFull) this.#log.info({ folder }, `The disk of the node has room again: ${text}.`);
    return wasFull !== this.#isFull;
  }

  /** The end of an attempt; one that failed while the disk was full says so. */
  blamedFor<Of extends { readonly state: string; readonly failure?: Failure }>(end: Of): Of {
    const { failure } = end;
    if (end.state !== 'FAILED' || failure?.kind !== 'APPLICATION' || this.#percent === 0) return end;
    const space = this.#spaceNow();
    if (space === null || diskLevel(space, this.#percent) !== 'EMERGENCY') return end;
    const message = `${failure.reason.message} The node’s disk is full: ${spaceText(space)}.`;
    return { ...end, failure: { ...failure, reason: { ...failure.reason, message } } };
  }

  #spaceNow(): DiskSpace | null {
    try {
      return spaceNowOf(this.#folder);
    } catch {
      return null;
    }
  }

  get #isFull(): boolean {
    return this.#level === 'FULL' || this.#level === 'EMERGENCY';
  }
}

/** Whether an error says that a disk, or a user's share of one, is full. */
export function isNoSpace(error: unknown): boolean {
  for (let at: unknown = error, depth = 0; at instanceof Error && depth < 5; at = at.cause, depth++) {
    const { code } = at as NodeJS.ErrnoException;
    if (code === 'ENOSPC' || code === 'EDQUOT') return true;
  }
  return false;
}
