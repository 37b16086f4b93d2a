import { builder } from './builder.ts';
import type { ApiContext, KeptBackup } from './context.ts';
import { refusalType, resultType, type Refusal } from './errors.ts';

const BackupRef = builder.objectRef<KeptBackup>('Backup').implement({
  role: 'ADMIN',
  description: 'A backup in the folder `backups` of the data folder. `gantry restore` restores it.',
  fields: (t) => ({
    name: t.exposeString('name', { description: 'The file’s name, which says when it was taken.' }),
    bytes: t.exposeFloat('bytes', { description: 'Its size.' }),
    writtenAt: t.expose('writtenAt', { type: 'DateTime', description: 'When it was written.' }),
  }),
});

const CreateBackupPayload = builder.objectRef<{ readonly backup: KeptBackup }>('CreateBackupPayload').implement({
  role: 'ADMIN',
  description: 'The backup is written and has been read back.',
  fields: (t) => ({
    backup: t.field({ type: BackupRef, description: 'The backup.', resolve: ({ backup }) => backup }),
  }),
});
const MaintenanceBusyRef = refusalType(
  'MaintenanceBusy',
  'Another backup or examination is under way on this server. Try again when it is done.',
);
const BackupFailedRef = refusalType(
  'BackupFailed',
  'The backup could not be written or read back. Nothing is left of it.',
);
const CreateBackupResult = builder.unionType('CreateBackupResult', {
  description: 'What became of `createBackup`.',
  types: [CreateBackupPayload, MaintenanceBusyRef, BackupFailedRef],
  resolveType: resultType('CreateBackupPayload'),
});

async function createBackup({
  ports,
  viewer,
}: ApiContext): Promise<{ readonly backup: KeptBackup } | Refusal<'MaintenanceBusy' | 'BackupFailed'>> {
  const backup = await ports.maintenance.backUp().catch((error: Error) => error);
  if (backup instanceof Error) {
    ports.log('error', 'A backup could not be written.', { error: backup });
    return { refusal: 'BackupFailed', message: `The backup could not be written: ${backup.message}` };
  }
  if (backup === null) {
    const message = 'Another backup or examination is under way on this server. Try again when it is done.';
    return { refusal: 'MaintenanceBusy', message };
  }
  const { name, bytes } = backup;
  await ports.store.audit.append({
    at: ports.clock.now(),
    actor: viewer.name,
    action: 'backup.create',
    subject: name,
    details: { bytes },
  });
  return { backup };
}

builder.queryFields((t) => ({
  backups: t.field({
    type: [BackupRef],
    role: 'ADMIN',
    description: 'The backups in this server’s data folder, newest first.',
    resolve: async (_, _args, { ports }) => [...(await ports.maintenance.backups())],
  }),
}));

builder.mutationFields((t) => ({
  createBackup: t.field({
    type: CreateBackupResult,
    role: 'ADMIN',
    description:
      'Writes a consistent copy of the database into the server’s data folder while it works, and reads it back. ' +
      'Answers when that is done, which takes minutes where the database is large.',
    resolve: (_, _args, context) => createBackup(context),
  }),
}));
