import type { Clock } from '../clock.ts';
import { checkFolderMatch, FolderMismatch } from '../folder-match.ts';
import { inspect } from '../store/dialect/inspect.ts';
import { databaseFacts } from '../store/identity.ts';
import { checkDatabase } from './check-database.ts';
import { checkFolder } from './check-folder.ts';
import { failure, notChecked, ok, type Finding } from './finding.ts';

/** What is examined. */
export interface Patient {
  readonly dataDir: string;
  readonly databaseUrl: string;
  /** Of this Gantry. */
  readonly version: string;
}

/**
 * Examines the data folder and the database, beside a server that may be running. Changes nothing and never rejects:
 * what cannot be checked is a finding.
 *
 * @param isDeep Whether every page and index of the database is read: minutes where it is large.
 */
export async function examine(patient: Patient, clock: Clock, isDeep: boolean): Promise<readonly Finding[]> {
  const { dataDir, databaseUrl, version } = patient;
  const folder = await checkFolder(dataDir);
  const database = await checkDatabase(databaseUrl, clock, isDeep);
  const isUsable =
    [...folder, ...database].every(({ status }) => status !== 'FAILURE') &&
    database.some(({ check, status }) => check === 'version' && status === 'OK');
  return [
    ok('program', `Gantry ${version} on Node ${process.versions.node}, ${process.platform} ${process.arch}.`),
    ...folder,
    ...database,
    ...(isUsable ? [await checkMatch(patient)] : []),
  ];
}

async function checkMatch({ dataDir, databaseUrl }: Patient): Promise<Finding> {
  const check = 'match';
  try {
    const inspection = await inspect(databaseUrl);
    try {
      await checkFolderMatch(dataDir, databaseFacts(inspection.db), databaseUrl.startsWith('sqlite:'));
      return ok(check, 'The data folder and the database belong together.');
    } finally {
      await inspection.close();
    }
  } catch (error) {
    if (error instanceof FolderMismatch) return failure(check, error.message, error.remedy);
    return notChecked(check, error);
  }
}
