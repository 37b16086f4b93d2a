import type { Selectable } from 'kysely';
import type { Pool } from '../domain/pool.ts';
import { columns } from './columns.ts';
import type { Database } from './database.ts';
import type { PoolStore } from './store.ts';
import type { PoolTable } from './tables.ts';
import { insertOrKeep } from './upsert.ts';

const poolOf = (row: Selectable<PoolTable>): Pool => ({
  name: row.name,
  scheduler: row.scheduler,
  schedulerConfig: columns.pool.schedulerConfig(row.scheduler_config, row.name),
  schedulerMemory: columns.pool.schedulerMemory(row.scheduler_memory, row.name),
});

/** Pools. Their scheduler's memory is written by commits. */
export function poolStore(database: Database): PoolStore {
  const { reader, dialect } = database;
  return {
    async all() {
      return (await reader.selectFrom('pool').selectAll().orderBy('name').execute()).map(poolOf);
    },

    async byName(name) {
      const row = await reader.selectFrom('pool').selectAll().where('name', '=', name).executeTakeFirst();
      return row ? poolOf(row) : null;
    },

    ensure: ({ name, scheduler, schedulerConfig, schedulerMemory }) =>
      database.write((transaction) =>
        insertOrKeep(
          transaction,
          dialect,
          'pool',
          [
            {
              name,
              scheduler,
              scheduler_config: JSON.stringify(schedulerConfig),
              scheduler_memory: JSON.stringify(schedulerMemory),
            },
          ],
          ['name'],
        ),
      ),
  };
}
