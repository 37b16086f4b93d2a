import type { Selectable, SelectQueryBuilder } from 'kysely';
import type { Resources } from '@gantry/plugin-kit/vocabulary';
import type { Node } from '../domain/node.ts';
import { columns, countOf, time, whole } from './columns.ts';
import { namedPlace, pageOf, rowsToRead } from './cursor.ts';
import { mended, type Neutral } from './damage.ts';
import { piecesOf, type Database } from './database.ts';
import type { NodeStore } from './store.ts';
import type { NodeResourceTable, NodeTable, Tables } from './tables.ts';
import { insertOrUpdate } from './upsert.ts';

const place = namedPlace('node');

/** What a node has and what of it is held. */
interface Amounts {
  readonly capacity: Record<string, number>;
  readonly reserved: Record<string, number>;
}

function nodeOf(row: Selectable<NodeTable>, amounts: Amounts | undefined): Node {
  const { name } = row;
  const read = columns.node;
  return {
    name,
    pool: row.pool,
    connection: read.connection(row.connection, name),
    eligibility: read.eligibility(row.eligibility, name),
    incarnation: whole(row.incarnation, 'node', 'incarnation', name),
    capacity: (amounts?.capacity ?? {}) as Resources,
    reserved: (amounts?.reserved ?? {}) as Resources,
    labels: read.labels(row.labels, name),
    taints: read.taints(row.taints, name),
    runners: read.runners(row.runners, name),
    agentVersion: row.agent_version,
    runningCount: whole(row.running_count, 'node', 'running_count', name),
    registeredAt: time(row.registered_at, 'node', 'registered_at', name),
    heardAt: time(row.heard_at, 'node', 'heard_at', name),
    revision: whole(row.revision, 'node', 'revision', name),
  };
}

/** An agent says hello and is known again; until then its node is doubted. */
const NEUTRAL: Neutral<Selectable<NodeTable>> = {
  connection: 'SUSPECT',
  eligibility: 'ELIGIBLE',
  incarnation: 0,
  labels: '{}',
  taints: '[]',
  runners: '[]',
  running_count: 0,
  registered_at: 0,
  heard_at: 0,
  revision: 0,
};
type Amount = Pick<Selectable<NodeResourceTable>, 'capacity' | 'reserved'>;
const NOTHING: Neutral<Amount> = { capacity: 0, reserved: 0 };
const amount = (column: keyof Amount, node: string) => (row: Amount) =>
  whole(row[column], 'node_resource', column, node);

type NodeQuery<Output> = SelectQueryBuilder<Tables, 'node', Output>;
const matching = <Output>(query: NodeQuery<Output>, { pool }: { readonly pool?: string }): NodeQuery<Output> =>
  pool === undefined ? query : query.where('pool', '=', pool);

/** Nodes. */
export function nodeStore(database: Database): NodeStore {
  const { reader, dialect } = database;

  /** Adds the amounts to rows of nodes; one statement per few hundred nodes. */
  async function withAmounts(rows: readonly Selectable<NodeTable>[]): Promise<Node[]> {
    const amounts = new Map<string, Amounts>();
    for (const piece of piecesOf(rows, dialect.listLimit)) {
      const resources = await reader
        .selectFrom('node_resource')
        .innerJoin('node', (join) =>
          join.onRef('node.name', '=', 'node_resource.node').onRef('node.revision', '=', 'node_resource.revision'),
        )
        .select(['node_resource.node', 'resource', 'capacity', 'reserved'])
        .where(
          'node_resource.node',
          'in',
          piece.map(({ name }) => name),
        )
        .execute();
      for (const { node, resource, capacity, reserved } of resources) {
        let known = amounts.get(node);
        if (!known) amounts.set(node, (known = { capacity: {}, reserved: {} }));
        // What cannot be read is nothing: the agent says it again, and what is held follows from what runs.
        known.capacity[resource] = database.sound(mended({ capacity, reserved }, amount('capacity', node), NOTHING));
        known.reserved[resource] = database.sound(mended({ capacity, reserved }, amount('reserved', node), NOTHING));
      }
    }
    return rows.map((row) => database.sound(mended(row, (each) => nodeOf(each, amounts.get(each.name)), NEUTRAL)));
  }

  return {
    async byNames(names) {
      const found = new Map<string, Node>();
      for (const piece of piecesOf([...new Set(names)], dialect.listLimit)) {
        const rows = await reader.selectFrom('node').selectAll().where('name', 'in', piece).execute();
        for (const node of await withAmounts(rows)) found.set(node.name, node);
      }
      return names.map((name) => found.get(name) ?? null);
    },

    async page(args, filter) {
      const after = place.key(args.after);
      const rows = await matching(reader.selectFrom('node').selectAll(), filter)
        .$if(after !== undefined, (query) => query.where('name', '>', after!))
        .orderBy('name')
        .limit(rowsToRead(args))
        .execute();
      return pageOf(await withAmounts(rows), args, ({ name }) => place.cursor(name));
    },

    async count(filter) {
      const query = reader.selectFrom('node').select((all) => all.fn.countAll().as('count'));
      return countOf(await matching(query, filter).executeTakeFirstOrThrow());
    },

    async ofPool(pool) {
      return withAmounts(
        await reader.selectFrom('node').selectAll().where('pool', '=', pool).orderBy('name').execute(),
      );
    },

    async incarnation(name) {
      const row = await reader
        .selectFrom('node_incarnation')
        .select('incarnation')
        .where('node', '=', name)
        .executeTakeFirst();
      return row === undefined ? 0 : whole(row.incarnation, 'node_incarnation', 'incarnation', name);
    },

    nextIncarnation: (name) =>
      database.write(async (transaction) => {
        const first = { node: name, incarnation: 1 };
        await insertOrUpdate(transaction, dialect, 'node_incarnation', first, ['node'], (columnOf) => ({
          incarnation: columnOf('incarnation', 1),
        }));
        const { incarnation } = await transaction
          .selectFrom('node_incarnation')
          .select('incarnation')
          .where('node', '=', name)
          .executeTakeFirstOrThrow();
        return whole(incarnation, 'node_incarnation', 'incarnation', name);
      }),
  };
}
