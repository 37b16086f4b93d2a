import { hash } from 'node:crypto';
import type { Json, JsonObject } from '@gantry/plugin-kit/vocabulary';
import type { Clock } from './clock.ts';
import type { SchedulerChoice } from './domain/pool.ts';
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
export async function makePlacement({ pool: name, store, batch, ...parts }: PlacementParts): Promise<Placement> {
  const pool = await store.pools.byName(name);
  if (!pool) throw new Error(`There is no pool ${name} in the store.`);
  const { scheduler, schedulerConfig, schedulerMemory, shadow } = pool;
  const own =
    makeHost({ scheduler, config: (schedulerConfig ?? {}) as JsonObject }, schedulerMemory, name, parts) ??
    makeHost({ scheduler: FALLBACK, config: {} }, null, name, parts);
  if (!own) throw new Error(`Neither ${scheduler} nor ${FALLBACK} can be loaded: reinstall Gantry.`);
  return new Placement({ scheduler: own, batch, shadow: shadow && makeHost(shadow, null, name, parts) });
}

/** A placement with a scheduler of one's choice, that nothing comes of; null when the scheduler cannot be had. */
export function makeTrialPlacement(choice: SchedulerChoice, { pool, batch, ...parts }: Omit<PlacementParts, 'store'>) {
  const scheduler = makeHost(choice, null, pool, parts);
  return scheduler && new Placement({ scheduler, batch });
}

/** Null when the plugin is not there or does not like its config. */
function makeHost(
  { scheduler, config }: SchedulerChoice,
  memory: Json,
  pool: string,
  { registry, clock, log }: Pick<PlacementParts, 'registry' | 'clock' | 'log'>,
): SchedulerHost | null {
  const plugin = registry.scheduler(scheduler);
  const checked = plugin?.config.check(config);
  if (!plugin || !checked?.ok) {
    const problem =
      checked && !checked.ok ? checked.problems.map(({ message }) => message).join('; ') : 'it is not loaded';
    log.error({ pool, scheduler, problem }, 'A scheduler of the pool cannot be used.');
    return null;
  }
  return new SchedulerHost({
    plugin,
    config: checked.config,
    memory,
    // Fixed per pool, so that what a scheduler decided by chance can be decided again.
    seed: Number.parseInt(hash('sha256', pool).slice(0, 8), 16),
    clock,
    log: (message) => log.error({ pool }, message),
  });
}
