import type { Command, Context } from '../command.ts';
import { EXIT_CODES } from '../exit-code.ts';
import { oneLine } from '../terminal-text.ts';
import { agoText } from '../time-text.ts';

interface KindView {
  readonly kind: string;
  readonly rows: number;
  readonly bytes: number;
}
interface PreviewView {
  readonly pipeline: string;
  readonly runs: number;
  readonly oldestFinishedAt: string;
  readonly newestFinishedAt: string;
}
interface SweepView {
  readonly at: string;
  readonly runs: number;
  readonly problem: string | null;
}
interface StorageView {
  readonly databaseBytes: number;
  readonly reusableBytes: number;
  readonly folderBytes: number;
  readonly isEstimate: boolean;
  readonly oldestRunAt: string | null;
  readonly pendingDeletions: number;
  readonly nextSweepAt: string | null;
  readonly kinds: readonly KindView[];
  readonly lastSweep: SweepView | null;
  readonly retention: {
    readonly age: string;
    readonly runs: string;
    readonly audit: string;
    readonly keepsAllByUpgrade: boolean;
    readonly settings: readonly {
      readonly pool: string | null;
      readonly pipeline: string | null;
      readonly age: string | null;
      readonly runs: string | null;
    }[];
  };
}
interface Answer {
  readonly storage: StorageView;
  readonly retentionPreview?: readonly PreviewView[];
}

export const storage: Command = {
  name: 'storage',
  summary: 'Shows what is kept, what it takes and by which rules it is deleted.',
  options: [{ flags: '--preview', summary: 'Also what the next sweep would delete. Nothing is deleted by asking.' }],
  examples: [
    { command: 'gantry storage', meaning: 'rows and bytes by kind, and the rules' },
    { command: 'gantry storage --preview', meaning: 'and what would go' },
  ],
  async run({ options, context }) {
    const { output } = context;
    const answer = await context.connect().ask<Answer>('storage', { preview: options.is('preview') });
    output.result(answer, () => [
      ...(output.rendering === 'HUMAN' ? summary(answer.storage, context) : []),
      ...kindTable(answer.storage, context),
      ...(answer.retentionPreview === undefined ? [] : ['', ...previewTable(answer.retentionPreview, context)]),
    ]);
    return EXIT_CODES.SUCCEEDED.code;
  },
};

function summary(view: StorageView, context: Context): readonly string[] {
  const { databaseBytes, reusableBytes, folderBytes, oldestRunAt, retention, lastSweep, nextSweepAt } = view;
  const now = context.now();
  const lines = [
    `Database: ${sizeText(databaseBytes)}, of which ${sizeText(reusableBytes)} are free for new rows. Data folder: ${sizeText(folderBytes)}.`,
    `Oldest run: ${oldestRunAt === null ? 'none' : `created ${agoText(oldestRunAt, now)}`}.`,
    `Runs are kept ${keptText(retention.age, retention.runs)}; audit records ${retention.audit === 'never' ? 'for ever' : `for ${retention.audit}`}.`,
    ...retention.settings.map(
      ({ pool, pipeline, age, runs }) =>
        `  ${pipeline === null ? `pool ${oneLine(pool ?? '')}` : `pipeline ${oneLine(pipeline)}`}: age ${age ?? 'as above'}, runs ${runs ?? 'as above'}`,
    ),
  ];
  if (retention.keepsAllByUpgrade) {
    lines.push(
      'This database is from before runs were deleted, so all are kept. Set retentionAge and retentionRuns, for example to 30d and 10000.',
    );
  }
  if (view.pendingDeletions > 0) lines.push(`Being deleted: the rows of ${view.pendingDeletions} runs.`);
  if (lastSweep !== null) {
    const outcome =
      lastSweep.problem === null ? `${lastSweep.runs} runs deleted` : `broken off: ${oneLine(lastSweep.problem)}`;
    lines.push(`Last sweep: ${agoText(lastSweep.at, now)}, ${outcome}.`);
  }
  lines.push(nextSweepAt === null ? 'Another server sweeps.' : `Next sweep: in ${secondsTo(nextSweepAt, now)} s.`, '');
  return lines;
}

const secondsTo = (at: string, now: number): number => Math.max(0, Math.round((Date.parse(at) - now) / 1_000));

function keptText(age: string, runs: string): string {
  if (age === 'never' && runs === 'never') return 'for ever';
  if (runs === 'never') return `for ${age} after their end`;
  const newest = `the newest ${runs} of each pipeline`;
  return age === 'never' ? newest : `for ${age} after their end, and no more than ${newest}`;
}

function kindTable({ kinds, isEstimate }: StorageView, { output }: Context): readonly string[] {
  const about = isEstimate ? ' (about)' : '';
  return output.table<KindView>(
    [
      { heading: 'kind', value: ({ kind }) => kind.toLowerCase() },
      { heading: `rows${about}`, value: ({ rows }) => rows, alignsRight: true },
      {
        heading: `size${about}`,
        value: ({ bytes }) => (output.rendering === 'HUMAN' ? sizeText(bytes) : bytes),
        alignsRight: true,
      },
    ],
    kinds,
    'Nothing.',
  );
}

function previewTable(preview: readonly PreviewView[], { output, now }: Context): readonly string[] {
  const when = (at: string): string => (output.rendering === 'HUMAN' ? agoText(at, now()) : at);
  return output.table<PreviewView>(
    [
      { heading: 'pipeline', value: ({ pipeline }) => pipeline },
      { heading: 'runs to delete', value: ({ runs }) => runs, alignsRight: true },
      { heading: 'first ended', value: ({ oldestFinishedAt }) => when(oldestFinishedAt) },
      { heading: 'last ended', value: ({ newestFinishedAt }) => when(newestFinishedAt) },
    ],
    preview,
    'The next sweep would delete no run.',
  );
}

/** `940 B`, `12.3 KiB`, `4.0 GiB`. */
function sizeText(bytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  let size = bytes;
  let unit = 0;
  for (; size >= 1_024 && unit < units.length - 1; unit++) size /= 1_024;
  return `${unit === 0 ? size : size.toFixed(1)} ${units[unit]}`;
}
