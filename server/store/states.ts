import { parseAttemptId } from '../domain/ids.ts';
import { columns, whole } from './columns.ts';
import type { Database } from './database.ts';
import type { StateStore } from './store.ts';

/** What attempts saved for those that come after them. */
export function stateStore(database: Database): StateStore {
  const { reader, runKeys } = database;
  return {
    async save({ attempt, seq, state }) {
      const place = parseAttemptId(attempt);
      const key = place ? (await runKeys.of([place.run])).get(place.run) : undefined;
      if (!place || key === undefined) return;
      const { ordinal, number } = place;
      const row = { number, seq, state: JSON.stringify(state) };
      await database.writeUnique(async (transaction) => {
        const saved = await transaction
          .selectFrom('task_run_state')
          .select(['number', 'seq'])
          .where('run_key', '=', key)
          .where('ordinal', '=', ordinal)
          .executeTakeFirst();
        if (saved === undefined) {
          await transaction
            .insertInto('task_run_state')
            .values({ run_key: key, ordinal, ...row })
            .execute();
          return;
        }
        const savedNumber = whole(saved.number, 'task_run_state', 'number');
        const isOlder =
          savedNumber === number ? whole(saved.seq, 'task_run_state', 'seq') >= seq : savedNumber > number;
        if (isOlder) return;
        await transaction
          .updateTable('task_run_state')
          .set(row)
          .where('run_key', '=', key)
          .where('ordinal', '=', ordinal)
          .execute();
      });
    },

    async before(attempt) {
      const place = parseAttemptId(attempt);
      const key = place ? (await runKeys.of([place.run])).get(place.run) : undefined;
      if (!place || key === undefined) return null;
      const row = await reader
        .selectFrom('task_run_state')
        .select('state')
        .where('run_key', '=', key)
        .where('ordinal', '=', place.ordinal)
        .where('number', '<', place.number)
        .executeTakeFirst();
      return row === undefined ? null : columns.taskRunState.state(row.state, attempt);
    },
  };
}
