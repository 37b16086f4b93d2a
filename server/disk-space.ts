import { statfsSync } from 'node:fs';
import { statfs } from 'node:fs/promises';

/** How much of a disk is left. Bytes. */
export interface DiskSpace {
  readonly free: number;
  readonly size: number;
}

/** Whether there is room: from LOW on an operator is warned, from FULL on no new work is taken in, EMERGENCY saves what can be saved. */
export type DiskLevel = 'OK' | 'LOW' | 'FULL' | 'EMERGENCY';

/** On a large disk a tenth is plenty: less than so much must be left before it counts as full. Bytes. */
const ENOUGH = 2 * 1_024 ** 3;
/** A level is left only when there is so much more room, so that it does not come and go with every file. */
const SLACK = 1.1;

/** What a user may take of the disk that a folder is on. Rejects when that cannot be said. */
export async function spaceOf(folder: string): Promise<DiskSpace> {
  const { bavail, blocks, bsize } = await statfs(folder);
  return { free: bavail * bsize, size: blocks * bsize };
}

/** As `spaceOf`, at once. Throws when it cannot be said. */
export function spaceNowOf(folder: string): DiskSpace {
  const { bavail, blocks, bsize } = statfsSync(folder);
  return { free: bavail * bsize, size: blocks * bsize };
}

/**
 * The level of a disk: FULL below `percent` of it, or below 2 GiB where that is less; LOW below one and a half of that,
 * EMERGENCY below half of it. 0 percent turns it off.
 *
 * @param before The level until now, which is kept while the free space is only just above its mark.
 */
export function diskLevel({ free, size }: DiskSpace, percent: number, before: DiskLevel = 'OK'): DiskLevel {
  const full = Math.min((size * percent) / 100, ENOUGH);
  const isBelow = (mark: number, level: DiskLevel): boolean =>
    free < mark * (LEVELS.indexOf(before) >= LEVELS.indexOf(level) ? SLACK : 1);
  if (isBelow(full / 2, 'EMERGENCY')) return 'EMERGENCY';
  if (isBelow(full, 'FULL')) return 'FULL';
  return isBelow(full * 1.5, 'LOW') ? 'LOW' : 'OK';
}
const LEVELS: readonly DiskLevel[] = ['OK', 'LOW', 'FULL', 'EMERGENCY'];

const UNITS = ['bytes', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'];

/** `1.5 GiB of 40 GiB are free`. */
export const spaceText = ({ free, size }: DiskSpace): string => `${bytesText(free)} of ${bytesText(size)} are free`;

function bytesText(bytes: number): string {
  const power = bytes < 1 ? 0 : Math.min(Math.floor(Math.log2(bytes) / 10), UNITS.length - 1);
  const amount = bytes / 1_024 ** power;
  return `${amount < 10 && power > 0 ? amount.toFixed(1) : Math.round(amount)} ${UNITS[power]}`;
}
