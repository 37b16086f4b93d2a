import type { ColumnType, Generated } from 'kysely';

/** A whole number. MySQL answers large ones as text; `whole` in columns.ts makes numbers of both. */
type Whole = ColumnType<number | string, number, number>;
type WholeOrNull = ColumnType<number | string | null, number | null, number | null>;
/** Given by the database. */
type Counter = ColumnType<number | string, never, never>;
/** JSON as text: written with JSON.stringify, read through a schema in columns.ts. */
type JsonText = string;

export interface PipelineTable {
  name: string;
  latest_version: Whole;
  paused: Whole;
  created_at: Whole;
  updated_at: Whole;
  /** Deleted: the versions stay for the runs that pin them, and the count goes on. */
  deleted_at: WholeOrNull;
}

export interface PipelineVersionTable {
  pipeline: string;
  number: Whole;
  definition: JsonText;
  source: string | null;
  hash: string;
  created_at: Whole;
  created_by: string;
}

export interface RunTable {
  run_key: Whole;
  id: string;
  pool: string;
  pipeline: string;
  version: Whole;
  params: JsonText;
  priority: Whole;
  trigger_type: string;
  created_by: string;
  retry_of: string | null;
  created_at: Whole;
  state: string;
  started_at: WholeOrNull;
  finished_at: WholeOrNull;
  reason: JsonText | null;
  task_run_count: Whole;
  finished_count: Whole;
  failed_count: Whole;
  revision: Whole;
}

/** With the latest attempt inline: there is room for one, so at most one can be alive (I1). */
export interface TaskRunTable {
  run_key: Whole;
  ordinal: Whole;
  task_key: string;
  map_index: WholeOrNull;
  state: string;
  attempt_number: WholeOrNull;
  attempt_state: string | null;
  node: string | null;
  assigned_at: WholeOrNull;
  started_at: WholeOrNull;
  attempt_finished_at: WholeOrNull;
  failure: JsonText | null;
  ready_at: WholeOrNull;
  due_at: WholeOrNull;
  finished_at: WholeOrNull;
  failures: Whole;
  losses: Whole;
  outputs: JsonText | null;
  revision: Whole;
}

/** Attempts that a later one has replaced; only ever inserted. */
export interface AttemptTable {
  run_key: Whole;
  ordinal: Whole;
  number: Whole;
  state: string;
  node: string;
  assigned_at: Whole;
  started_at: WholeOrNull;
  finished_at: WholeOrNull;
  failure: JsonText | null;
}

export interface EvidenceTable {
  id: Counter;
  run_key: Whole;
  ordinal: Whole;
  number: Whole;
  at: Whole;
  node: string;
  report: JsonText;
}

export interface NodeTable {
  name: string;
  pool: string;
  connection: string;
  eligibility: string;
  incarnation: Whole;
  labels: JsonText;
  taints: JsonText;
  runners: JsonText;
  agent_version: string;
  running_count: Whole;
  registered_at: Whole;
  heard_at: Whole;
  revision: Whole;
}

/** The count of a node's agents; apart from `node`, which only the engine writes. */
export interface NodeIncarnationTable {
  node: string;
  incarnation: Whole;
}

/** The history of nodes; only ever inserted, and the oldest forgotten. */
export interface NodeRecordTable {
  id: Counter;
  node: string;
  at: Whole;
  type: string;
  incarnation: Whole;
  actor: string | null;
  message: string | null;
}

export interface NodeResourceTable {
  node: string;
  resource: string;
  capacity: Whole;
  /** What CHECK allows: the capacity, or what was reserved when it shrank below that (I4). */
  capacity_limit: Whole;
  reserved: Whole;
  /** The node's revision that wrote it: a row of an older one is of a resource that the node has no longer. */
  revision: Whole;
}

export interface PoolTable {
  name: string;
  scheduler: string;
  scheduler_config: JsonText;
  scheduler_memory: JsonText;
}

/** Which GPUs an attempt has or had; no row for none. */
export interface AttemptGpuTable {
  run_key: Whole;
  ordinal: Whole;
  number: Whole;
  gpus: JsonText;
}

/** What an attempt used up; no row where its runner did not tell. */
export interface AttemptUsageTable {
  run_key: Whole;
  ordinal: Whole;
  number: Whole;
  peak_memory_bytes: WholeOrNull;
  cpu_ms: WholeOrNull;
}

/** What the attempts of a task run saved last for those that come after them. */
export interface TaskRunStateTable {
  run_key: Whole;
  ordinal: Whole;
  /** The attempt that saved it. */
  number: Whole;
  /** Grows with each that it saves. */
  seq: Whole;
  state: JsonText;
}

/** The scheduler that decides beside a pool's own; no row, or an empty name, for none. */
export interface PoolDefaultTable {
  pool: string;
  /** 1 or 0; null for no default. */
  idempotent: WholeOrNull;
}

/** Why a task run ended as it did; no row where the rest of it tells. */
export interface TaskRunReasonTable {
  run_key: Whole;
  ordinal: Whole;
  reason: JsonText;
}

export interface PoolShadowTable {
  pool: string;
  scheduler: string;
  config: JsonText;
}

/** How the placements of one step were decided. */
export interface DecisionTable {
  pool: string;
  seq: Whole;
  at: Whole;
  scheduler: string;
  version: string;
  config_hash: string;
  seed: Whole;
  offered: Whole;
  placed: Whole;
  packed_call: string | null;
}

export interface CommandTable {
  id: Counter;
  pool: string;
  command: JsonText;
  actor: string;
  at: Whole;
  idempotency_key: string | null;
  receipt: JsonText | null;
  run: string | null;
}

/** One row per pool that appenders of commands lock, so that ids become visible in their order. */
export interface CommandGateTable {
  pool: string;
  appended: Whole;
}

export interface EventTable {
  pool: string;
  seq: Whole;
  /** The lease's epoch that wrote it: tells whose a commit was whose answer got lost. */
  epoch: Whole;
  at: Whole;
  body: JsonText;
  /** AssignedLog, which no subscriber needs; null for none. */
  assigned: JsonText | null;
}

export interface LogChunkTable {
  run_key: Whole;
  ordinal: Whole;
  number: Whole;
  seq: Whole;
  stream: string;
  at: Whole;
  text: string;
}

/** A stretch of an ended attempt's output, compressed (log-codec.ts): its chunks are in `log_chunk` no longer. */
export interface LogSegmentTable {
  run_key: Whole;
  ordinal: Whole;
  number: Whole;
  first_seq: Whole;
  last_seq: Whole;
  packed: ColumnType<Uint8Array, Buffer, never>;
}

/** A run that has been deleted and whose other rows are not all gone yet. */
export interface RemovalTable {
  run_key: Whole;
  id: string;
}

/** What is kept of runs; −1 for without limit, null for what the next wider scope says. */
export interface RetentionTable {
  scope: string;
  /** Of the pool or pipeline; empty for the server. */
  name: string;
  age_ms: WholeOrNull;
  runs: WholeOrNull;
  updated_at: Whole;
  updated_by: string;
}

export interface LeaseTable {
  name: string;
  holder: string | null;
  epoch: Whole;
  seq: Whole;
  /** Up to this sequence every logged assignment is in its row. */
  written_seq: Whole;
  expires_at: Whole;
}

export interface TokenTable {
  id: string;
  name: string;
  role: string;
  prefix: string;
  hash: string;
  created_at: Whole;
  expires_at: WholeOrNull;
  revoked_at: WholeOrNull;
  last_used_at: WholeOrNull;
}

export interface AuditTable {
  id: Counter;
  at: Whole;
  actor: string;
  action: string;
  subject: string;
  details: JsonText;
}

/** One row: which database this is (identity.ts). */
export interface DatabaseIdentityTable {
  id: Whole;
  database_id: string;
  made_at: Whole;
  state: string;
}

export interface MigrationTable {
  number: Whole;
  name: string;
  applied_at: Whole;
}

/** One row that a migrating server locks. */
export interface MigrationLockTable {
  id: Whole;
  used: Generated<number>;
}

/** Every table, for Kysely. */
export interface Tables {
  pipeline: PipelineTable;
  pipeline_version: PipelineVersionTable;
  run: RunTable;
  task_run: TaskRunTable;
  attempt: AttemptTable;
  evidence: EvidenceTable;
  node: NodeTable;
  node_incarnation: NodeIncarnationTable;
  node_record: NodeRecordTable;
  node_resource: NodeResourceTable;
  pool: PoolTable;
  pool_shadow: PoolShadowTable;
  pool_default: PoolDefaultTable;
  task_run_reason: TaskRunReasonTable;
  attempt_gpu: AttemptGpuTable;
  attempt_usage: AttemptUsageTable;
  task_run_state: TaskRunStateTable;
  decision: DecisionTable;
  command: CommandTable;
  command_gate: CommandGateTable;
  event: EventTable;
  log_chunk: LogChunkTable;
  log_segment: LogSegmentTable;
  removal: RemovalTable;
  retention: RetentionTable;
  lease: LeaseTable;
  token: TokenTable;
  audit: AuditTable;
  database_identity: DatabaseIdentityTable;
  migration: MigrationTable;
  migration_lock: MigrationLockTable;
}
