import { closeSync, constants, fstatSync, lstatSync, openSync, readSync } from 'node:fs';

/**
 * The content, or at most its last bytes, of a file that a command owns and may have made anything of; null when it is not there, or no plain file.
 * A link is not followed, for it might lead to what the command itself may not read, and a pipe is not waited for.
 */
export function readPlainFile(
  path: string,
  lastBytes: number,
): { readonly bytes: Buffer; readonly size: number } | null {
  let file: number;
  try {
    // It seldom is: an exception would cost ten times as much as this look.
    if (lstatSync(path, { throwIfNoEntry: false }) === undefined) return null;
    file = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW);
  } catch {
    return null;
  }
  try {
    const stat = fstatSync(file);
    if (!stat.isFile()) return null;
    const buffer = Buffer.alloc(Math.min(stat.size, lastBytes));
    const read = readSync(file, buffer, 0, buffer.length, stat.size - buffer.length);
    return { bytes: buffer.subarray(0, read), size: stat.size };
  } finally {
    closeSync(file);
  }
}
