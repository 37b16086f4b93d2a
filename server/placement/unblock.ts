import { roundedQuantity } from '../domain/resources.ts';
import type { Obstacle } from './obstacle.ts';

/** A change after which a task run could be placed at once. */
export interface Unblocking {
  /** As a sentence: “Drop zone=a: node-3 and 2 more nodes have room then.” */
  readonly message: string;
  /** Nodes that would take it then, by name, at most ten. */
  readonly nodes: readonly string[];
  /** How many there are in all. */
  readonly nodeCount: number;
}

const MAX_UNBLOCKINGS = 5;
const NAMED_NODES = 10;

/**
 * What would help, from what keeps the task run from each node: nodes with the fewest obstacles are looked at, and those
 * on which the same changes help are told together. Missing amounts count as one change, told by their least.
 */
export function unblockingsOf(
  nodes: readonly { readonly node: string; readonly obstacles: readonly Obstacle[] }[],
): readonly Unblocking[] {
  const fewest = Math.min(...nodes.map(({ obstacles }) => obstacles.length));
  if (fewest === 0 || fewest === Infinity) return [];
  const groups = new Map<string, { readonly name: string; readonly obstacles: readonly Obstacle[] }[]>();
  for (const { node, obstacles } of nodes) {
    if (obstacles.length !== fewest) continue;
    const key = obstacles.map(({ shortfall, relief }) => shortfall?.resource ?? relief).join('\n');
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [{ name: node, obstacles }]);
    else group.push({ name: node, obstacles });
  }
  return [...groups.values()]
    .sort((one, other) => other.length - one.length)
    .slice(0, MAX_UNBLOCKINGS)
    .map((group) => {
      const [first] = group;
      const orders = first!.obstacles.map((obstacle, at) =>
        orderOf(group.map(({ obstacles }) => obstacles[at] ?? obstacle)),
      );
      const names = group.map(({ name }) => name);
      return {
        message: `${capitalised(orders.join(', and '))}: ${listed(names)} would do then.`,
        nodes: names.slice(0, NAMED_NODES),
        nodeCount: names.length,
      };
    });
}

/** One order for the same obstacle on several nodes: of amounts, the least. */
function orderOf(obstacles: readonly Obstacle[]): string {
  const [first] = obstacles;
  if (first!.shortfall === undefined) return first!.relief;
  const { resource } = first!.shortfall;
  const least = Math.min(...obstacles.map(({ shortfall }) => shortfall!.need - shortfall!.free));
  return `free ${roundedQuantity(resource, least, 'up')} more of ${resource}`;
}

const capitalised = (text: string): string => text.slice(0, 1).toUpperCase() + text.slice(1);

function listed(names: readonly string[]): string {
  if (names.length <= 3) return names.length === 3 ? `${names[0]}, ${names[1]} and ${names[2]}` : names.join(' and ');
  return `${names[0]}, ${names[1]} and ${names.length - 2} more nodes`;
}
