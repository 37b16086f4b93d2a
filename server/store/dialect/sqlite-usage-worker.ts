import { DatabaseSync } from 'node:sqlite';
import { parentPort, workerData } from 'node:worker_threads';
import { readFigures } from './sqlite-usage.ts';

/* A thread that reads a database once and ends: the server goes on meanwhile. */

const database = new DatabaseSync(workerData as string, { readOnly: true, timeout: 2_000 });
try {
  parentPort?.postMessage(readFigures(database));
} finally {
  database.close();
}
