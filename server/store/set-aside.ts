import { sql } from 'kysely';
import { attemptTransitions, isTerminalAttempt, type AttemptState } from '../domain/attempt.ts';
import type { DamagedRun } from '../domain/input.ts';
import { isTerminalTaskRun, taskRunTransitions, type TaskRunState } from '../domain/task-run.ts';
import type { Database } from './database.ts';
import { LeaseLost, type HeldLease } from './store.ts';

const TERMINAL_TASK_RUNS = (Object.keys(taskRunTransitions) as TaskRunState[]).filter(isTerminalTaskRun);
const TERMINAL_ATTEMPTS = (Object.keys(attemptTransitions) as AttemptState[]).filter(isTerminalAttempt);

/**
 * Ends runs that cannot be recovered: they have FAILED, with the reason, and nothing of them is alive. What cannot be
 * read stays as it is, for whoever wants to repair it. Rejects with LeaseLost when the pool is somebody else's by now.
 */
export async function setAside(
  database: Database,
  lease: HeldLease,
  runs: readonly DamagedRun[],
  at: number,
): Promise<void> {
  await database.write(async (transaction) => {
    const { numUpdatedRows } = await transaction
      .updateTable('lease')
      // A write, so that nobody takes the lease before this has been committed; to another value, so that it counts.
      .set({ expires_at: sql<number>`expires_at + 1` })
      .where('name', '=', lease.name)
      .where('epoch', '=', lease.epoch)
      .executeTakeFirst();
    if (numUpdatedRows !== 1n) throw new LeaseLost(`The lease of pool ${lease.name} has been taken over.`);
    for (const { key, message } of runs) {
      const reason = JSON.stringify({ code: 'STORED_ROW_UNREADABLE', message });
      await transaction
        .updateTable('run')
        .set({ state: 'FAILED', finished_at: at, reason })
        .where('run_key', '=', key)
        .execute();
      await transaction
        .updateTable('task_run')
        .set({ attempt_state: 'LOST', attempt_finished_at: at })
        .where('run_key', '=', key)
        .where('attempt_number', 'is not', null)
        .where((all) => all.or([all('attempt_state', 'is', null), all('attempt_state', 'not in', TERMINAL_ATTEMPTS)]))
        .execute();
      await transaction
        .updateTable('task_run')
        .set({ state: 'CANCELLED', finished_at: at, due_at: null })
        .where('run_key', '=', key)
        .where('state', 'not in', TERMINAL_TASK_RUNS)
        .execute();
    }
  });
}
