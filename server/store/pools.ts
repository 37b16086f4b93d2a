import type { Selectable } from 'kysely';
import type { Pool } from '../domain/pool.ts';
import { columns, whole } from './columns.ts';
import { mended, type Neutral } from './damage.ts';
import type { Database } from './database.ts';
import type { PoolStore } from './store.ts';
import type { PoolTable } from './tables.ts';
import { insertOrKeep } from './upsert.ts';

type PoolRow = Selectable<PoolTable> & {
  readonly shadow: string | null;
  readonly shadow_config: string | null;
  readonly idempotent: number | string | null;
};

const poolOf = (row: PoolRow): Pool => ({
  name: row.name,
  scheduler: row.scheduler,
  schedulerConfig: columns.pool.schedulerConfig(row.scheduler_config, row.name),
  schedulerMemory: columns.pool.schedulerMemory(row.scheduler_memory, row.name),
  // An empty name is that of a shadow that has been taken off.
  shadow: row.shadow
    ? { scheduler: row.shadow, config: columns.poolShadow.config(row.shadow_config!, row.name) }
    : null,
  idempotent: row.idempotent === null ? null : whole(row.idempotent, 'pool_default', 'idempotent', row.name) !== 0,
});

/** What is lost of a pool is lost: a scheduler begins without memory, and with its own settings. */
const NEUTRAL: Neutral<PoolRow> = {
  scheduler_config: '{}',
  scheduler_memory: 'null',
  shadow_config: '{}',
  idempotent: null,
};

/** Pools. Changes of theirs are written by commits. */
export function poolStore(database: Database): PoolStore {
  const { reader, dialect } = database;
  const read = (row: PoolRow): Pool => database.sound(mended(row, poolOf, NEUTRAL));
  const pools = () =>
    reader
      .selectFrom('pool')
      .leftJoin('pool_shadow', 'pool_shadow.pool', 'pool.name')
      .leftJoin('pool_default', 'pool_default.pool', 'pool.name')
      .selectAll('pool')
      .select([
        'pool_shadow.scheduler as shadow',
        'pool_shadow.config as shadow_config',
        'pool_default.idempotent as idempotent',
      ]);
  return {
    async all() {
      return (await pools().orderBy('pool.name').execute()).map(read);
    },

    async byName(name) {
      const row = await pools().where('pool.name', '=', name).executeTakeFirst();
      return row ? read(row) : null;
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
