import { systemClock } from '../../clock.ts';
import type { Command } from '../command.ts';
import { EXIT_CODES } from '../exit-code.ts';
import { withoutServer } from '../maintenance.ts';
import { version } from '../version.ts';
import { oneLine } from '../terminal-text.ts';

/** As server/maintenance hands them back. */
interface Finding {
  readonly check: string;
  readonly status: keyof typeof STYLES;
  readonly message: string;
  readonly remedy: string | null;
}
const LABELS = { OK: 'ok', WARNING: 'warning', FAILURE: 'failure' };
const STYLES = { OK: 'green', WARNING: 'yellow', FAILURE: 'red' } as const;

export const doctor: Command = {
  name: 'doctor',
  summary: 'Examines the data folder and the database, also while a server uses them.',
  details:
    'Checks access and free space, the journal, the integrity of the database, its schema and indexes, rows without an owner, ' +
    'runs that break an invariant, clocks, versions, and whether folder and database belong together. Changes nothing. ' +
    'Exits with 1 when something is wrong that loses work or keeps a server from starting.',
  options: [
    { flags: '--deep', summary: 'Reads every page and compares every index: minutes where the database is large.' },
    {
      flags: '--accept-copy',
      summary: 'Lets a server start on a database that was copied while it was in use; no server may run on it.',
    },
  ],
  takesServerSettings: true,
  examples: [
    { command: 'gantry doctor', meaning: 'what is wrong here?' },
    { command: 'gantry doctor --deep --json', meaning: 'everything, for a program' },
  ],
  async run({ options, context }) {
    const { output } = context;
    const { config } = context.config('SERVER');
    if (options.is('acceptCopy')) {
      const { acceptCopy } = await import('../../maintenance/accept-copy.ts');
      await withoutServer(() => acceptCopy(config.databaseUrl, systemClock, (_level, text) => output.note(text)));
      output.note('The copy is accepted as it is: the next start serves what it holds.');
    }
    const { examine } = await import('../../maintenance/doctor.ts');
    const patient = { dataDir: config.dataDir, databaseUrl: config.databaseUrl, version: version() };
    const findings = await examine(patient, systemClock, options.is('deep'));
    output.result(findings, () => findings.flatMap((finding) => lines(finding)));
    const isIll = findings.some(({ status }) => status === 'FAILURE');
    return isIll ? EXIT_CODES.FAILED.code : EXIT_CODES.SUCCEEDED.code;

    function lines({ check, status, message, remedy }: Finding): readonly string[] {
      if (output.rendering !== 'HUMAN')
        return [[LABELS[status], check, oneLine(message), oneLine(remedy ?? '')].join('\t')];
      const label = output.styled(STYLES[status], LABELS[status].padEnd(8));
      return [
        `${label} ${check.padEnd(13)} ${oneLine(message)}`,
        ...(remedy === null ? [] : [`${' '.repeat(23)}${oneLine(remedy)}`]),
      ];
    }
  },
};
