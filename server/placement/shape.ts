import type { Resources } from '@gantry/plugin-kit/vocabulary';
import type { Task, Toleration } from '../domain/task.ts';

/** What a task asks of a node. Tasks that ask for the same share one shape, and with it everything worked out for it. */
export interface TaskShape {
  readonly key: string;
  readonly runner: string;
  readonly resources: Resources;
  readonly nodeSelector: Readonly<Record<string, string>>;
  readonly tolerations: readonly Toleration[];
}

const shapes = new WeakMap<Task, TaskShape>();

/** The shape of a task; worked out once. */
export function shapeOf(task: Task): TaskShape {
  let shape = shapes.get(task);
  if (!shape) {
    const { runner, resources, nodeSelector, tolerations } = task;
    const sorted = (record: Readonly<Record<string, unknown>>) =>
      Object.entries(record).sort(([a], [b]) => (a < b ? -1 : 1));
    shape = {
      key: JSON.stringify([runner, sorted(resources), sorted(nodeSelector), tolerations]),
      runner,
      resources,
      nodeSelector,
      tolerations,
    };
    shapes.set(task, shape);
  }
  return shape;
}
