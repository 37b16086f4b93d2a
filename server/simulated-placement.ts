import type { SimulationReader } from './api/context.ts';
import type { Clock } from './clock.ts';
import type { SchedulerChoice } from './domain/pool.ts';
import type { Engine } from './engine/loop.ts';
import type { Placement } from './placement/placement.ts';
import { whatIf } from './placement/what-if.ts';

/** So many that still wait are explained. */
const EXPLAINED = 100;

/** What the API may try out on the pools that this server runs. */
export function simulationReader(
  engines: ReadonlyMap<string, Engine>,
  clock: Pick<Clock, 'now'>,
  makePlacement: (pool: string, choice: SchedulerChoice) => Placement | null,
): SimulationReader {
  return {
    node: (pool, name) => engines.get(pool)?.node(name) ?? null,
    simulate(pool, choice, changes) {
      const placement = makePlacement(pool, choice);
      if (placement === null || !engines.get(pool)?.describeTo(placement)) return null;
      return whatIf(placement, changes, clock.now(), EXPLAINED);
    },
  };
}
