import { hash } from 'node:crypto';
import type { Clock } from './clock.ts';
import type { Logger } from './log.ts';
import { Placement } from './placement/placement.ts';
import { SchedulerHost } from './placement/scheduler-host.ts';
import type { Registry } from './plugin-host/registry.ts';
import type { Store } from './store/store.ts';

/** What a pool gets whose scheduler cannot be had. */
const FALLBACK = 'priority';

export interface PlacementParts {
  readonly pool: string;
  readonly store: Store;
  readonly registry: Registry;
  readonly clock: Clock;
  readonly log: Logger;
  readonly batch: number;
}

/** A fresh placement for a pool: its scheduler with its config, and the memory that was committed last. */
export async function makePlacement({
  pool: name,
  store,
  registry,
  clock,
  log,
  batch,
}: PlacementParts): Promise<Placement> {
  const pool = await store.pools.byName(name);
  if (!pool) throw new Error(`There is no pool ${name} in the store.`);
  let plugin = registry.scheduler(pool.scheduler);
  let checked = plugin?.config.check(pool.schedulerConfig ?? {});
  if (!plugin || !checked?.ok) {
    const problem =
      checked && !checked.ok ? checked.problems.map(({ message }) => message).join('; ') : 'it is not loaded';
    log.error(
      { pool: name, scheduler: pool.scheduler, problem },
      `The pool's scheduler cannot be used; ${FALLBACK} takes its place.`,
    );
    plugin = registry.scheduler(FALLBACK);
    checked = plugin?.config.check({});
  }
  if (!plugin || !checked?.ok)
    throw new Error(`Neither ${pool.scheduler} nor ${FALLBACK} can be loaded: reinstall Gantry.`);
  const scheduler = new SchedulerHost({
    plugin,
    config: checked.config,
    memory: plugin.name === pool.scheduler ? pool.schedulerMemory : null,
    // Fixed per pool, so that what a scheduler decided by chance can be decided again.
    seed: Number.parseInt(hash('sha256', name).slice(0, 8), 16),
    clock,
    log: (message) => log.error({ pool: name }, message),
  });
  return new Placement({ scheduler, batch });
}
