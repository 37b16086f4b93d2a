import type { Clock } from '../clock.ts';
import type { RunnerIdempotency } from '../domain/idempotency.ts';
import type { RunId } from '../domain/ids.ts';
import type { DamagedRun, RecoveredRun } from '../domain/input.ts';
import type { Logger } from '../log.ts';
import type { HeldLease, Store } from '../store/store.ts';
import type { PoolState, SilenceLimits } from './core/pool-state.ts';
import { restore } from './core/restore.ts';
import type { Step } from './core/step.ts';

/** What the engine of a pool is recovered with. */
export interface RecoveryParts {
  readonly pool: string;
  readonly store: Store;
  readonly clock: Clock;
  readonly log: Logger;
  readonly silence: SilenceLimits;
  /** What runners say of work whose outcome nobody knows. */
  readonly isRunnerIdempotent?: RunnerIdempotency;
  /** What was to be done is forgotten: it will be told anew. */
  reset(): void;
}

/**
 * The pool as the store has it. A run that cannot be restored is set aside, and the others go on: it has FAILED, and
 * agents that still work for it are told to stop, because nobody wants it any more.
 *
 * @param faults Runs on which the engine has failed, and how; struck off once they are set aside.
 */
export async function recoverPool(
  { pool: name, store, clock, log, silence, isRunnerIdempotent, reset }: RecoveryParts,
  lease: HeldLease,
  faults: Map<RunId, string>,
): Promise<{ readonly pool: PoolState; readonly step: Step }> {
  const damaged: DamagedRun[] = [];
  const [nodes, stored, assigned, gpus, row] = await Promise.all([
    store.nodes.ofPool(name),
    store.runs.unfinished(name, (run) => damaged.push(run)),
    store.events.assignedAfter(name, lease.writtenSeq),
    store.taskRuns.heldGpus(name),
    store.pools.byName(name),
  ]);
  const isSound = ({ run: { id, key, pipeline } }: RecoveredRun): boolean => {
    const fault = faults.get(id);
    if (fault !== undefined) damaged.push({ id, key, pipeline, message: fault });
    return fault === undefined;
  };
  const runs = faults.size === 0 ? stored : stored.filter(isSound);
  reset();
  const now = { at: clock.now(), tick: clock.monotonic() };
  const recovered = { nodes, runs, assigned, gpus, idempotent: row?.idempotent ?? null };
  const restored = restore(name, recovered, lease.seq, now, silence, isRunnerIdempotent);
  const { pool, step } = restored;
  damaged.push(...restored.damaged);
  if (damaged.length === 0) return restored;
  for (const { id, message } of damaged)
    log.error({ run: id, problem: message }, 'A run cannot be restored: it has FAILED.');
  await store.runs.setAside(lease, damaged, step.now);
  for (const run of damaged) {
    step.runSetAside(run);
    faults.delete(run.id);
  }
  // What the rows of nodes say is held is held no longer.
  for (const node of pool.nodes.values()) step.nodeChanged(node);
  return restored;
}
