import type { PlacementExplanation, PlacementReader } from './api/context.ts';
import type { Clock } from './clock.ts';
import type { Engine } from './engine/loop.ts';

/** What the API may ask of the pools that this server runs. */
export function placementReader(engines: ReadonlyMap<string, Engine>, clock: Clock): PlacementReader {
  return {
    explain(pool, taskRun): PlacementExplanation | null {
      const explained = engines.get(pool)?.placement?.explain(taskRun);
      if (!explained) return null;
      const { position, pending, reasons, nodes } = explained;
      const [first] = reasons;
      return {
        at: clock.now(),
        summary: { ...first!, message: `${first!.message} Number ${position + 1} of ${pending} in the queue.` },
        nodes: nodes.map(({ node, verdict, reasons: refusals }) => ({
          node,
          isFeasible: verdict !== 'REFUSED',
          refusals,
          score: null,
        })),
      };
    },
    status(pool) {
      const placement = engines.get(pool)?.placement;
      if (!placement) return null;
      const { version, state, lastFault } = placement.schedulerStatus;
      return {
        schedulerVersion: version,
        schedulerState: state,
        schedulerReason: lastFault === null ? null : { code: 'SCHEDULER_FAULT', message: lastFault },
        queueLength: placement.pendingCount,
      };
    },
  };
}
