import type { Resources } from '@gantry/plugin-kit/vocabulary';
import { NODE_NAME, type LabelRule } from '../domain/label-rule.ts';
import type { PlacementRules, WeightedRule } from '../domain/placement-rules.ts';
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
  /** Null for a task that may run anywhere. */
  readonly rules: ShapeRules | null;
}

/** A task's placement rules, with everything filled in that depends on its run. */
export interface ShapeRules {
  readonly require: readonly (LabelRule & {
    /** It stands for the task's `near`. */
    readonly isNear?: true;
  })[];
  readonly prefer: readonly WeightedRule[];
  readonly exclusive: boolean;
  /** Of those that share the scope, at most `max` on one node. */
  readonly perNode: { readonly scope: string; readonly max: number } | null;
  /** Those that share the scope are spread over the values of the label. */
  readonly spread: { readonly scope: string; readonly label: string; readonly required: boolean } | null;
  /** Names the gang: all of it start at once. A shape of a gang is shared by its members only. */
  readonly gang: string | null;
}

/** Of what run a task's shape is, for rules that count or look at others of the run. */
export interface ShapeScope {
  readonly run: string;
  readonly pipeline: string;
  /** The nodes where the task ran that this one wants to be near; empty when it ran nowhere. */
  readonly nearNodes: readonly string[];
  /** Its gang starts for the first time: a retry starts alone. */
  readonly isFirstAttempt: boolean;
}

const shapes = new WeakMap<Task, TaskShape>();

/** The shape of a task without placement rules; the same object for the same task. */
export function shapeOf(task: Task): TaskShape {
  let shape = shapes.get(task);
  if (shape === undefined) {
    shape = makeShape({ ...task, rules: null });
    shapes.set(task, shape);
  }
  return shape;
}

/** The shape of a task in a run. */
export function shapeIn(task: Task, scope: ShapeScope): TaskShape {
  return task.placement === null ? shapeOf(task) : makeShape({ ...task, rules: rulesIn(task, task.placement, scope) });
}

function rulesIn(
  task: Task,
  { require, prefer, exclusive, perNode, spread, near, gang }: PlacementRules,
  { run, pipeline, nearNodes, isFirstAttempt }: ShapeScope,
): ShapeRules {
  const ofTask = `${run}/${task.key}`;
  const counted = { TASK: ofTask, RUN: run, PIPELINE: `${pipeline}/${task.key}` } as const;
  const there: LabelRule = { label: NODE_NAME, operator: 'IN', values: nearNodes };
  const isNear = near !== null && nearNodes.length > 0;
  return {
    require: isNear && near.required ? [...require, { ...there, isNear: true }] : require,
    prefer: isNear && !near.required ? [...prefer, { ...there, weight: near.weight }] : prefer,
    exclusive,
    perNode: perNode && { scope: counted[perNode.among], max: perNode.max },
    spread: spread && { scope: ofTask, ...spread },
    gang: gang !== null && isFirstAttempt ? ofTask : null,
  };
}

/** A shape from what it asks for. */
export function makeShape({
  runner,
  resources,
  nodeSelector,
  tolerations,
  rules = null,
}: Omit<TaskShape, 'key' | 'rules'> & { readonly rules?: ShapeRules | null }): TaskShape {
  const more = rules && { ...rules, require: [] };
  return {
    key: JSON.stringify([constraintKeyOf({ runner, nodeSelector, tolerations, rules }), sorted(resources), more]),
    runner,
    resources,
    nodeSelector,
    tolerations,
    rules,
  };
}

/** The same for shapes that refuse the same nodes, whatever amounts they ask for. */
export function constraintKeyOf({
  runner,
  nodeSelector,
  tolerations,
  rules,
}: Pick<TaskShape, 'runner' | 'nodeSelector' | 'tolerations' | 'rules'>): string {
  const tolerated = tolerations.map(({ key, value }) => [key, value ?? null]);
  return JSON.stringify([runner, sorted(nodeSelector), tolerated, rules?.require ?? []]);
}

function sorted(record: Readonly<Record<string, unknown>>): readonly (readonly [string, unknown])[] {
  return Object.entries(record).sort(([one], [other]) => (one < other ? -1 : 1));
}
