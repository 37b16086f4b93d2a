import { type Selectable, sql } from 'kysely';
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
      const seq = await firstBeyond(database, pool, limits);
      if (seq === null) return;
      await database.write((transaction) =>
        transaction.deleteFrom('decision').where('pool', '=', pool).where('seq', '<=', seq).execute(),
      );
    },
  };
}

/** Decisions whose sizes are read at once: a millisecond or two, for which the engine of an SQLite server stands still. */
const SIZES_AT_ONCE = 1_000;

/** The newest decision that is one too many, by number or by what all newer ones take; null when there is room. */
async function firstBeyond(
  database: Database,
  pool: string,
  limits: { readonly decisions: number; readonly characters: number },
): Promise<number | null> {
  let packed = 0;
  let count = 0;
  for (let before = Number.MAX_SAFE_INTEGER; ;) {
    const rows = await database.reader
      .selectFrom('decision')
      // Bytes, which are as many as characters here: SQLite counts them without reading the text.
      .select(['seq', sql<number | string | null>`OCTET_LENGTH(packed_call)`.as('size')])
      .where('pool', '=', pool)
      .where('seq', '<', before)
      .orderBy('seq', 'desc')
      .limit(SIZES_AT_ONCE)
      .execute();
    for (const row of rows) {
      const seq = whole(row.seq, 'decision', 'seq');
      packed += Number(row.size ?? 0);
      if (packed > limits.characters || count === limits.decisions) return seq;
      count++;
      before = seq;
    }
    if (rows.length < SIZES_AT_ONCE) return null;
    await database.turn();
  }
}
