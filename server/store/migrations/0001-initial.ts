import type { ColumnTypes } from '../dialect/dialect.ts';
import type { Migration } from './migrate.ts';
import { tables } from './tables.ts';

/** The tables that the first release needs. */
export const initial: Migration = { number: 1, name: 'initial', statements };

function statements(types: ColumnTypes): readonly string[] {
  const { name, word, text, integer, counter, table, clustered } = types;
  return tables(types, [
    `CREATE TABLE IF NOT EXISTS pipeline (
      name ${name} NOT NULL PRIMARY KEY,
      latest_version ${integer} NOT NULL,
      paused ${integer} NOT NULL,
      created_at ${integer} NOT NULL,
      updated_at ${integer} NOT NULL,
      deleted_at ${integer} NULL
    ) ${table}`,
    `CREATE TABLE IF NOT EXISTS pipeline_version (
      pipeline ${name} NOT NULL,
      number ${integer} NOT NULL,
      definition ${text} NOT NULL,
      source ${text} NULL,
      hash ${name} NOT NULL,
      created_at ${integer} NOT NULL,
      created_by ${name} NOT NULL,
      PRIMARY KEY (pipeline, number)
    ) ${table}`,
    `CREATE TABLE IF NOT EXISTS run (
      run_key ${integer} NOT NULL PRIMARY KEY,
      id ${name} NOT NULL,
      pool ${name} NOT NULL,
      pipeline ${name} NOT NULL,
      version ${integer} NOT NULL,
      params ${text} NOT NULL,
      priority ${integer} NOT NULL,
      trigger_type ${word} NOT NULL,
      created_by ${name} NOT NULL,
      retry_of ${name} NULL,
      created_at ${integer} NOT NULL,
      state ${word} NOT NULL,
      started_at ${integer} NULL,
      finished_at ${integer} NULL,
      reason ${text} NULL,
      task_run_count ${integer} NOT NULL,
      finished_count ${integer} NOT NULL,
      failed_count ${integer} NOT NULL,
      revision ${integer} NOT NULL
    ) ${table}`,
    { index: 'run_id', on: 'run', columns: 'id', unique: true },
    { index: 'run_of_pipeline', on: 'run', columns: 'pipeline, run_key' },
    { index: 'run_of_pool_in_state', on: 'run', columns: 'pool, state, run_key' },
    { index: 'run_in_state', on: 'run', columns: 'state, run_key' },
    { index: 'run_created', on: 'run', columns: 'created_at' },
    // No secondary index: every one would be written twice for each task.
    `CREATE TABLE IF NOT EXISTS task_run (
      run_key ${integer} NOT NULL,
      ordinal ${integer} NOT NULL,
      task_key ${name} NOT NULL,
      map_index ${integer} NULL,
      state ${word} NOT NULL,
      attempt_number ${integer} NULL,
      attempt_state ${word} NULL,
      node ${name} NULL,
      assigned_at ${integer} NULL,
      started_at ${integer} NULL,
      attempt_finished_at ${integer} NULL,
      failure ${text} NULL,
      ready_at ${integer} NULL,
      due_at ${integer} NULL,
      finished_at ${integer} NULL,
      failures ${integer} NOT NULL,
      losses ${integer} NOT NULL,
      outputs ${text} NULL,
      revision ${integer} NOT NULL,
      PRIMARY KEY (run_key, ordinal)
    ) ${clustered}`,
    `CREATE TABLE IF NOT EXISTS attempt (
      run_key ${integer} NOT NULL,
      ordinal ${integer} NOT NULL,
      number ${integer} NOT NULL,
      state ${word} NOT NULL,
      node ${name} NOT NULL,
      assigned_at ${integer} NOT NULL,
      started_at ${integer} NULL,
      finished_at ${integer} NULL,
      failure ${text} NULL,
      PRIMARY KEY (run_key, ordinal, number)
    ) ${clustered}`,
    `CREATE TABLE IF NOT EXISTS evidence (
      id ${counter},
      run_key ${integer} NOT NULL,
      ordinal ${integer} NOT NULL,
      number ${integer} NOT NULL,
      at ${integer} NOT NULL,
      node ${name} NOT NULL,
      report ${text} NOT NULL
    ) ${table}`,
    { index: 'evidence_of_task_run', on: 'evidence', columns: 'run_key, ordinal' },
    `CREATE TABLE IF NOT EXISTS node (
      name ${name} NOT NULL PRIMARY KEY,
      pool ${name} NOT NULL,
      connection ${word} NOT NULL,
      eligibility ${word} NOT NULL,
      incarnation ${integer} NOT NULL,
      labels ${text} NOT NULL,
      taints ${text} NOT NULL,
      runners ${text} NOT NULL,
      agent_version ${name} NOT NULL,
      running_count ${integer} NOT NULL,
      registered_at ${integer} NOT NULL,
      heard_at ${integer} NOT NULL,
      revision ${integer} NOT NULL
    ) ${table}`,
    { index: 'node_of_pool', on: 'node', columns: 'pool, name' },
    `CREATE TABLE IF NOT EXISTS node_incarnation (
      node ${name} NOT NULL PRIMARY KEY,
      incarnation ${integer} NOT NULL
    ) ${table}`,
    `CREATE TABLE IF NOT EXISTS node_resource (
      node ${name} NOT NULL,
      resource ${name} NOT NULL,
      capacity ${integer} NOT NULL,
      capacity_limit ${integer} NOT NULL,
      reserved ${integer} NOT NULL,
      revision ${integer} NOT NULL,
      PRIMARY KEY (node, resource),
      CONSTRAINT node_resource_is_not_over_committed
        CHECK (reserved >= 0 AND reserved <= capacity_limit AND capacity_limit >= capacity)
    ) ${clustered}`,
    `CREATE TABLE IF NOT EXISTS pool (
      name ${name} NOT NULL PRIMARY KEY,
      scheduler ${name} NOT NULL,
      scheduler_config ${text} NOT NULL,
      scheduler_memory ${text} NOT NULL
    ) ${table}`,
    `CREATE TABLE IF NOT EXISTS command (
      id ${counter},
      pool ${name} NOT NULL,
      command ${text} NOT NULL,
      actor ${name} NOT NULL,
      at ${integer} NOT NULL,
      idempotency_key ${name} NULL,
      receipt ${text} NULL,
      run ${name} NULL
    ) ${table}`,
    { index: 'command_idempotency', on: 'command', columns: 'actor, idempotency_key', unique: true },
    { index: 'command_of_pool', on: 'command', columns: 'pool, id' },
    `CREATE TABLE IF NOT EXISTS command_gate (
      pool ${name} NOT NULL PRIMARY KEY,
      appended ${integer} NOT NULL
    ) ${table}`,
    `CREATE TABLE IF NOT EXISTS event (
      pool ${name} NOT NULL,
      seq ${integer} NOT NULL,
      epoch ${integer} NOT NULL,
      at ${integer} NOT NULL,
      body ${text} NOT NULL,
      assigned ${text} NULL,
      PRIMARY KEY (pool, seq)
    ) ${table}`,
    `CREATE TABLE IF NOT EXISTS log_chunk (
      run_key ${integer} NOT NULL,
      ordinal ${integer} NOT NULL,
      number ${integer} NOT NULL,
      seq ${integer} NOT NULL,
      stream ${word} NOT NULL,
      at ${integer} NOT NULL,
      text ${text} NOT NULL,
      PRIMARY KEY (run_key, ordinal, number, seq)
    ) ${table}`,
    `CREATE TABLE IF NOT EXISTS lease (
      name ${name} NOT NULL PRIMARY KEY,
      holder ${name} NULL,
      epoch ${integer} NOT NULL,
      seq ${integer} NOT NULL,
      written_seq ${integer} NOT NULL,
      expires_at ${integer} NOT NULL
    ) ${table}`,
    `CREATE TABLE IF NOT EXISTS token (
      id ${name} NOT NULL PRIMARY KEY,
      name ${name} NOT NULL,
      role ${word} NOT NULL,
      prefix ${name} NOT NULL,
      hash ${name} NOT NULL,
      created_at ${integer} NOT NULL,
      expires_at ${integer} NULL,
      revoked_at ${integer} NULL,
      last_used_at ${integer} NULL
    ) ${table}`,
    { index: 'token_name', on: 'token', columns: 'name', unique: true },
    { index: 'token_hash', on: 'token', columns: 'hash', unique: true },
    `CREATE TABLE IF NOT EXISTS audit (
      id ${counter},
      at ${integer} NOT NULL,
      actor ${name} NOT NULL,
      action ${name} NOT NULL,
      subject ${name} NOT NULL,
      details ${text} NOT NULL
    ) ${table}`,
  ]);
}
