import { join, resolve } from 'node:path';
import { systemClock } from '../../clock.ts';
import type { Command } from '../command.ts';
import { EXIT_CODES } from '../exit-code.ts';
import { bytesText, withoutServer } from '../maintenance.ts';
import { version } from '../version.ts';

export const backup: Command = {
  name: 'backup',
  summary: 'Writes a consistent copy of the database into one file, also while a server uses it.',
  details:
    'The file holds pipelines, runs, logs, tokens (as hashes), the audit log and settings as they were at one instant; ' +
    'a server goes on meanwhile. It is compressed, checked once it is written, and readable for its owner alone. ' +
    'It can be restored into SQLite, MySQL or MariaDB, whichever it was taken from. Secrets and files of the node are not in it.',
  options: [
    {
      flags: '--to <path>',
      summary: 'The file to write; by default one named by the time, in `backups` in the data folder.',
    },
    { flags: '--verify <path>', summary: 'Writes nothing: reads a backup to its end and checks it.' },
  ],
  takesServerSettings: true,
  examples: [
    { command: 'gantry backup', meaning: 'into .gantry/backups' },
    { command: 'gantry backup --to /mnt/backup/gantry.gantry-backup', meaning: 'into a file of your own' },
    { command: 'gantry backup --verify /mnt/backup/gantry.gantry-backup', meaning: 'is that one good?' },
  ],
  async run({ options, context }) {
    const { output } = context;
    const { config } = context.config('SERVER');
    // Loaded only here: a client command must not pay for the store.
    const { backUpTo, backupName, verifyBackup } = await import('../../maintenance/backup.ts');
    const verify = options.text('verify');
    if (verify !== undefined) {
      const { header, rows } = await withoutServer(() => verifyBackup(resolve(context.cwd, verify)));
      output.result({ path: verify, ...header, rows }, () => [
        `${verify} is whole: ${takenText(header.takenAt)}, by Gantry ${header.version} from ${header.dialect}.`,
        `It holds ${contentsText(rows)}.`,
      ]);
      return EXIT_CODES.SUCCEEDED.code;
    }
    const to = options.text('to');
    const path =
      to === undefined ? join(config.dataDir, 'backups', backupName(context.now())) : resolve(context.cwd, to);
    const facts = { version: version(), clock: systemClock };
    const written = await withoutServer(() => backUpTo(path, config.databaseUrl, facts));
    output.result({ path: written.path, bytes: written.bytes, ...written.header, rows: written.rows }, () => [
      `${written.path} (${bytesText(written.bytes)})`,
      `It holds ${contentsText(written.rows)}, and has been read back.`,
    ]);
    return EXIT_CODES.SUCCEEDED.code;
  },
};

const takenText = (at: number): string => `taken ${new Date(at).toISOString()}`;

/** What people look for in a backup. */
export function contentsText(rows: Readonly<Record<string, number>>): string {
  const of = (table: string, one: string, many: string): string => {
    const count = rows[table] ?? 0;
    return `${count} ${count === 1 ? one : many}`;
  };
  return `${of('pipeline', 'pipeline', 'pipelines')}, ${of('run', 'run', 'runs')}, ${of('task_run', 'task run', 'task runs')}`;
}
