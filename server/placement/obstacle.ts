import type { Reason } from '@gantry/plugin-kit/vocabulary';
import { GPU } from '@gantry/plugin-kit/gpus';
import { labelOf } from '../domain/label-rule.ts';
import { formatQuantity, roundedQuantity } from '../domain/resources.ts';
import type { ClusterModel, ModelNode } from './cluster-model.ts';
import { refusalsOf } from './feasibility.ts';
import type { HeldNode } from './scheduler.ts';
import type { TaskShape } from './shape.ts';

/**
 * What part of Gantry keeps a task run from a node, from the outermost inwards. HEALTH: the node or its runner does not
 * work. CONSTRAINT: the task wants another kind of node. CAPACITY: there is not enough on it. LIMIT: a limit per node,
 * a spread or exclusive use. GANG: there is no room for all of its gang. SCHEDULER: the scheduler holds it back, or has
 * chosen others. QUEUE: it is nearly its turn.
 */
export type Tier = 'HEALTH' | 'CONSTRAINT' | 'CAPACITY' | 'LIMIT' | 'GANG' | 'SCHEDULER' | 'QUEUE';

/** What is missing of a resource on a node. Milli-units for cpu and gpu, bytes for memory and disk. */
export interface Shortfall {
  readonly resource: string;
  readonly need: number;
  readonly free: number;
}

/** One thing that keeps a task run from a node. */
export interface Obstacle extends Reason {
  readonly tier: Tier;
  /** What would undo it there, as an order that names no node. */
  readonly relief: string;
  /** When it is about an amount that is not free right now. */
  readonly shortfall?: Shortfall;
}

/** Everything that keeps tasks of a shape from a node right now: what will never do first. */
export function obstaclesOn(
  shape: TaskShape,
  node: ModelNode,
  model: ClusterModel,
  domain: string | null | undefined,
): readonly Obstacle[] {
  return [
    ...refusalsOf(shape, node.facts),
    ...shortfallsOn(shape, node, model),
    ...fragmentsOn(shape, node, model),
    ...limitsOn(shape, node, model),
    ...spreadOn(shape, node, domain),
  ];
}

/** Whether the node would do if enough of what runs there ended. */
export const isOnlyFull = (obstacles: readonly Obstacle[]): boolean =>
  obstacles.every(({ code, shortfall }) => shortfall !== undefined || PASSING.has(code));

/** Obstacles that go away by themselves when something ends. */
const PASSING: ReadonlySet<string> = new Set(['GPU_FRAGMENTED', 'NODE_LIMIT', 'EXCLUSIVE_USE', 'SPREAD', 'NODE_HELD']);

/** There is room on the node, and the scheduler holds it for another task run. */
export function heldObstacle({ node, taskRun }: HeldNode): Obstacle {
  return {
    code: 'NODE_HELD',
    message: `Node ${node} is held for task run ${taskRun}, which comes before, and has waited long for so much room.`,
    remedy: `Wait until task run ${taskRun} has begun, or cancel it.`,
    tier: 'SCHEDULER',
    relief: `wait until task run ${taskRun} has begun`,
  };
}

function shortfallsOn({ resources }: TaskShape, node: ModelNode, model: ClusterModel): readonly Obstacle[] {
  const { name, capacity } = node.facts;
  return Object.entries(resources).flatMap(([resource, need]) => {
    const free = Math.max(0, model.freeOf(resource, node));
    // What is too much for the empty node has been said already.
    if (need <= free || need > (capacity[resource] ?? 0)) return [];
    const missing = roundedQuantity(resource, need - free, 'up');
    return {
      code: 'NO_ROOM',
      message: `Node ${name} has ${roundedQuantity(resource, free, 'down')} of ${resource} free; the task needs ${formatQuantity(resource, need)}.`,
      remedy: `It fits when what runs on ${name} has given back ${missing} of ${resource}.`,
      tier: 'CAPACITY',
      relief: `free ${missing} more of ${resource}`,
      shortfall: { resource, need, free },
    };
  });
}

/** There is enough of GPUs in sum, and not in one piece. */
function fragmentsOn(shape: TaskShape, node: ModelNode, model: ClusterModel): readonly Obstacle[] {
  const need = shape.resources[GPU] ?? 0;
  const { name, capacity } = node.facts;
  if (need === 0 || need > (capacity[GPU] ?? 0) || need > model.freeOf(GPU, node)) return [];
  if (model.hasGpus(shape, node)) return [];
  const asked = formatQuantity(GPU, need);
  const pieces = need <= 1_000 ? `no single one has ${asked} free` : `not ${asked} of them are whole`;
  return [
    {
      code: 'GPU_FRAGMENTED',
      message: `Node ${name} has ${formatQuantity(GPU, model.freeOf(GPU, node))} of gpu free in sum, but ${pieces}.`,
      remedy: `It fits when more ends on one GPU of ${name}.`,
      tier: 'CAPACITY',
      relief: 'free more of one gpu',
    },
  ];
}

function limitsOn(shape: TaskShape, node: ModelNode, model: ClusterModel): readonly Obstacle[] {
  const { name } = node.facts;
  const obstacles: Obstacle[] = [];
  if (!model.isWithinLimit(shape, node)) {
    const { max, scope } = shape.rules!.perNode!;
    obstacles.push({
      code: 'NODE_LIMIT',
      message: `Node ${name} has ${max} of “${scope}” already, and may have no more.`,
      remedy: 'Wait until one of them ends, or raise maxPerNode in the task’s placement.',
      tier: 'LIMIT',
      relief: 'raise maxPerNode',
    });
  }
  if (!model.isUseGranted(shape, node)) {
    const isAlone = shape.rules?.exclusive === true;
    obstacles.push({
      code: 'EXCLUSIVE_USE',
      message: isAlone
        ? `Other work runs on ${name}, and the task wants the node for itself.`
        : `A task that wants ${name} for itself runs there.`,
      remedy: isAlone
        ? `Wait until ${name} is empty, cordon it meanwhile, or drop “exclusive”.`
        : 'Wait until that task ends.',
      tier: 'LIMIT',
      relief: isAlone ? 'drop “exclusive”' : 'wait until the exclusive task there ends',
    });
  }
  return obstacles;
}

function spreadOn({ rules }: TaskShape, { facts }: ModelNode, domain: string | null | undefined): readonly Obstacle[] {
  const spread = rules?.spread;
  if (!spread?.required) return [];
  const value = labelOf(spread.label, facts.name, facts.labels) ?? null;
  if (value === null) {
    return [
      {
        code: 'NO_SPREAD_LABEL',
        message: `Node ${facts.name} has no label ${spread.label}, over which the task must be spread.`,
        remedy: `Give ${facts.name} the label, or let the spread be preferred instead of required.`,
        tier: 'CONSTRAINT',
        relief: `give it the label ${spread.label}`,
      },
    ];
  }
  if (value === domain || domain === undefined) return [];
  const next = `${spread.label}=${domain ?? ''}`;
  return [
    {
      code: 'SPREAD',
      message: `Node ${facts.name} has ${spread.label}=${value}; to stay even, the next instance must go where ${next}.`,
      remedy: `Make room where ${next}, or let the spread be preferred instead of required.`,
      tier: 'LIMIT',
      relief: 'let the spread be preferred instead of required',
    },
  ];
}
