import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import type { Clock } from '../clock.ts';
import { BACKUP_SUFFIX, backupName, type BackupFile } from './backup.ts';
import type { Patient } from './doctor.ts';
import type { Finding } from './finding.ts';

/** What a thread is to do. */
export type MaintenanceJob =
  | ({ readonly type: 'BACK_UP'; readonly path: string } & Patient)
  | ({ readonly type: 'EXAMINE'; readonly isDeep: boolean } & Patient);

/** A backup in the data folder. */
export interface KeptBackup {
  readonly name: string;
  readonly bytes: number;
  /** When it was written, in milliseconds since the epoch. */
  readonly writtenAt: number;
}

/** A server's own backups and examinations: one job at a time, in a thread with a limit of memory. */
export interface Maintenance {
  /** Newest first. */
  backups(): Promise<readonly KeptBackup[]>;
  /** Writes a backup into the data folder; null while another job is under way. Rejects with what keeps it from that. */
  backUp(): Promise<KeptBackup | null>;
  /** Examines folder and database; null while another job is under way. */
  examine(): Promise<readonly Finding[] | null>;
}

const MAX_HEAP_MB = 512;

export function maintenanceOf(patient: Patient, clock: Clock): Maintenance {
  const folder = join(patient.dataDir, 'backups');
  let isBusy = false;
  const alone = async <Result>(job: MaintenanceJob): Promise<Result | null> => {
    if (isBusy) return null;
    isBusy = true;
    try {
      return await inThread<Result>(job);
    } finally {
      isBusy = false;
    }
  };
  return {
    async backups() {
      const names = await readdir(folder).catch(() => []);
      const kept = await Promise.all(
        names
          .filter((name) => name.endsWith(BACKUP_SUFFIX) && !name.startsWith('.'))
          .map(async (name) => {
            const { size, mtimeMs } = await stat(join(folder, name));
            return { name, bytes: size, writtenAt: Math.round(mtimeMs) };
          }),
      );
      return kept.sort((a, b) => b.writtenAt - a.writtenAt);
    },
    async backUp() {
      const name = backupName(clock.now());
      const written = await alone<BackupFile>({ type: 'BACK_UP', path: join(folder, name), ...patient });
      return written && { name, bytes: written.bytes, writtenAt: written.header.takenAt };
    },
    examine: () => alone({ type: 'EXAMINE', isDeep: false, ...patient }),
  };
}

function inThread<Result>(job: MaintenanceJob): Promise<Result> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL('./maintenance-worker.ts', import.meta.url), {
      workerData: job,
      resourceLimits: { maxOldGenerationSizeMb: MAX_HEAP_MB },
    });
    worker.once('message', resolve);
    worker.once('error', reject);
    worker.once('exit', (code) => reject(new Error(`The thread ended with ${code} before its work was done.`)));
  });
}
