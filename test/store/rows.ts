import { systemClock } from '../../server/clock.ts';
import type { Attempt } from '../../server/domain/attempt.ts';
import type { Change, StoredTaskRun } from '../../server/domain/change.ts';
import { runId, type RunId } from '../../server/domain/ids.ts';
import type { Node } from '../../server/domain/node.ts';
import type { Run } from '../../server/domain/run.ts';
import { openStore, type StoreOptions } from '../../server/store/open.ts';
import type { HeldLease, Store } from '../../server/store/store.ts';
import { aDefinition, aTask, someFacts } from '../support/builders.ts';

/** Longer than any test. */
export const LONG_MS = 600_000;

/** Opens a store on the machine's clock. */
export const open = (url: string, options: Partial<StoreOptions> = {}): Promise<Store> =>
  openStore({ url, clock: systemClock, ...options });

/** Ids that sort in the order of their numbers, as UUIDv7s do. */
export const idOf = (number: number): RunId => runId(`0190f3a0-0000-7000-8000-${String(number).padStart(12, '0')}`);

/** A run of version 1 of the pipeline `work`. */
export function aRun(key: number, overrides: Partial<Run> = {}): Run {
  return {
    id: idOf(key),
    key,
    pool: 'default',
    pipeline: 'work',
    version: 1,
    params: {},
    priority: 0,
    trigger: 'MANUAL',
    createdBy: 'someone',
    retryOf: null,
    createdAt: 1_000 + key,
    state: 'QUEUED',
    startedAt: null,
    finishedAt: null,
    reason: null,
    taskRunCount: 0,
    finishedCount: 0,
    failedCount: 0,
    revision: 1,
    ...overrides,
  };
}

export function aTaskRun(runKey: number, ordinal: number, overrides: Partial<StoredTaskRun> = {}): StoredTaskRun {
  return {
    run: idOf(runKey),
    runKey,
    ordinal,
    taskKey: 'a',
    mapIndex: null,
    state: 'WAITING',
    attempt: null,
    readyAt: null,
    dueAt: null,
    finishedAt: null,
    failures: 0,
    losses: 0,
    outputs: null,
    revision: 1,
    ...overrides,
  };
}

export const anAttempt = (overrides: Partial<Attempt> = {}): Attempt => ({
  number: 1,
  node: 'node-1',
  state: 'ASSIGNED',
  assignedAt: 2_000,
  startedAt: null,
  finishedAt: null,
  failure: null,
  ...overrides,
});

export const aNode = (name: string, overrides: Partial<Node> = {}): Node => ({
  ...someFacts(name),
  connection: 'READY',
  eligibility: 'ELIGIBLE',
  incarnation: 1,
  reserved: { slots: 0 },
  runningCount: 0,
  registeredAt: 1_000,
  heardAt: 1_000,
  revision: 1,
  ...overrides,
});

/** What one step changed; nothing by default. */
export const aChange = (overrides: Partial<Change> = {}): Change => ({
  at: 5_000,
  createdRuns: [],
  changedRuns: [],
  countedRuns: [],
  createdTaskRuns: [],
  changedTaskRuns: [],
  supersededAttempts: [],
  assigned: { nodes: [], tasks: [] },
  writtenSeq: 0,
  evidence: [],
  gpus: [],
  usages: [],
  reasons: [],
  nodes: [],
  nodeRecords: [],
  receipts: [],
  events: { runs: [], taskRuns: [], nodes: [], receipts: [] },
  ...overrides,
});

/** Takes the lease of the pool. */
export async function ownerOf(store: Store, pool = 'default', holder = 'me'): Promise<HeldLease> {
  const lease = await store.leases.acquire(pool, holder, LONG_MS);
  if (!lease) throw new Error(`${pool} is owned by somebody else.`);
  return lease;
}

/** Commits changes one after the other, as an engine does. */
export function committer(store: Store, lease: HeldLease): (overrides: Partial<Change>) => Promise<void> {
  let { seq } = lease;
  return (overrides) => store.commit(lease, (seq += 1), aChange(overrides));
}

/** Stores version 1 of the pipeline `work`. */
export async function applyWork(store: Store, name = 'work'): Promise<void> {
  const facts = { source: null, hash: 'hash of work', actor: 'someone', at: 1_000 };
  await store.pipelines.apply(aDefinition([aTask('a')], { name }), facts);
}
