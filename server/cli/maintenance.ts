import { CommandFailure } from './failure.ts';
import { EXIT_CODES } from './exit-code.ts';

/** Codes of what work on a database may be refused with, by the name of the error. */
const CODES: Readonly<Record<string, string>> = {
  BackupExists: 'BACKUP_EXISTS',
  InvalidBackup: 'INVALID_BACKUP',
  DatabaseInUse: 'DATABASE_IN_USE',
  DataFolderInUse: 'DATA_FOLDER_IN_USE',
  DataFolderUnusable: 'DATA_FOLDER_UNUSABLE',
  StoreUnavailable: 'STORE_UNAVAILABLE',
  NewerDatabase: 'NEWER_DATABASE',
  InvalidDatabaseUrl: 'INVALID_DATABASE_URL',
};

/** Does something to a database without a server, and says in a sentence what keeps it from being done. */
export async function withoutServer<Result>(work: () => Promise<Result>): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    const { name, code, message } = error as NodeJS.ErrnoException;
    const known = CODES[name] ?? (/^E[A-Z]+$/.test(code ?? '') ? code : undefined);
    if (known === undefined) throw error;
    throw new CommandFailure({ code: known, message, exitCode: EXIT_CODES.FAILED.code });
  }
}

/** Bytes as people read them: `3.4 MiB`. */
export function bytesText(bytes: number): string {
  const units = ['bytes', 'KiB', 'MiB', 'GiB', 'TiB'];
  let value = bytes;
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit++;
  }
  return `${unit === 0 ? value : value.toFixed(1)} ${units[unit]}`;
}
