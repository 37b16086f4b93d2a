import type { AuditFilter, AuditRecord } from '../store/store.ts';
import { builder } from './builder.ts';
import type { ApiPorts } from './context.ts';
import { source } from './source.ts';
import { connectionOf, connectionType, pageArgs, readPageArgs } from './connections.ts';

const AuditRecordRef = builder.objectRef<AuditRecord>('AuditRecord').implement({
  role: 'ADMIN',
  description: 'Who did what.',
  fields: (t) => ({
    id: t.id({ description: 'Only grows.', resolve: ({ id }) => String(id) }),
    at: t.expose('at', { type: 'DateTime', description: 'When.' }),
    actor: t.exposeString('actor', { description: 'The name of the token that did it.' }),
    action: t.exposeString('action', { description: 'What was done: `pipeline.apply`, `run.cancel`.' }),
    subject: t.exposeString('subject', { description: 'To what.' }),
    details: t.field({ type: 'JSON', description: 'Further particulars.', resolve: ({ details }) => details }),
  }),
});

const AuditRecordConnection = connectionType<AuditRecord>('AuditRecord', AuditRecordRef, 'audit records', {
  isCounted: false,
});

const AuditFilterInput = builder.inputType('AuditFilter', {
  description: 'Which audit records: those that are exactly so. What is left out does not matter.',
  fields: (t) => ({
    actor: t.string({ required: false, description: 'The name of the token that did it.' }),
    action: t.string({ required: false, description: 'What was done: `pool.update`.' }),
    subject: t.string({ required: false, description: 'To what.' }),
  }),
});

/** The store's filter: what was left out or is null is absent. */
function readFilter(filter: typeof AuditFilterInput.$inferInput | null | undefined): AuditFilter {
  return Object.fromEntries(Object.entries(filter ?? {}).filter(([, value]) => (value ?? null) !== null));
}

builder.queryFields((t) => ({
  auditRecords: t.field({
    type: AuditRecordConnection,
    role: 'ADMIN',
    args: {
      ...pageArgs(),
      filter: t.arg({ type: AuditFilterInput, required: false, description: 'Only those that fit.' }),
    },
    description: 'What was done on this server, newest first.',
    resolve: (_, { filter, ...args }, { ports }) =>
      connectionOf(readPageArgs(args), ports.store.audit.page(readPageArgs(args), readFilter(filter))),
  }),
}));

/** Any server may write a record: the database is asked this often, while somebody follows. Milliseconds. */
const LOOK_MS = 1_000;
/** More than so many within a second are told by the next looks. */
const MAX_PER_LOOK = 500;

/** Records that are written from now on, oldest first. */
async function* followAudit(
  { store, clock }: Pick<ApiPorts, 'store' | 'clock'>,
  signal: AbortSignal,
): AsyncGenerator<AuditRecord> {
  let last = (await store.audit.page({ first: 1 })).rows[0]?.row.id ?? 0;
  while (!signal.aborted) {
    for (const record of await store.audit.after(last, MAX_PER_LOOK)) {
      last = record.id;
      yield record;
    }
    await clock.sleep(LOOK_MS, signal).catch(() => undefined);
  }
}

builder.subscriptionFields((t) => ({
  auditRecords: t.field({
    type: AuditRecordRef,
    role: 'ADMIN',
    description: 'What is done on this server, from now on; within a second.',
    subscribe: (_, _args, context) => source(context, (signal) => followAudit(context.ports, signal)),
    resolve: (record) => record,
  }),
}));
