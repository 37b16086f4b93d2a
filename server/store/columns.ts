import * as z from 'zod';
import type { Json, JsonObject, Reason, Resources } from '@gantry/plugin-kit/vocabulary';
import { attemptTransitions, type AttemptState } from '../domain/attempt.ts';
import type { Command, Receipt } from '../domain/command.ts';
import { FAILURE_KINDS, type Failure } from '../domain/failure.ts';
import type { RunId } from '../domain/ids.ts';
import { connectionTransitions, eligibilityTransitions, type NodeRunner, type Taint } from '../domain/node.ts';
import { nodeRecordTypes } from '../domain/node-record.ts';
import { LABEL_OPERATORS } from '../domain/label-rule.ts';
import type { PipelineDefinition } from '../domain/pipeline.ts';
import { runTransitions } from '../domain/run.ts';
import { taskRunTransitions } from '../domain/task-run.ts';

/** What is stored is not what this program writes: damage, or somebody else's hand. Names table, column and key. */
export class CorruptRow extends Error {
  override readonly name = 'CorruptRow';
  readonly column: string;
  constructor(table: string, key: string | number, column: string, why: string) {
    super(
      `The database holds a corrupt row: table ${table}, key ${key}, column ${column}: ${why}. Restore it from a backup.`,
    );
    this.column = column;
  }
}

/** A whole number, also where the driver answers with text. Throws CorruptRow. */
export function whole(value: number | string, table: string, column: string, key: string | number = '?'): number {
  const number = typeof value === 'number' ? value : Number(value);
  if (!Number.isSafeInteger(number)) throw new CorruptRow(table, key, column, `${String(value)} is not a whole number`);
  return number;
}

/** The latest moment that a Date can hold. */
const LAST_MOMENT = 8.64e15;

/** A time in milliseconds since the epoch. Throws CorruptRow. */
export function time(value: number | string, table: string, column: string, key: string | number = '?'): number {
  const ms = whole(value, table, column, key);
  if (Math.abs(ms) > LAST_MOMENT) throw new CorruptRow(table, key, column, `${ms} is no time`);
  return ms;
}

/** As `time`, of a column that may be empty. */
export const timeOrNull = (
  value: number | string | null,
  table: string,
  column: string,
  key: string | number = '?',
): number | null => (value === null ? null : time(value, table, column, key));

/** Reads one word of a list. Throws CorruptRow. */
export function wordOf<Word extends string>(words: Readonly<Record<Word, unknown>>, table: string, column: string) {
  const known = new Map<string, Word>((Object.keys(words) as Word[]).map((word) => [word, word]));
  return (value: string, key: string | number): Word => {
    const word = known.get(value);
    if (word === undefined)
      throw new CorruptRow(
        table,
        key,
        column,
        `${JSON.stringify(value)} is not one of ${[...known.keys()].join(', ')}`,
      );
    return word;
  };
}

/** A reader of a JSON column. Throws CorruptRow. */
export type JsonColumn<Value> = (text: string, key: string | number) => Value;

/** A JSON column, checked against a schema. */
export function jsonColumn<Value>(table: string, column: string, schema: z.ZodType<Value>): JsonColumn<Value> {
  return (text, key) => {
    const result = schema.safeParse(parse(text, table, column, key));
    if (!result.success) {
      const issue = result.error.issues[0];
      throw new CorruptRow(
        table,
        key,
        column,
        `${issue?.message ?? 'invalid'} at ${issue?.path.join('.') || 'the top'}`,
      );
    }
    return result.data;
  };
}

/** A JSON column that is an object and nothing more is known of it; without a schema, because there are many of them. */
export function objectColumn(table: string, column: string): JsonColumn<JsonObject> {
  return (text, key) => {
    const value = parse(text, table, column, key);
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      throw new CorruptRow(table, key, column, 'not an object');
    }
    return value as JsonObject;
  };
}

function parse(text: string, table: string, column: string, key: string | number): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new CorruptRow(table, key, column, (error as Error).message);
  }
}

/** The number of a query that answers in one row how many there are. */
export const countOf = (row: { readonly count: number | string | bigint }): number => Number(row.count);

const json = z.json() as z.ZodType<Json>;
const jsonObject = z.record(z.string(), json) as z.ZodType<JsonObject>;
const strings = z.record(z.string(), z.string());
const resources = z.record(z.string(), z.number()) as z.ZodType<Resources>;
const runIdText = z.string() as unknown as z.ZodType<RunId>;
/** Optional fields may be absent, never undefined, in what was JSON. */
const stored = <Value>(schema: z.ZodType): z.ZodType<Value> => schema as z.ZodType<Value>;

const reason = stored<Reason>(z.object({ code: z.string(), message: z.string(), remedy: z.string().optional() }));
const failure = stored<Failure>(
  z.object({ kind: z.enum(FAILURE_KINDS), reason, exitCode: z.number().optional(), signal: z.string().optional() }),
);
const receipt = stored<Receipt>(
  z.discriminatedUnion('ok', [
    z.object({ ok: z.literal(true) }),
    z.object({
      ok: z.literal(false),
      code: z.enum([
        'RUN_NOT_FOUND',
        'PIPELINE_NOT_FOUND',
        'INTERNAL_ERROR',
        'RUN_ALREADY_FINISHED',
        'RUN_NOT_FINISHED',
        'NODE_NOT_FOUND',
        'TASK_NOT_FOUND',
      ]),
      message: z.string(),
    }),
  ]),
);
const schedulerChoice = z.object({ scheduler: z.string(), config: jsonObject });
const command = stored<Command>(
  z.discriminatedUnion('type', [
    z.object({
      type: z.literal('TRIGGER_RUN'),
      run: runIdText,
      pipeline: z.string(),
      version: z.number(),
      params: z.record(z.string(), json),
      priority: z.number(),
    }),
    z.object({ type: z.literal('CANCEL_RUN'), run: runIdText, message: z.string().optional() }),
    z.object({
      type: z.literal('RETRY_RUN'),
      of: runIdText,
      run: runIdText,
      from: z.enum(['FAILED', 'ALL', 'TASKS']),
      tasks: z.array(z.string()),
    }),
    z.object({ type: z.enum(['PAUSE_RUN', 'RESUME_RUN']), run: runIdText }),
    z.object({ type: z.enum(['CORDON_NODE', 'UNCORDON_NODE']), node: z.string(), message: z.string().optional() }),
    z.object({
      type: z.literal('UPDATE_POOL'),
      update: schedulerChoice.extend({ shadow: schedulerChoice.nullable() }).nullable(),
      idempotent: z.boolean().nullable().optional(),
    }),
  ]),
);

const labelRule = z.object({ label: z.string(), operator: z.enum(LABEL_OPERATORS), values: z.array(z.string()) });
const placementRules = z.object({
  require: z.array(labelRule),
  prefer: z.array(labelRule.extend({ weight: z.number() })),
  perNode: z.object({ max: z.number(), among: z.enum(['TASK', 'RUN', 'PIPELINE']) }).nullable(),
  exclusive: z.boolean(),
  spread: z.object({ label: z.string(), required: z.boolean() }).nullable(),
  near: z.object({ task: z.string(), required: z.boolean(), weight: z.number() }).nullable(),
  gang: z.object({ timeoutMs: z.number().nullable() }).nullable(),
});
const task = z.object({
  key: z.string(),
  description: z.string(),
  runner: z.string(),
  with: jsonObject,
  env: strings,
  needs: z.array(z.string()),
  forEach: z.union([z.array(json), z.string(), z.null()]),
  resources,
  nodeSelector: strings,
  tolerations: z.array(z.object({ key: z.string(), value: z.string().optional() })),
  // Absent in what was applied before there were such rules.
  placement: placementRules.loose().nullable().default(null),
  retry: z.object({
    max: z.number(),
    backoff: z.enum(['constant', 'exponential']),
    delayMs: z.number(),
    maxDelayMs: z.number(),
  }),
  timeoutMs: z.number().nullable(),
  killGraceMs: z.number(),
  allowFailure: z.boolean(),
  onNodeLost: z.literal('RETRY'),
  // Absent in what was applied before tasks could say so.
  idempotent: z.boolean().nullable().default(null),
});
const param = z.object({
  type: z.enum(['string', 'integer', 'number', 'boolean', 'json']),
  description: z.string(),
  default: json.optional(),
  options: z.array(json).optional(),
});
// Loose: a definition of a later minor version may say more, and must not lose it.
const definition = stored<PipelineDefinition>(
  z.looseObject({
    name: z.string(),
    description: z.string(),
    pool: z.string(),
    priority: z.number(),
    params: z.record(z.string(), param.loose()),
    tasks: z.array(task.loose()),
  }),
);
const taints = stored<readonly Taint[]>(
  z.array(z.object({ key: z.string(), value: z.string().optional(), effect: z.literal('NO_SCHEDULE') })),
);
const runners = stored<readonly NodeRunner[]>(
  z.array(
    z.object({
      name: z.string(),
      version: z.string(),
      health: z.enum(['HEALTHY', 'UNHEALTHY', 'ABSENT']),
      message: z.string().optional(),
      enforces: z.array(z.string()).optional(),
    }),
  ),
);

const attemptStates = attemptTransitions as Readonly<Record<AttemptState, unknown>>;

/** Readers of every column that is not a plain text or number, by table. */
export const columns = {
  pipelineVersion: { definition: jsonColumn('pipeline_version', 'definition', definition) },
  run: {
    params: objectColumn('run', 'params'),
    reason: jsonColumn('run', 'reason', reason),
    state: wordOf(runTransitions, 'run', 'state'),
    trigger: wordOf({ MANUAL: 0, RETRY: 0 }, 'run', 'trigger_type'),
  },
  taskRun: {
    state: wordOf(taskRunTransitions, 'task_run', 'state'),
    attemptState: wordOf(attemptStates, 'task_run', 'attempt_state'),
    failure: jsonColumn('task_run', 'failure', failure),
    outputs: objectColumn('task_run', 'outputs'),
  },
  attempt: {
    state: wordOf(attemptStates, 'attempt', 'state'),
    failure: jsonColumn('attempt', 'failure', failure),
  },
  attemptGpu: { gpus: jsonColumn('attempt_gpu', 'gpus', stored<readonly number[]>(z.array(z.number()))) },
  taskRunReason: { reason: jsonColumn('task_run_reason', 'reason', reason) },
  taskRunState: { state: jsonColumn('task_run_state', 'state', json) },
  evidence: { report: jsonColumn('evidence', 'report', json) },
  node: {
    connection: wordOf(connectionTransitions, 'node', 'connection'),
    eligibility: wordOf(eligibilityTransitions, 'node', 'eligibility'),
    labels: jsonColumn('node', 'labels', strings),
    taints: jsonColumn('node', 'taints', taints),
    runners: jsonColumn('node', 'runners', runners),
  },
  nodeRecord: { type: wordOf(nodeRecordTypes, 'node_record', 'type') },
  pool: {
    schedulerConfig: jsonColumn('pool', 'scheduler_config', json),
    schedulerMemory: jsonColumn('pool', 'scheduler_memory', json),
  },
  poolShadow: { config: objectColumn('pool_shadow', 'config') },
  command: { command: jsonColumn('command', 'command', command), receipt: jsonColumn('command', 'receipt', receipt) },
  event: { body: objectColumn('event', 'body'), assigned: objectColumn('event', 'assigned') },
  logChunk: { stream: wordOf({ STDOUT: 0, STDERR: 0, SYSTEM: 0 }, 'log_chunk', 'stream') },
  token: { role: wordOf({ VIEWER: 0, OPERATOR: 0, AUTHOR: 0, ADMIN: 0, NODE: 0 }, 'token', 'role') },
  audit: { details: objectColumn('audit', 'details') },
} as const;
