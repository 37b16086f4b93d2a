import type { Kysely, Selectable } from 'kysely';
import { columns, whole } from './columns.ts';
import { numberedPlace, pageOf, rowsToRead } from './cursor.ts';
import { mended } from './damage.ts';
import type { Database } from './database.ts';
import type { AuditRecord, AuditStore } from './store.ts';
import type { AuditTable, Tables } from './tables.ts';

const place = numberedPlace('audit');

/** Writes audit records as part of somebody's transaction. */
export async function appendAudit(db: Kysely<Tables>, records: readonly Omit<AuditRecord, 'id'>[]): Promise<void> {
  if (records.length === 0) return;
  const rows = records.map((record) => ({ ...record, details: JSON.stringify(record.details) }));
  await db.insertInto('audit').values(rows).execute();
}

function auditRecord(row: Selectable<AuditTable>): AuditRecord {
  const id = whole(row.id, 'audit', 'id');
  return { ...row, id, at: whole(row.at, 'audit', 'at', id), details: columns.audit.details(row.details, id) };
}

/** Who did what. */
export function auditStore(database: Database): AuditStore {
  const read = (row: Selectable<AuditTable>): AuditRecord =>
    database.sound(mended(row, auditRecord, { at: 0, details: '{}' }));
  return {
    append: (record) => database.write((transaction) => appendAudit(transaction, [record])),

    async page(args, { actor, action, subject } = {}) {
      const after = place.key(args.after);
      const rows = await database.reader
        .selectFrom('audit')
        .selectAll()
        .$if(after !== undefined, (query) => query.where('id', '<', after!))
        .$if(actor !== undefined, (query) => query.where('actor', '=', actor!))
        .$if(action !== undefined, (query) => query.where('action', '=', action!))
        .$if(subject !== undefined, (query) => query.where('subject', '=', subject!))
        .orderBy('id', 'desc')
        .limit(rowsToRead(args))
        .execute();
      return pageOf(rows.map(read), args, ({ id }) => place.cursor(id));
    },

    async after(id, limit) {
      const records = database.reader.selectFrom('audit').selectAll().where('id', '>', id);
      return (await records.orderBy('id').limit(limit).execute()).map(read);
    },
  };
}
