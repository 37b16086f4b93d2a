import type { AuditRecord } from '../store/store.ts';
import { builder } from './builder.ts';
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

builder.queryFields((t) => ({
  auditRecords: t.field({
    type: AuditRecordConnection,
    role: 'ADMIN',
    args: pageArgs(),
    description: 'What was done on this server, newest first.',
    resolve: (_, args, { ports }) => connectionOf(readPageArgs(args), ports.store.audit.page(readPageArgs(args))),
  }),
}));
