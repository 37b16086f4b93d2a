import { access, constants, readFile, stat, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { readRecords } from '../agent/journal.ts';
import { failure, notChecked, ok, warning, type Finding } from './finding.ts';

const GIB = 1 << 30;
/** Free space below which new work is in danger, as a share and in bytes: large disks need no tenth of themselves. */
const LITTLE = { share: 0.1, bytes: 5 * GIB };
const NONE = { share: 0.05, bytes: GIB };

/** Checks the data folder: access, permissions, free space, and the node's journal. */
export async function checkFolder(dataDir: string): Promise<readonly Finding[]> {
  const access = await checkAccess(dataDir);
  if (access.status === 'FAILURE') return [access];
  return [access, await checkSpace(dataDir), await checkJournal(dataDir)];
}

async function checkAccess(dataDir: string): Promise<Finding> {
  const check = 'data folder';
  try {
    const { mode } = await stat(dataDir);
    await access(dataDir, constants.R_OK | constants.W_OK | constants.X_OK);
    if ((mode & 0o077) !== 0) {
      return warning(
        check,
        `Other users of this machine can look into ${dataDir} (mode ${(mode & 0o777).toString(8)}).`,
        `chmod 700 ${dataDir}`,
      );
    }
    return ok(check, `${dataDir} can be read and written by its owner alone.`);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') {
      return failure(check, `There is no data folder ${dataDir}.`, 'Name it with --data-dir or GANTRY_DATA_DIR.');
    }
    return failure(check, `${dataDir} cannot be used: ${message}.`, 'Run as the user whose server it is.');
  }
}

async function checkSpace(dataDir: string): Promise<Finding> {
  const check = 'disk space';
  try {
    const { bavail, blocks, bsize } = await statfs(dataDir);
    const free = bavail * bsize;
    const share = bavail / blocks;
    const text = `${(free / GIB).toFixed(1)} GiB (${Math.floor(share * 100)} %) are free where ${dataDir} is.`;
    const isBelow = (limit: typeof LITTLE) => share < limit.share && free < limit.bytes;
    const remedy = 'Free space, shorten the retention, or move the folder to a larger disk.';
    if (isBelow(NONE)) return failure(check, text, remedy);
    return isBelow(LITTLE) ? warning(check, text, remedy) : ok(check, text);
  } catch (error) {
    return notChecked(check, error);
  }
}

async function checkJournal(dataDir: string): Promise<Finding> {
  const check = 'journal';
  try {
    const content = await readFile(join(dataDir, 'node', 'journal'));
    const { records, bytes } = readRecords(content);
    const open = new Set<string>();
    for (const { accept, forget } of records) {
      for (const [attempt] of accept) open.add(attempt);
      for (const attempt of forget) open.delete(attempt);
    }
    if (bytes === content.length)
      return ok(check, `The node's journal is whole; ${open.size} attempts are open in it.`);
    return warning(
      check,
      `The last ${content.length - bytes} bytes of the node's journal are no whole record.`,
      'The next start cuts them off. If this comes back without a crash, check the disk.',
    );
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return ok(check, 'The node has no journal yet.');
    return notChecked(check, error);
  }
}
