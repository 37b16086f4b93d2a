import type { ColumnTypes } from '../dialect/dialect.ts';
import type { Migration } from './migrate.ts';
import { tables } from './tables.ts';

/** The history of nodes. Of those that are there already, the one thing that is known of it: when they came. */
export const nodeRecords: Migration = { number: 5, name: 'node records', statements };

function statements(types: ColumnTypes): readonly string[] {
  const { name, word, text, integer, counter, table } = types;
  return [
    ...tables(types, [
      `CREATE TABLE IF NOT EXISTS node_record (
        id ${counter},
        node ${name} NOT NULL,
        at ${integer} NOT NULL,
        type ${word} NOT NULL,
        incarnation ${integer} NOT NULL,
        actor ${name} NULL,
        message ${text} NULL
      ) ${table}`,
      { index: 'node_record_of_node', on: 'node_record', columns: 'node, id' },
    ]),
    `INSERT INTO node_record (node, at, type, incarnation)
      SELECT name, registered_at, 'REGISTERED', 1 FROM node
      WHERE NOT EXISTS (SELECT 1 FROM node_record WHERE node_record.node = node.name)
      ORDER BY registered_at, name`,
  ];
}
