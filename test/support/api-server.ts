import { createHash, randomUUID } from 'node:crypto';
import { ROLES, type Role } from '../../server/auth/roles.ts';
import { createTokens, type Tokens } from '../../server/auth/tokens.ts';
import { createApiServer, type ApiServerOptions } from '../../server/api/server.ts';
import type { ApiPorts } from '../../server/api/context.ts';
import { systemClock, type Clock } from '../../server/clock.ts';
import { createCommands } from '../../server/commands/commands.ts';
import { parsePipeline } from '../../server/definition/parse.ts';
import type { Change, StoredTaskRun } from '../../server/domain/change.ts';
import type { EventBatch, RunEventTuple, TaskRunEventTuple } from '../../server/domain/event.ts';
import { runId, type RunId } from '../../server/domain/ids.ts';
import type { Node } from '../../server/domain/node.ts';
import type { NodeRecord } from '../../server/domain/node-record.ts';
import type { PipelineDefinition } from '../../server/domain/pipeline.ts';
import type { Run } from '../../server/domain/run.ts';
import type { TaskRun } from '../../server/domain/task-run.ts';
import { createEvents } from '../../server/events/events.ts';
import { Hub } from '../../server/events/hub.ts';
import { PoolHistory } from '../../server/pool-history.ts';
import { LiveProgress } from '../../server/events/live-progress.ts';
import type { Placement } from '../../server/placement/placement.ts';
import { createLog } from '../../server/log.ts';
import { Retention } from '../../server/retention/retention.ts';
import { openStore } from '../../server/store/open.ts';
import type { HeldLease, Store } from '../../server/store/store.ts';
import { aPlacement } from '../placement/cluster.ts';
import { aDefinition, aTask, someFacts } from './builders.ts';

/** The API over a real store, real events and real commands; only the engine is a small one that obeys at once. */
export interface TestApi {
  readonly url: string;
  readonly store: Store;
  readonly ports: ApiPorts;
  readonly tokens: Tokens;
  /** How far attempts are, to tell of. */
  readonly live: LiveProgress;
  /** A good token for each role. */
  readonly secrets: Readonly<Record<Role, string>>;
  /** What the server noted for its operator. */
  readonly notes: { readonly level: string; readonly message: string; readonly details: Record<string, unknown> }[];
  /** What waits in the default pool, to add to; nothing is placed by itself. */
  readonly placement: Placement;
  /** Reasons for not being ready, to add to. */
  readonly unready: string[];
  /** A pipeline and its version, applied. */
  apply(definition?: PipelineDefinition): Promise<void>;
  /** A run with its task runs, as an engine would have written them. */
  addRun(taskRunCount: number, overrides?: Partial<Run>): Promise<Run>;
  /** Changes a run and tells it. */
  changeRun(run: Run, overrides: Partial<Run>): Promise<Run>;
  /** Changes a task run and tells it. */
  changeTaskRun(run: Run, taskRun: TaskRun, overrides: Partial<TaskRun>): Promise<TaskRun>;
  addNode(name: string): Promise<Node>;
  /** Lets things happen to a node, in one commit. */
  happen(node: Node, ...records: readonly NodeRecord[]): Promise<void>;
  post(body: unknown, options?: PostOptions): Promise<Answer>;
  stop(): Promise<void>;
}
export interface PostOptions {
  readonly token?: string | null;
  readonly headers?: Readonly<Record<string, string>>;
  readonly path?: string;
}
export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  // eslint-disable-next-line typescript/no-explicit-any -- what tests look into has no static shape
  readonly json: any;
}

const POOL = 'default';

export async function startApi(
  options: Partial<ApiServerOptions> & {
    readonly url?: string;
    readonly clock?: Clock;
    readonly wrap?: (store: Store) => Store;
  } = {},
): Promise<TestApi> {
  const clock = options.clock ?? systemClock;
  const opened = await openStore({ url: options.url ?? 'sqlite::memory:', clock });
  const store = options.wrap ? options.wrap(opened) : opened;
  await opened.pools.ensure({
    name: POOL,
    scheduler: 'round-robin',
    schedulerConfig: {},
    schedulerMemory: null,
    shadow: null,
    idempotent: null,
  });
  const lease = (await opened.leases.acquire(POOL, 'test', 3_600_000)) as HeldLease;
  const hub = new Hub();
  const live = new LiveProgress();
  let seq = lease.seq;
  let writing: Promise<unknown> = Promise.resolve();
  const commit = (
    change: Partial<Change>,
    runs: readonly RunEventTuple[] = [],
    taskRuns: readonly TaskRunEventTuple[] = [],
  ) => {
    const done = writing.then(async () => {
      const at = clock.now();
      const nodes = (change.nodes ?? []).map(
        ({ name, connection, eligibility }) => [name, connection, eligibility] as const,
      );
      const receipts = (change.receipts ?? []).map(({ command, receipt }) => [command, receipt] as const);
      const events = { runs, taskRuns, nodes, receipts };
      const batch: EventBatch = { pool: POOL, seq: ++seq, at, ...events };
      await opened.commit(lease, seq, { ...NOTHING, writtenSeq: seq, at, ...change, events });
      hub.publish(batch);
      if (change.nodes !== undefined)
        hub.loadsChanged(
          POOL,
          change.nodes.map(({ name }) => name),
        );
      return seq;
    });
    writing = done.catch(() => undefined);
    return done;
  };

  const notes: { level: string; message: string; details: Record<string, unknown> }[] = [];
  const unready: string[] = [];
  const placement = aPlacement([]);
  const tokens = createTokens(store, clock);
  let lastCommand = 0;
  const obey = async () => {
    for (const { id, command } of await opened.commands.pending(POOL, lastCommand, 100)) {
      lastCommand = id;
      if (command.type === 'TRIGGER_RUN') {
        const version = (
          await opened.pipelines.versions([{ pipeline: command.pipeline, number: command.version }])
        )[0]!;
        const run = aRun(id, command.run, {
          pipeline: command.pipeline,
          version: command.version,
          params: command.params,
          priority: command.priority,
          taskRunCount: version.definition.tasks.length,
          createdAt: clock.now(),
        });
        const created = version.definition.tasks.map((task, ordinal) => aTaskRun(run, ordinal, { taskKey: task.key }));
        await commit(
          {
            createdRuns: [run],
            createdTaskRuns: created,
            receipts: [{ command: id, receipt: { ok: true }, run: run.id }],
          },
          [[run.id, run.pipeline, run.state, 1]],
        );
      } else if (command.type === 'CANCEL_RUN') {
        const [run] = await opened.runs.byIds([command.run]);
        const isOver = run!.finishedAt !== null;
        await commit({
          ...(isOver ? {} : { changedRuns: [{ ...run!, state: 'CANCELLED' as const, finishedAt: clock.now() }] }),
          receipts: [
            {
              command: id,
              receipt: isOver
                ? { ok: false, code: 'RUN_ALREADY_FINISHED', message: 'The run has ended.' }
                : { ok: true },
            },
          ],
        });
      } else await commit({ receipts: [{ command: id, receipt: { ok: true } }] });
    }
  };
  const ports: ApiPorts = {
    store,
    clock,
    tokens,
    progress: live,
    history: new PoolHistory([], () => null, clock),
    retention: new Retention({
      store,
      hub,
      clock,
      log: createLog('silent', 'json'),
      configured: {
        age: null,
        runs: null,
        audit: null,
        keys: 7 * 86_400_000,
        events: 7 * 86_400_000,
        interval: 60_000,
      },
      dataDir: '/nonexistent',
      isOwner: () => true,
    }),
    events: createEvents(store, hub, live, clock),
    commands: createCommands(store, hub, clock, () => void obey()),
    pipelines: {
      parse(input) {
        const parsed = parsePipeline(input, { checkRunner: () => [] });
        if (!parsed.ok) return parsed;
        const hash = createHash('sha256').update(parsed.canonical).digest('hex');
        return { ok: true, definition: parsed.definition, source: parsed.source, hash };
      },
    },
    plugins: {
      list: () => [
        {
          kind: 'RUNNER',
          name: 'mock',
          version: '1.0.0',
          contract: '1.0',
          summary: 'Does as it is told.',
          configSchema: { type: 'object' },
          state: 'LOADED',
          reason: null,
        },
      ],
    },
    placement: {
      explain: () => null,
      queuePage: (pool, range, filter) => (pool === POOL ? placement.inspection.page(range, filter) : null),
      queueOverview: (pool) => (pool === POOL ? placement.inspection.overview : null),
      reasonOf: (_, taskRun) => placement.inspection.reasonOf(taskRun),
      queueMark: (pool) => (pool === POOL ? placement.inspection.mark : null),
      status: () => ({
        schedulerVersion: '1.0.0',
        schedulerState: 'HEALTHY',
        schedulerCounts: { calls: 0, decisions: 0, refusals: 0, faults: 0 },
        schedulerReason: null,
        queueLength: placement.pendingCount,
        runningCount: 0,
        utilization: [],
        shadow: null,
        heldNodes: placement.heldNodes,
      }),
    },
    decisions: {
      ofAttempt: () => Promise.resolve(null),
      placements: () => null,
      candidates: () => null,
      rerun: () => ({ ok: false, reason: { code: 'CALL_NOT_KEPT', message: 'Nothing is decided here.' } }),
    },
    storage: { problem: null },
    schedulers: { check: () => [] },
    maintenance: {
      backups: () => Promise.resolve([]),
      backUp: () => Promise.resolve(null),
      examine: () => Promise.resolve(null),
    },
    simulation: {
      node: () => null,
      simulate: () => null,
      replay: () => Promise.reject(new Error('No pool is run here.')),
    },
    health: { reasons: () => Promise.resolve(unready) },
    newRunId: () => runId(uuid7(clock.now())),
    log: (level, message, details) => notes.push({ level, message, details }),
  };
  await tokens.start();
  const secrets = {} as Record<Role, string>;
  for (const role of ROLES) {
    secrets[role] = (await tokens.create({ name: role.toLowerCase(), role, expiresInMs: null }, 'test'))!.secret;
  }
  const server = createApiServer(ports, { host: '127.0.0.1', port: 0, ...options });
  await server.start();
  let nextKey = 1_000_000;
  return {
    url: server.url,
    store,
    ports,
    tokens,
    live,
    secrets,
    notes,
    unready,
    placement,
    async apply(definition = aDefinition([aTask('one'), aTask('two')])) {
      const hash = createHash('sha256').update(JSON.stringify(definition)).digest('hex');
      await opened.pipelines.apply(definition, { source: null, hash, actor: 'test', at: clock.now() });
    },
    async addRun(taskRunCount, overrides = {}) {
      const run = aRun(nextKey++, runId(uuid7(clock.now())), { taskRunCount, createdAt: clock.now(), ...overrides });
      const created = Array.from({ length: taskRunCount }, (_, ordinal) => aTaskRun(run, ordinal, {}));
      await commit({ createdRuns: [run], createdTaskRuns: created }, [[run.id, run.pipeline, run.state, 1]]);
      return run;
    },
    async changeRun(run, overrides) {
      const changed = { ...run, ...overrides };
      await commit({ changedRuns: [changed] }, [[run.id, run.pipeline, changed.state, 1]]);
      return changed;
    },
    async changeTaskRun(run, taskRun, overrides) {
      const changed: StoredTaskRun = { ...taskRun, ...overrides, runKey: run.key };
      await commit(
        { changedTaskRuns: [changed] },
        [[run.id, run.pipeline, run.state, 0]],
        [[0, changed.ordinal, changed.state, changed.attempt?.number ?? 0]],
      );
      return changed;
    },
    async addNode(name) {
      const node: Node = {
        ...someFacts(name),
        connection: 'READY',
        eligibility: 'ELIGIBLE',
        incarnation: 1,
        reserved: { slots: 0 },
        runningCount: 0,
        registeredAt: clock.now(),
        heardAt: clock.now(),
        revision: 0,
      };
      await commit({ nodes: [node] });
      return node;
    },
    async happen(node, ...records) {
      await commit({ nodes: [node], nodeRecords: records });
    },
    async post(body, { token = secrets.ADMIN, headers = {}, path = '/graphql' } = {}) {
      const response = await fetch(server.url + path, {
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          ...(token === null ? {} : { authorization: `Bearer ${token}` }),
          ...headers,
        },
        body: typeof body === 'string' ? body : JSON.stringify(body),
      });
      return answerOf(response);
    },
    async stop() {
      await server.stop();
      await tokens.stop();
      await writing;
      await opened.close();
    },
  };
}

/** Reads a response to its end. */
export async function answerOf(response: Response): Promise<Answer> {
  const text = await response.text();
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    json = undefined;
  }
  return { status: response.status, headers: response.headers, text, json };
}

const NOTHING: Omit<Change, 'at' | 'events'> = {
  createdRuns: [],
  changedRuns: [],
  countedRuns: [],
  createdTaskRuns: [],
  changedTaskRuns: [],
  assigned: { nodes: [], tasks: [] },
  writtenSeq: 0,
  supersededAttempts: [],
  evidence: [],
  gpus: [],
  usages: [],
  reasons: [],
  nodeRecords: [],
  nodes: [],
  receipts: [],
};

function aRun(key: number, id: RunId, overrides: Partial<Run>): Run {
  return {
    id,
    key,
    pool: POOL,
    pipeline: 'work',
    version: 1,
    params: {},
    priority: 0,
    trigger: 'MANUAL',
    createdBy: 'test',
    retryOf: null,
    createdAt: 0,
    state: 'QUEUED',
    startedAt: null,
    finishedAt: null,
    reason: null,
    taskRunCount: 0,
    finishedCount: 0,
    failedCount: 0,
    revision: 0,
    ...overrides,
  };
}

function aTaskRun(run: Run, ordinal: number, overrides: Partial<TaskRun>): StoredTaskRun {
  return {
    run: run.id,
    runKey: run.key,
    ordinal,
    taskKey: ordinal % 2 === 0 ? 'one' : 'two',
    mapIndex: null,
    state: 'READY',
    attempt: null,
    readyAt: run.createdAt,
    dueAt: null,
    finishedAt: null,
    failures: 0,
    losses: 0,
    outputs: null,
    revision: 0,
    ...overrides,
  };
}

let sequence = 0;

/** A UUIDv7 whose order is the order of the calls. */
function uuid7(now: number): string {
  const time = now.toString(16).padStart(12, '0');
  const count = (sequence = (sequence + 1) % 0x1000).toString(16).padStart(3, '0');
  return `${time.slice(0, 8)}-${time.slice(8)}-7${count}-8${randomUUID().slice(20)}`;
}
