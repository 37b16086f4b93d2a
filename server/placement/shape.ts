import type { Resources } from '@gantry/plugin-kit/vocabulary';
import type { Task, Toleration } from '../domain/task.ts';

/** What a task asks of a node. Tasks that ask for the same share what is worked out for it. */
export interface TaskShape {
  /** The same for shapes that ask for the same. */
  readonly key: string;
  readonly runner: string;
  /** What an attempt takes; the definition's parser has filled in the defaults. */
  readonly resources: Resources;
  readonly nodeSelector: Readonly<Record<string, string>>;
  readonly tolerations: readonly Toleration[];
}

const shapes = new WeakMap<Task, TaskShape>();

/** The shape of a task; the same object for the same task. */
export function shapeOf(task: Task): TaskShape {
  let shape = shapes.get(task);
  if (shape === undefined) {
    shape = makeShape(task);
    shapes.set(task, shape);
  }
  return shape;
}

/** A shape from what it asks for. */
export function makeShape({ runner, resources, nodeSelector, tolerations }: Omit<TaskShape, 'key'>): TaskShape {
  return {
    key: JSON.stringify([constraintKeyOf({ runner, nodeSelector, tolerations }), sorted(resources)]),
    runner,
    resources,
    nodeSelector,
    tolerations,
  };
}

/** The same for shapes that differ in nothing but the resources they ask for. */
export function constraintKeyOf(shape: Pick<TaskShape, 'runner' | 'nodeSelector' | 'tolerations'>): string {
  const tolerations = shape.tolerations.map(({ key, value }) => [key, value ?? null]);
  return JSON.stringify([shape.runner, sorted(shape.nodeSelector), tolerations]);
}

function sorted(record: Readonly<Record<string, unknown>>): readonly (readonly [string, unknown])[] {
  return Object.entries(record).sort(([one], [other]) => (one < other ? -1 : 1));
}
