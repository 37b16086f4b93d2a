import type { Reason } from '@gantry/plugin-kit/vocabulary';
import { chooseGpus, GPU } from '@gantry/plugin-kit/gpus';
import { labelOf } from '../domain/label-rule.ts';
import { formatQuantity, roundedQuantity } from '../domain/resources.ts';
import type { Change } from './change.ts';
import { PER_NODE, perNodeNeed, type ClusterModel, type ModelNode } from './cluster-model.ts';
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
  /** What would undo it there, each on its own; nothing when only time will. */
  readonly ways: readonly Change[];
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
  const obstacles: Obstacle[] = [];
  for (const refusal of refusalsOf(shape, node.facts)) {
    const { resource } = refusal;
    obstacles.push(resource === undefined ? refusal : { ...refusal, ways: waysToFit(resource, shape, node, model) });
  }
  for (const find of [shortfallsOn, fragmentsOn, limitsOn]) obstacles.push(...find(shape, node, model));
  obstacles.push(...spreadOn(shape, node, domain));
  return obstacles;
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
    remedy: `Cancel task run ${taskRun}, or wait until it has begun and there is room beside it.`,
    tier: 'SCHEDULER',
    ways: [],
  };
}

/** The node is too small: the task may ask for what is free there, of a resource that can be had in such parts. */
function waysToFit(resource: string, shape: TaskShape, node: ModelNode, model: ClusterModel): readonly Change[] {
  const free = resource === GPU ? freeGpusOf(node) : Math.max(0, Math.floor(model.freeOf(resource, node)));
  // What the node has, and others use: to ask for none of it would be another task.
  if (free === 0 && (node.facts.capacity[resource] ?? 0) > 0) return [];
  if (free >= shape.resources[resource]!) return [];
  return [{ kind: 'ASK', resource, amount: free }];
}

/** The most that one task can be given of a node's GPUs: whole ones, or a part of one. Thousandths. */
function freeGpusOf({ gpus }: ModelNode): number {
  const whole = gpus.filter((free) => free >= 1_000).length;
  return whole > 0 ? 1_000 * whole : Math.max(0, ...gpus);
}

function shortfallsOn(shape: TaskShape, node: ModelNode, model: ClusterModel): readonly Obstacle[] {
  const { name, capacity } = node.facts;
  return Object.entries(shape.resources).flatMap(([resource, need]) => {
    // Less than nothing is free where the node has shrunk under what runs there.
    const left = model.freeOf(resource, node);
    const free = Math.max(0, left);
    // What is too much for the empty node has been said already.
    if (need <= left || need > (capacity[resource] ?? 0)) return [];
    const missing = need - left;
    return {
      code: 'NO_ROOM',
      message: `Node ${name} has ${roundedQuantity(resource, free, 'down')} of ${resource} free; the task needs ${formatQuantity(resource, need)}.`,
      tier: 'CAPACITY',
      ways: resource === GPU ? waysToFreeGpus(need, node) : [{ kind: 'FREE', resource, amount: missing }],
      shortfall: { resource, need, free },
    };
  });
}

/** Whole GPUs are free or not, whichever they are; of a part of one, the GPU on which least is missing. */
function waysToFreeGpus(need: number, { gpus }: ModelNode): readonly Change[] {
  if (need > 1_000) {
    const count = need / 1_000 - gpus.filter((free) => free >= 1_000).length;
    if (count <= 0) return [];
    return [{ kind: 'EMPTY_GPUS', count }];
  }
  const most = Math.max(...gpus);
  const gpu = gpus.indexOf(most);
  const amount = need - most;
  if (amount <= 0) return [];
  return [{ kind: 'FREE_GPU', gpu, amount }];
}

/** There is enough of GPUs in sum, and not in one piece. */
function fragmentsOn(shape: TaskShape, node: ModelNode, model: ClusterModel): readonly Obstacle[] {
  const need = shape.resources[GPU] ?? 0;
  const { name, capacity } = node.facts;
  if (need === 0 || need > (capacity[GPU] ?? 0) || need > model.freeOf(GPU, node)) return [];
  if (chooseGpus(node.gpus, need) !== null) return [];
  const asked = formatQuantity(GPU, need);
  const pieces = need <= 1_000 ? `no single one has ${asked} free` : `not ${asked} of them are whole`;
  return [
    {
      code: 'GPU_FRAGMENTED',
      message: `Node ${name} has ${formatQuantity(GPU, model.freeOf(GPU, node))} of gpu free in sum, but ${pieces}.`,
      tier: 'CAPACITY',
      ways: waysToFreeGpus(need, node),
    },
  ];
}

function limitsOn(shape: TaskShape, node: ModelNode, model: ClusterModel): readonly Obstacle[] {
  const { name } = node.facts;
  const obstacles: Obstacle[] = [];
  if (!model.isWithinLimit(shape, node)) obstacles.push(limitObstacle(shape, node, model));
  if (!model.isUseGranted(shape, node)) {
    const isAlone = shape.rules?.exclusive === true;
    const isExclusive = model.isUsedExclusively(node) && node.attempts === 1;
    const empty: Change = { kind: 'EMPTY', isExclusive };
    const ways: Change[] = isAlone && !isExclusive ? [{ kind: 'SHARE' }, empty] : [empty];
    obstacles.push({
      code: 'EXCLUSIVE_USE',
      message:
        isAlone && !isExclusive
          ? `Other work runs on ${name}, and the task wants the node for itself.`
          : `A task that wants ${name} for itself runs there.`,
      tier: 'LIMIT',
      ways,
    });
  }
  return obstacles;
}

function limitObstacle(shape: TaskShape, node: ModelNode, model: ClusterModel): Obstacle {
  const { max, scope } = shape.rules!.perNode!;
  const count = model.limited.of(scope, node);
  const ways: Change[] = [{ kind: 'RAISE_LIMIT', max: count + 1 }];
  // Where others of the scope have limits of their own, nobody knows whether the end of one is enough.
  const each = perNodeNeed(max);
  if (model.perNode.of(scope, node) === count * each && count * each <= PER_NODE) ways.push({ kind: 'END_ONE' });
  return {
    code: 'NODE_LIMIT',
    message: `Node ${node.facts.name} has ${count} of “${scope}” already, and may have no more.`,
    tier: 'LIMIT',
    ways,
  };
}

function spreadOn({ rules }: TaskShape, { facts }: ModelNode, domain: string | null | undefined): readonly Obstacle[] {
  const spread = rules?.spread;
  if (!spread?.required) return [];
  const prefer: Change = { kind: 'PREFER_SPREAD' };
  const value = labelOf(spread.label, facts.name, facts.labels) ?? null;
  if (value === null) {
    return [
      {
        code: 'NO_SPREAD_LABEL',
        message: `Node ${facts.name} has no label ${spread.label}, over which the task must be spread.`,
        tier: 'CONSTRAINT',
        // With no other node that would do, any value is as good as another.
        ways: [{ kind: 'SET_LABEL', label: spread.label, value: domain ?? 'a' }, prefer],
      },
    ];
  }
  if (value === domain || domain === undefined) return [];
  return [
    {
      code: 'SPREAD',
      message: `Node ${facts.name} has ${spread.label}=${value}; to stay even, the next instance must go where ${spread.label}=${domain ?? ''}.`,
      tier: 'LIMIT',
      ways: [prefer],
    },
  ];
}
