import type { Selectable } from 'kysely';
import type { NodeRecord } from '../domain/node-record.ts';
import { columns, whole } from './columns.ts';
import { numberedPlace, pageOf, rowsToRead } from './cursor.ts';
import { mended } from './damage.ts';
import type { Database } from './database.ts';
import type { NodeRecordStore } from './store.ts';
import type { NodeRecordTable } from './tables.ts';

const place = numberedPlace('nodeRecord');

type Row = Selectable<NodeRecordTable>;

const idOf = ({ id }: Row): number => whole(id, 'node_record', 'id');

function recordOf(row: Row): NodeRecord {
  const id = idOf(row);
  return {
    node: row.node,
    at: whole(row.at, 'node_record', 'at', id),
    type: columns.nodeRecord.type(row.type, id),
    incarnation: whole(row.incarnation, 'node_record', 'incarnation', id),
    actor: row.actor,
    message: row.message,
  };
}

/** A row with its place in the list. */
const placed = (row: Row, database: Database) => ({
  row: database.sound(mended(row, recordOf, { at: 0, type: 'CHANGED', incarnation: 0 })),
  cursor: place.cursor(idOf(row)),
});

/** What has happened to nodes. Written by commits. */
export function nodeRecordStore(database: Database): NodeRecordStore {
  const { reader } = database;
  const ofNode = (node: string) => reader.selectFrom('node_record').selectAll().where('node', '=', node);
  return {
    async page(node, args) {
      const before = place.key(args.after);
      const rows = await ofNode(node)
        .$if(before !== undefined, (query) => query.where('id', '<', before!))
        .orderBy('id', 'desc')
        .limit(rowsToRead(args))
        .execute();
      const { rows: shown, hasNextPage } = pageOf(rows, args, (row) => place.cursor(idOf(row)));
      return { rows: shown.map(({ row }) => placed(row, database)), hasNextPage };
    },

    async after(node, cursor, limit) {
      const last = place.key(cursor) ?? 0;
      return (await ofNode(node).where('id', '>', last).orderBy('id').limit(limit).execute()).map((row) =>
        placed(row, database),
      );
    },

    async trim(nodes, kept) {
      for (const node of nodes) {
        const first = await reader
          .selectFrom('node_record')
          .select('id')
          .where('node', '=', node)
          .orderBy('id', 'desc')
          .offset(kept)
          .limit(1)
          .executeTakeFirst();
        if (first === undefined) continue;
        const id = whole(first.id, 'node_record', 'id', node);
        await database.write((transaction) =>
          transaction.deleteFrom('node_record').where('node', '=', node).where('id', '<=', id).execute(),
        );
      }
    },
  };
}
