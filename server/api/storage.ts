import type { RetentionPreview, RetentionSetting, RetentionStatus, SweepReport } from '../domain/retention.ts';
import { formatDuration } from '../domain/time.ts';
import type { StoredKind as Kind, StoreUsage } from '../store/retention-store.ts';
import { builder } from './builder.ts';
import { enumOf } from './vocabulary.ts';

const StoredKind = enumOf<Kind>('StoredKind', 'What rows of the database are of.', {
  RUNS: 'Runs with their task runs, attempts and saved states.',
  LOGS: 'What tasks printed.',
  EVENTS: 'The event log, from which subscriptions go on.',
  COMMANDS: 'What was asked of the engine, with receipts and idempotency keys.',
  DECISIONS: 'How placements were decided.',
  AUDIT: 'Who did what.',
  PIPELINES: 'Pipelines and their versions.',
  NODES: 'Nodes and their history.',
  OTHER: 'Pools, tokens, settings and what the database needs for itself.',
});

const StoredKindUsage = builder.objectRef<StoreUsage['kinds'][number]>('StoredKindUsage').implement({
  role: 'VIEWER',
  description: 'What one kind of data takes.',
  fields: (t) => ({
    kind: t.expose('kind', { type: StoredKind, description: 'What it is.' }),
    rows: t.exposeFloat('rows', { description: 'How many rows.' }),
    bytes: t.exposeFloat('bytes', { description: 'What they take, with their indexes.' }),
  }),
});

const ageText = (age: number | 'NEVER' | null): string | null =>
  age === null ? null : age === 'NEVER' ? 'never' : formatDuration(age);
const countText = (runs: number | 'NEVER' | null): string | null =>
  runs === null ? null : runs === 'NEVER' ? 'never' : String(runs);

const AGE = 'How long after its end a run is deleted: a duration such as `30d`, or `never`';
const RUNS = 'How many of the newest runs of each pipeline are kept: a number, or `never` for all';

export const RetentionSettingRef = builder.objectRef<RetentionSetting>('RetentionSetting').implement({
  role: 'VIEWER',
  description: 'A rule of a pool or pipeline.',
  fields: (t) => ({
    pool: t.string({
      nullable: true,
      description: 'The name of the pool; null when it is of a pipeline.',
      resolve: ({ scope, name }) => (scope === 'POOL' ? name : null),
    }),
    pipeline: t.string({
      nullable: true,
      description: 'The name of the pipeline; null when it is of a pool.',
      resolve: ({ scope, name }) => (scope === 'PIPELINE' ? name : null),
    }),
    age: t.string({
      nullable: true,
      description: `${AGE}; null: as the pool or server says.`,
      resolve: ({ age }) => ageText(age),
    }),
    runs: t.string({
      nullable: true,
      description: `${RUNS}; null: as the pool or server says.`,
      resolve: ({ runs }) => countText(runs),
    }),
    updatedAt: t.expose('updatedAt', { type: 'DateTime', description: 'When it was set.' }),
    updatedBy: t.exposeString('updatedBy', { description: 'The name of the token that set it.' }),
  }),
});

const RetentionRef = builder.objectRef<RetentionStatus>('Retention').implement({
  role: 'VIEWER',
  description: 'What is kept for how long.',
  fields: (t) => ({
    age: t.string({ description: `${AGE}.`, resolve: ({ limits }) => ageText(limits.runs.age)! }),
    runs: t.string({ description: `${RUNS}.`, resolve: ({ limits }) => countText(limits.runs.runs)! }),
    audit: t.string({
      description: 'How long audit records are kept: a duration, or `never` when they are not deleted.',
      resolve: ({ limits }) => ageText(limits.audit)!,
    }),
    idempotencyKeys: t.field({
      type: 'Duration',
      description: 'How long an idempotency key counts.',
      resolve: ({ limits }) => limits.keys,
    }),
    events: t.field({
      type: 'Duration',
      description: 'How long the event log goes back at most.',
      resolve: ({ limits }) => limits.events,
    }),
    keepsAllByUpgrade: t.boolean({
      description:
        'Whether all runs are kept because nothing is configured and the database is from before runs were deleted.',
      resolve: ({ limits }) => limits.keepsAllByUpgrade,
    }),
    settings: t.field({
      type: [RetentionSettingRef],
      description: 'The rules of pools and pipelines; the most specific one wins, separately for age and number.',
      resolve: ({ settings }) => settings.filter(({ scope }) => scope !== 'SERVER'),
    }),
  }),
});

const SweepRef = builder.objectRef<SweepReport>('RetentionSweep').implement({
  role: 'VIEWER',
  description: 'A search for what has expired, and what it deleted.',
  fields: (t) => ({
    at: t.expose('at', { type: 'DateTime', description: 'When it began.' }),
    duration: t.expose('tookMs', { type: 'Duration', description: 'How long it took, with its pauses.' }),
    longestPiece: t.expose('longestPieceMs', {
      type: 'Duration',
      description: 'The longest piece of its work between two pauses.',
    }),
    runs: t.exposeInt('runs', { description: 'Runs that were deleted.' }),
    events: t.exposeInt('events', { description: 'Batches of the event log.' }),
    commands: t.exposeInt('commands', { description: 'Commands with their receipts.' }),
    auditRecords: t.exposeInt('auditRecords', { description: 'Audit records.' }),
    decisions: t.exposeInt('decisions', { description: 'Decisions.' }),
    versions: t.exposeInt('versions', { description: 'Versions of pipelines that no run has.' }),
    problem: t.exposeString('problem', {
      nullable: true,
      description: 'What broke it off; it goes on at the next one.',
    }),
  }),
});

interface Storage {
  readonly usage: StoreUsage & { readonly folderBytes: number };
  readonly status: RetentionStatus;
}
const StorageRef = builder.objectRef<Storage>('Storage').implement({
  role: 'VIEWER',
  description: 'What this server keeps, and what it takes.',
  fields: (t) => ({
    kinds: t.field({
      type: [StoredKindUsage],
      description: 'By kind.',
      resolve: ({ usage }) => [...usage.kinds],
    }),
    isEstimate: t.boolean({
      description: 'Whether rows and bytes are the database’s estimates (MySQL, MariaDB) or counted (SQLite).',
      resolve: ({ usage }) => usage.isEstimate,
    }),
    databaseBytes: t.float({ description: 'All of the database.', resolve: ({ usage }) => usage.totalBytes }),
    reusableBytes: t.float({
      description: 'Within it, what deleted rows have left: new rows use it before the database grows.',
      resolve: ({ usage }) => usage.reusableBytes,
    }),
    folderBytes: t.float({
      description: 'The data folder of this server: with SQLite the database is in it.',
      resolve: ({ usage }) => usage.folderBytes,
    }),
    oldestRunAt: t.field({
      type: 'DateTime',
      nullable: true,
      description: 'When the oldest run that is kept was created.',
      resolve: ({ usage }) => usage.oldestRunAt,
    }),
    pendingDeletions: t.int({
      description: 'Deleted runs whose tasks and logs still take room.',
      resolve: ({ usage }) => usage.removalCount,
    }),
    retention: t.field({ type: RetentionRef, description: 'What is kept.', resolve: ({ status }) => status }),
    nextSweepAt: t.field({
      type: 'DateTime',
      nullable: true,
      description: 'When this server looks for what has expired next; null when another server does.',
      resolve: ({ status }) => status.nextSweepAt,
    }),
    lastSweep: t.field({
      type: SweepRef,
      nullable: true,
      description: 'The last one since this server started.',
      resolve: ({ status }) => status.lastSweep,
    }),
  }),
});

const PreviewRef = builder.objectRef<RetentionPreview>('RetentionPreview').implement({
  role: 'VIEWER',
  description: 'What the next sweep would delete of a pipeline.',
  fields: (t) => ({
    pipeline: t.exposeString('pipeline', { description: 'The pipeline’s name.' }),
    runs: t.exposeInt('runs', { description: 'How many runs.' }),
    oldestFinishedAt: t.expose('oldestFinishedAt', { type: 'DateTime', description: 'When the first of them ended.' }),
    newestFinishedAt: t.expose('newestFinishedAt', { type: 'DateTime', description: 'When the last of them ended.' }),
  }),
});

builder.queryFields((t) => ({
  storage: t.field({
    type: StorageRef,
    role: 'VIEWER',
    description: 'What this server keeps, and what it takes; some seconds old at most.',
    resolve: async (_, _args, { ports }) => {
      const [usage, status] = await Promise.all([ports.retention.usage(), ports.retention.status()]);
      return { usage, status };
    },
  }),
  retentionPreview: t.field({
    type: [PreviewRef],
    role: 'VIEWER',
    description: 'What the next sweep would delete, by pipeline; nothing is deleted by asking.',
    resolve: async (_, _args, { ports }) => [...(await ports.retention.preview())],
  }),
}));
