import type { StoredKind } from './retention-store.ts';
import type { Tables } from './tables.ts';

/** What the rows of each table are of. */
export const KIND_OF_TABLE: Readonly<Record<keyof Tables, StoredKind>> = {
  run: 'RUNS',
  task_run: 'RUNS',
  attempt: 'RUNS',
  attempt_usage: 'RUNS',
  attempt_gpu: 'RUNS',
  evidence: 'RUNS',
  task_run_reason: 'RUNS',
  task_run_state: 'RUNS',
  removal: 'RUNS',
  log_chunk: 'LOGS',
  log_segment: 'LOGS',
  event: 'EVENTS',
  command: 'COMMANDS',
  command_gate: 'COMMANDS',
  decision: 'DECISIONS',
  audit: 'AUDIT',
  pipeline: 'PIPELINES',
  pipeline_version: 'PIPELINES',
  node: 'NODES',
  node_incarnation: 'NODES',
  node_record: 'NODES',
  node_resource: 'NODES',
  pool: 'OTHER',
  pool_default: 'OTHER',
  pool_shadow: 'OTHER',
  lease: 'OTHER',
  token: 'OTHER',
  retention: 'OTHER',
  migration: 'OTHER',
  database_identity: 'OTHER',
  migration_lock: 'OTHER',
};

const KINDS: readonly StoredKind[] = [
  'RUNS',
  'LOGS',
  'EVENTS',
  'COMMANDS',
  'DECISIONS',
  'AUDIT',
  'PIPELINES',
  'NODES',
  'OTHER',
];

/** Adds up what tables hold by kind, in the order in which people ask. A table that nobody knows is OTHER. */
export function byKind(tables: readonly { readonly name: string; readonly rows: number; readonly bytes: number }[]) {
  const kinds = new Map(KINDS.map((kind) => [kind, { kind, rows: 0, bytes: 0 }]));
  for (const { name, rows, bytes } of tables) {
    const kind = kinds.get((KIND_OF_TABLE as Readonly<Record<string, StoredKind>>)[name] ?? 'OTHER')!;
    kind.rows += rows;
    kind.bytes += bytes;
  }
  return [...kinds.values()];
}
