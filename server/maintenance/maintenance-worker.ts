import { parentPort, workerData } from 'node:worker_threads';
import { systemClock } from '../clock.ts';
import { backUpTo } from './backup.ts';
import { examine } from './doctor.ts';
import type { MaintenanceJob } from './in-thread.ts';

// One job in a thread of its own: reading a whole database must not hold up the thread that keeps the lease.

const job = workerData as MaintenanceJob;

async function work(): Promise<unknown> {
  switch (job.type) {
    case 'BACK_UP':
      return backUpTo(job.path, job.databaseUrl, { version: job.version, clock: systemClock });
    case 'EXAMINE':
      return examine(job, systemClock, job.isDeep);
    default:
      return job satisfies never;
  }
}

parentPort!.postMessage(await work());
