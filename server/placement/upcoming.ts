import type { Shape, UpcomingTask } from '@gantry/plugin-kit/scheduler';
import type { ClusterModel } from './cluster-model.ts';
import { needsRow, type Call } from './offer.ts';
import type { Forecast } from './queue.ts';
import type { Offer } from './scheduler.ts';
import type { TaskShape } from './shape.ts';

/** A task run that waits for others, as its pool knows it. */
export interface UpcomingFacts {
  readonly key: string;
  readonly shape: TaskShape;
  readonly priority: number;
  /** Keys of the task runs that it waits for. */
  readonly after: readonly string[];
  readonly forecast?: Forecast | undefined;
}

/** An offer with what is to come. What needs something that no node has is left out: nobody can plan with it. */
export function withUpcoming(
  offer: Offer,
  upcoming: readonly UpcomingFacts[],
  { groups, scopes }: Call,
  model: ClusterModel,
): Offer {
  const shapes: Shape[] = [...offer.shapes];
  const indexOf = new Map(
    groups.filter(({ shape }) => !shape.rules?.spread).map(({ shape, index }) => [shape.key, index]),
  );
  const tasks: UpcomingTask[] = [];
  for (const { key, shape, priority, after, forecast } of upcoming) {
    if (model.needsOf(shape) === null) continue;
    let index = indexOf.get(shape.key);
    if (index === undefined) {
      index = shapes.push({ needs: needsRow(shape, scopes, model), feasible: model.feasibility.nodesFor(shape) }) - 1;
      indexOf.set(shape.key, index);
    }
    tasks.push({ key, shape: index, priority, after, ...forecast });
  }
  return { ...offer, shapes, upcoming: tasks };
}
