import type { Reason } from '@gantry/plugin-kit/vocabulary';
import type {
  AttemptUsage,
  Change,
  Evidence,
  HeldGpus,
  StoredTaskRun,
  SupersededAttempt,
  TaskRunReason,
} from '../../domain/change.ts';
import type { DecisionRow } from '../../domain/decision.ts';
import type { Node } from '../../domain/node.ts';
import type { NodeRecord } from '../../domain/node-record.ts';
import type { PoolUpdate } from '../../domain/pool.ts';
import type { Run } from '../../domain/run.ts';

/** What a row's columns become, in the order of the column lists below. The keys come last, as in UPDATE … WHERE. */
export type Value = string | number | null;

/** Columns of `run` that change. */
export const RUN_CHANGING = [
  'state',
  'started_at',
  'finished_at',
  'reason',
  'task_run_count',
  'finished_count',
  'failed_count',
  'revision',
] as const;
/** Columns of `run` that never change. */
export const RUN_FIXED = [
  'id',
  'pool',
  'pipeline',
  'version',
  'params',
  'priority',
  'trigger_type',
  'created_by',
  'retry_of',
  'created_at',
] as const;
/** RUN_CHANGING, then `run_key`. */
export function changedRun(run: Run): Value[] {
  return [
    run.state,
    run.startedAt,
    run.finishedAt,
    run.reason === null ? null : JSON.stringify(run.reason),
    run.taskRunCount,
    run.finishedCount,
    run.failedCount,
    run.revision,
    run.key,
  ];
}
/** Columns of `run` that change whenever tasks end. */
export const RUN_COUNTS = ['task_run_count', 'finished_count', 'failed_count', 'revision'] as const;
/** RUN_COUNTS, then `run_key`. */
export const countedRun = (run: Run): Value[] => [
  run.taskRunCount,
  run.finishedCount,
  run.failedCount,
  run.revision,
  run.key,
];
/** RUN_FIXED, RUN_CHANGING, then `run_key`. */
export function createdRun(run: Run): Value[] {
  return [
    run.id,
    run.pool,
    run.pipeline,
    run.version,
    JSON.stringify(run.params),
    run.priority,
    run.trigger,
    run.createdBy,
    run.retryOf,
    run.createdAt,
    ...changedRun(run),
  ];
}

/** Columns of `task_run` that change; `task_key` never does. */
export const TASK_RUN_CHANGING = [
  'map_index',
  'state',
  'attempt_number',
  'attempt_state',
  'node',
  'assigned_at',
  'started_at',
  'attempt_finished_at',
  'failure',
  'ready_at',
  'due_at',
  'finished_at',
  'failures',
  'losses',
  'outputs',
  'revision',
] as const;
/** Adds TASK_RUN_CHANGING, `run_key`, `ordinal` to a flat list: there are thousands in a batch. */
export function pushTaskRun(values: Value[], taskRun: StoredTaskRun): void {
  const { attempt } = taskRun;
  if (attempt === null) {
    values.push(taskRun.mapIndex, taskRun.state, null, null, null, null, null, null, null);
  } else {
    values.push(
      taskRun.mapIndex,
      taskRun.state,
      attempt.number,
      attempt.state,
      attempt.node,
      attempt.assignedAt,
      attempt.startedAt,
      attempt.finishedAt,
      attempt.failure === null ? null : JSON.stringify(attempt.failure),
    );
  }
  values.push(
    taskRun.readyAt,
    taskRun.dueAt,
    taskRun.finishedAt,
    taskRun.failures,
    taskRun.losses,
    taskRun.outputs === null ? null : JSON.stringify(taskRun.outputs),
    taskRun.revision,
    taskRun.runKey,
    taskRun.ordinal,
  );
}

/** A run's row as it is now. */
export const runImage = (run: Run): Run => ({ ...run, taskRunCount: run.taskRunCount });
/** A task run's row as it is now. Field by field: most of the engine's are getters. */
export const taskRunImage = (taskRun: StoredTaskRun): StoredTaskRun => ({
  run: taskRun.run,
  runKey: taskRun.runKey,
  ordinal: taskRun.ordinal,
  taskKey: taskRun.taskKey,
  mapIndex: taskRun.mapIndex,
  state: taskRun.state,
  attempt: taskRun.attempt === null ? null : { ...taskRun.attempt },
  readyAt: taskRun.readyAt,
  dueAt: taskRun.dueAt,
  finishedAt: taskRun.finishedAt,
  failures: taskRun.failures,
  losses: taskRun.losses,
  outputs: taskRun.outputs,
  revision: taskRun.revision,
});

/** Columns of `attempt`. */
export const ATTEMPT_COLUMNS = [
  'run_key',
  'ordinal',
  'number',
  'state',
  'node',
  'assigned_at',
  'started_at',
  'finished_at',
  'failure',
] as const;
export function supersededAttempt({ runKey, ordinal, attempt }: SupersededAttempt): Value[] {
  const { number, state, node, assignedAt, startedAt, finishedAt, failure } = attempt;
  const failureText = failure === null ? null : JSON.stringify(failure);
  return [runKey, ordinal, number, state, node, assignedAt, startedAt, finishedAt, failureText];
}

/** Columns of `attempt_gpu`. */
export const GPU_COLUMNS = ['run_key', 'ordinal', 'number', 'gpus'];
export const gpuRow = ({ runKey, ordinal, number, gpus }: HeldGpus): Value[] => [
  runKey,
  ordinal,
  number,
  JSON.stringify(gpus),
];

/** Columns of `attempt_usage`. */
export const USAGE_COLUMNS = ['run_key', 'ordinal', 'number', 'peak_memory_bytes', 'cpu_ms'];
export const usageRow = ({ runKey, ordinal, number, usage }: AttemptUsage): Value[] => [
  runKey,
  ordinal,
  number,
  usage.peakMemoryBytes ?? null,
  usage.cpuMs ?? null,
];

/** Columns of `task_run_reason`. */
export const REASON_COLUMNS = ['run_key', 'ordinal', 'reason'];
/** Rows of `task_run_reason`. One event is often the reason of thousands: its text is made once. */
export function reasonRows(reasons: readonly TaskRunReason[]): Value[][] {
  const texts = new Map<Reason, string>();
  return reasons.map(({ runKey, ordinal, reason }) => {
    let text = texts.get(reason);
    if (text === undefined) texts.set(reason, (text = JSON.stringify(reason)));
    return [runKey, ordinal, text];
  });
}

/** Columns of `pool_default`, the key first, and its row. */
export const POOL_DEFAULT_COLUMNS = ['pool', 'idempotent'];
export const poolDefaultRow = (pool: string, idempotent: boolean | null): Value[] => [
  pool,
  idempotent === null ? null : Number(idempotent),
];

/** Columns of `pool_shadow`, and its row for what a pool is from now on. */
export const SHADOW_COLUMNS = ['pool', 'scheduler', 'config'];
export const shadowRow = (pool: string, { shadow }: PoolUpdate): Value[] => [
  pool,
  shadow?.scheduler ?? '',
  JSON.stringify(shadow?.config ?? {}),
];

/** The pool's own columns, and its name: the new scheduler remembers nothing. */
export const POOL_CHANGING = ['scheduler', 'scheduler_config', 'scheduler_memory'];
export const poolRow = (pool: string, { scheduler, config }: PoolUpdate): Value[] => [
  scheduler,
  JSON.stringify(config),
  'null',
  pool,
];

/** Columns of `decision`. */
export const DECISION_COLUMNS = [
  'pool',
  'seq',
  'at',
  'scheduler',
  'version',
  'config_hash',
  'seed',
  'offered',
  'placed',
  'packed_call',
];
export const decisionRow = (pool: string, seq: number, row: DecisionRow): Value[] => [
  pool,
  seq,
  row.at,
  row.scheduler,
  row.version,
  row.configHash,
  row.seed,
  row.offered,
  row.placed,
  row.call,
];

/** Columns of `evidence`, but for its id. */
export const EVIDENCE_COLUMNS = ['run_key', 'ordinal', 'number', 'at', 'node', 'report'] as const;
export const evidenceRow = ({ runKey, ordinal, number, at, node, report }: Evidence): Value[] => [
  runKey,
  ordinal,
  number,
  at,
  node,
  JSON.stringify(report),
];

/** Columns of `node` but for its name, which is its key and comes last. */
export const NODE_COLUMNS = [
  'pool',
  'connection',
  'eligibility',
  'incarnation',
  'labels',
  'taints',
  'runners',
  'agent_version',
  'running_count',
  'registered_at',
  'heard_at',
  'revision',
] as const;
export function nodeRow(node: Node): Value[] {
  return [
    node.pool,
    node.connection,
    node.eligibility,
    node.incarnation,
    JSON.stringify(node.labels),
    JSON.stringify(node.taints),
    JSON.stringify(node.runners),
    node.agentVersion,
    node.runningCount,
    node.registeredAt,
    node.heardAt,
    node.revision,
    node.name,
  ];
}

/** Columns of `node_record`, but for its id. */
export const NODE_RECORD_COLUMNS = ['node', 'at', 'type', 'incarnation', 'actor', 'message'];
export const nodeRecordRow = ({ node, at, type, incarnation, actor, message }: NodeRecord): Value[] => [
  node,
  at,
  type,
  incarnation,
  actor,
  message,
];

/** One resource of a node in a change. */
export type ResourceImage = Readonly<
  Record<'node' | 'resource', string> & Record<'capacity' | 'reserved' | 'revision', number>
>;
/** Every resource that a node has or holds something of. */
export function resourceImages(nodes: readonly Node[]): ResourceImage[] {
  const images: ResourceImage[] = [];
  for (const { name, capacity, reserved, revision } of nodes) {
    for (const resource of Object.keys(capacity)) {
      images.push({
        node: name,
        resource,
        capacity: capacity[resource] ?? 0,
        reserved: reserved[resource] ?? 0,
        revision,
      });
    }
    for (const resource of Object.keys(reserved)) {
      if (!(resource in capacity))
        images.push({ node: name, resource, capacity: 0, reserved: reserved[resource] ?? 0, revision });
    }
  }
  return images;
}

/** The body of the batch's event row. */
export const eventBody = (change: Change): string => JSON.stringify(change.events);
/** What it logs beside the body; null for nothing. */
export const assignedBody = ({ assigned }: Change): string | null =>
  assigned.tasks.length === 0 ? null : JSON.stringify(assigned);
