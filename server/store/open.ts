import type { Clock } from '../clock.ts';
import { auditStore } from './audit.ts';
import { commandStore } from './commands.ts';
import { Database, type StoreLog } from './database.ts';
import { connect } from './dialect/connect.ts';
import { eventStore } from './events.ts';
import { ensureIdentity, identityStore } from './identity.ts';
import { leaseStore } from './leases.ts';
import { logPackingStore } from './log-packing.ts';
import { logStore } from './logs.ts';
import { migrate } from './migrations/migrate.ts';
import { nodeRecordStore } from './node-records.ts';
import { nodeStore } from './nodes.ts';
import { pipelineStore } from './pipelines.ts';
import { decisionStore } from './decisions.ts';
import { poolStore } from './pools.ts';
import { retentionStore } from './retention.ts';
import { runStore } from './runs.ts';
import { stateStore } from './states.ts';
import { StoreUnavailable, type Store } from './store.ts';
import { taskRunStore } from './task-runs.ts';
import { tokenStore } from './tokens.ts';

export type { StoreLog } from './database.ts';

/** How long the store waits for a database on another machine. Milliseconds. */
export interface StoreTimeouts {
  /** For one statement; then its connection is given up. */
  readonly statementMs: number;
  /** For a free connection. */
  readonly acquireMs: number;
  /** For a new connection. */
  readonly connectMs: number;
}

export interface StoreOptions {
  /** `sqlite:PATH`, `sqlite::memory:`, or `mysql://user:password@host:port/database` (`?socketPath=` for a socket). */
  readonly url: string;
  readonly clock: Clock;
  /** Told what an operator should know: weak durability, dropped rows. Silent by default. */
  readonly log?: StoreLog;
  readonly timeouts?: Partial<StoreTimeouts>;
}

/** For a server, and for who works on a database without one. */
export const DEFAULT_TIMEOUTS: StoreTimeouts = { statementMs: 10_000, acquireMs: 5_000, connectMs: 2_000 };

/**
 * Connects, brings the schema up to date and hands out the store. Rejects with InvalidDatabaseUrl, with
 * StoreUnavailable (unreachable, or an SQLite file that another server has open) or with NewerDatabase.
 */
export async function openStore({ url, clock, log = () => {}, timeouts }: StoreOptions): Promise<Store> {
  const connection = await connect(url, { clock, log, timeouts: { ...DEFAULT_TIMEOUTS, ...timeouts } });
  try {
    await migrate(connection.writer, connection.dialect, () => clock.now());
    await ensureIdentity(connection.writer, connection.dialect, clock.now());
    const database = new Database(connection, clock, log);
    const identity = identityStore(database, () => connection.makeRoom?.() ?? Promise.resolve());
    if ((await identity.read()).state === 'RESTORING') {
      throw new StoreUnavailable(
        'A restore into this database was broken off. Run `gantry restore` again with --replace, or use another database.',
      );
    }
    const pipelines = pipelineStore(database);
    return {
      pipelines,
      runs: runStore(database, pipelines),
      taskRuns: taskRunStore(database),
      nodes: nodeStore(database),
      nodeRecords: nodeRecordStore(database),
      pools: poolStore(database),
      decisions: decisionStore(database),
      commands: commandStore(database),
      events: eventStore(database),
      logs: logStore(database),
      logPacking: logPackingStore(database),
      retention: retentionStore(database, () => connection.usage()),
      states: stateStore(database),
      leases: leaseStore(database),
      tokens: tokenStore(database),
      audit: auditStore(database),
      identity,
      commit: (lease, seq, change) => connection.committer.commit(lease, seq, change),
      makeRoom: async () => connection.makeRoom?.(),
      file: connection.file ?? null,
      ping: (timeoutMs) => connection.ping(timeoutMs),
      close: () => connection.close(),
    };
  } catch (error) {
    await connection.close().catch(() => {});
    throw error;
  }
}
