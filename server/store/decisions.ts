import type { Selectable } from 'kysely';
import type { StoredDecision } from '../domain/decision.ts';
import { whole } from './columns.ts';
import { mended, type Neutral } from './damage.ts';
import type { Database } from './database.ts';
import type { DecisionStore } from './store.ts';
import type { DecisionTable } from './tables.ts';

/** Attempts that were assigned in one millisecond are of few steps. */
const MAX_AT_ONCE = 64;

function decisionOf(row: Selectable<DecisionTable>): StoredDecision {
  const number = (column: 'seq' | 'at' | 'seed' | 'offered' | 'placed') => whole(row[column], 'decision', column);
  return {
    pool: row.pool,
    seq: number('seq'),
    at: number('at'),
    scheduler: row.scheduler,
    version: row.version,
    configHash: row.config_hash,
    seed: number('seed'),
    offered: number('offered'),
    placed: number('placed'),
    call: row.packed_call,
  };
}

const NEUTRAL: Neutral<Selectable<DecisionTable>> = { at: 0, seed: 0, offered: 0, placed: 0 };

/** How placements were decided. Written by commits. */
export function decisionStore(database: Database): DecisionStore {
  const { reader } = database;
  const read = (row: Selectable<DecisionTable>): StoredDecision => database.sound(mended(row, decisionOf, NEUTRAL));
  const ofPool = (pool: string) => reader.selectFrom('decision').selectAll().where('pool', '=', pool);
  return {
    async bySeq(pool, seq) {
      const row = await ofPool(pool).where('seq', '=', seq).executeTakeFirst();
      return row ? read(row) : null;
    },

    async madeAt(pool, at) {
      return (await ofPool(pool).where('at', '=', at).orderBy('seq').limit(MAX_AT_ONCE).execute()).map(read);
    },

    async latest(pool, limit) {
      const rows = await ofPool(pool)
        .where('packed_call', 'is not', null)
        .orderBy('seq', 'desc')
        .limit(limit)
        .execute();
      return rows.map(read);
    },

    async trim(pool, limits) {
      const rows = await reader
        .selectFrom('decision')
        .select(['seq', (select) => select.fn<number | null>('length', ['packed_call']).as('size')])
        .where('pool', '=', pool)
        .orderBy('seq', 'desc')
        .limit(limits.decisions + 1)
        .execute();
      let packed = 0;
      const last = rows.findIndex(
        ({ size }, index) => (packed += Number(size ?? 0)) > limits.characters || index === limits.decisions,
      );
      if (last < 0) return;
      const seq = whole(rows[last]!.seq, 'decision', 'seq');
      await database.write((transaction) =>
        transaction.deleteFrom('decision').where('pool', '=', pool).where('seq', '<=', seq).execute(),
      );
    },
  };
}
