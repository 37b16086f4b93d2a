import { resolve } from 'node:path';
import { systemClock } from '../../clock.ts';
import type { Command } from '../command.ts';
import { EXIT_CODES } from '../exit-code.ts';
import { withoutServer } from '../maintenance.ts';
import { contentsText } from './backup.ts';

export const restore: Command = {
  name: 'restore',
  summary: 'Fills an empty database from a backup.',
  details:
    'No server may run on the database or the data folder. The backup is checked to its end before anything is changed. ' +
    'Runs that were under way when it was taken go on at the next start: what the node still runs or knows the end of is taken over, ' +
    'the rest is lost and repeated where its task is idempotent. What began after the backup is stopped and not known any more. ' +
    'Where the data folder has no valid admin token, one is made.',
  arguments: [{ name: 'file', summary: 'A file that `gantry backup` wrote.' }],
  options: [{ flags: '--replace', summary: 'Removes what the database holds first. Take a backup of it before.' }],
  takesServerSettings: true,
  examples: [
    { command: 'gantry restore nightly.gantry-backup', meaning: 'into the data folder .gantry, which is empty' },
    { command: 'gantry restore nightly.gantry-backup --replace', meaning: 'instead of what is there' },
    {
      command: 'gantry restore nightly.gantry-backup --database-url mysql://gantry:secret@db/gantry',
      meaning: 'moves from SQLite to MariaDB',
    },
  ],
  async run({ arguments: [file = ''], options, context }) {
    const { output } = context;
    const { config } = context.config('SERVER');
    const maintenance = await import('../../maintenance/restore.ts');
    const restored = await withoutServer(() =>
      maintenance.restore(resolve(context.cwd, file), config, {
        clock: systemClock,
        log: (_level, message) => output.note(message),
        replace: options.is('replace'),
      }),
    );
    const { header, rows, adminTokenPath } = restored;
    output.result({ ...header, rows, adminTokenPath }, () => [
      `Restored ${contentsText(rows)}, as of ${new Date(header.takenAt).toISOString()}.`,
      ...(adminTokenPath === null ? [] : [`A new admin token is in ${adminTokenPath}.`]),
      'Start the server with `gantry server`.',
    ]);
    return EXIT_CODES.SUCCEEDED.code;
  },
};
