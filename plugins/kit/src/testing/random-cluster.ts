import { chance } from '../chance.ts';
import type { NodeView, PendingTask, PlacementInput, Shape } from '../scheduler.ts';
import type { Json } from '../vocabulary.ts';

export { chance } from '../chance.ts';

/** How large a random cluster may be. */
export interface RandomClusterLimits {
  readonly nodes: number;
  readonly shapes: number;
  readonly tasks: number;
}

const RESOURCES = ['cpu', 'memory', 'slots', 'gpu'];
const NOW = 1_700_000_000_000;

/**
 * A random call of a scheduler, as a host would make it: nodes of several kinds, some of them partly taken; shapes, some
 * of which fit nowhere; tasks, longest waiting first. What a node cannot hold at all is not feasible there.
 *
 * @param memory As the scheduler's last call returned it.
 */
export function randomInput<Config>(
  seed: number,
  config: Config,
  memory: Json = null,
  limits: RandomClusterLimits = { nodes: 24, shapes: 6, tasks: 60 },
): PlacementInput<Config> {
  const random = chance(seed);
  const upTo = (most: number): number => Math.floor(random() * (most + 1));
  const nodes = Array.from({ length: upTo(limits.nodes) }, (_, at) => randomNode(at, upTo));
  const shapes = Array.from({ length: 1 + upTo(limits.shapes - 1) }, () => randomShape(nodes, upTo));
  const tasks = Array.from({ length: upTo(limits.tasks) }, (_, at): PendingTask => {
    const priority = upTo(3) === 0 ? upTo(20) - 10 : 0;
    return {
      key: `run-${upTo(9)}.${at}`,
      shape: upTo(shapes.length - 1),
      priority,
      readySince: NOW - upTo(1_000_000),
      tenant: `tenant-${upTo(2)}`,
    };
  });
  tasks.sort((one, other) => one.readySince - other.readySince);
  return {
    config,
    memory,
    seed: upTo(2 ** 31),
    now: NOW,
    resources: RESOURCES,
    nodes,
    shapes,
    tasks,
    running: [],
    tenants: [],
  };
}

function randomNode(at: number, upTo: (most: number) => number): NodeView {
  const size = 2 ** upTo(3);
  const capacity = [size * 4_000, size * 2 ** 33, size * 16, upTo(3) === 0 ? size : 0];
  return {
    name: `node-${String(at).padStart(3, '0')}`,
    labels: { zone: 'abc'.charAt(upTo(2)), size: String(size) },
    capacity,
    free: upTo(2) === 0 ? capacity : capacity.map((amount) => upTo(amount)),
  };
}

function randomShape(nodes: readonly NodeView[], upTo: (most: number) => number): Shape {
  const needs = [upTo(8) * 500, upTo(8) * 2 ** 30, 1, upTo(4) === 0 ? 1 + upTo(1) : 0];
  const wantsZone = upTo(3) === 0 ? 'abc'.charAt(upTo(2)) : null;
  const feasible: number[] = [];
  nodes.forEach(({ labels, capacity }, node) => {
    const isLargeEnough = needs.every((need, column) => need <= capacity[column]!);
    if (isLargeEnough && (wantsZone === null || labels['zone'] === wantsZone)) feasible.push(node);
  });
  return { needs, feasible };
}
