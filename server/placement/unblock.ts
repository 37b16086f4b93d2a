import { asTold, kindKeyOf, orderOf, sizeOf, type Change } from './change.ts';
import type { ModelNode } from './cluster-model.ts';
import type { Obstacle } from './obstacle.ts';
import type { Trial } from './trial.ts';

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
/** Whoever would have to change more had better write another task, or add another node. */
const MAX_CHANGES = 3;
/** So many kinds of changes are tried, those that are about the most nodes first. */
const MAX_GROUPS = 50;
/** On so many nodes the least changes are tried; where these do not help, more of the same hardly will. */
const MAX_TRIED = 16;
const NAMED_NODES = 10;

/** A node, and what keeps the task run from it. */
export interface Blocked {
  readonly node: ModelNode;
  readonly obstacles: readonly Obstacle[];
}

/**
 * What would help, from what keeps the task run from each node: nodes with the fewest obstacles are looked at, and those
 * on which the same changes help are told together. Of amounts the least is told, with the nodes on which it is enough.
 * Nothing is told that has not been tried.
 */
export function unblockingsOf(nodes: readonly Blocked[], trial: Trial): readonly Unblocking[] {
  const helpable = nodes.filter(({ obstacles }) => obstacles.every(({ ways }) => ways.length > 0));
  const fewest = helpable.reduce((least, { obstacles }) => Math.min(least, obstacles.length), Infinity);
  if (fewest === 0 || fewest > MAX_CHANGES) return [];
  const groups = new Map<string, Helped[]>();
  for (const { node, obstacles } of helpable) {
    if (obstacles.length !== fewest) continue;
    const changes = obstacles.map(({ ways }) => ways[0]!);
    const key = changes.map(kindKeyOf).join('\n');
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [{ node, changes }]);
    else group.push({ node, changes });
  }
  const found = new Map<string, Unblocking>();
  const largest = [...groups.values()].sort((one, other) => other.length - one.length).slice(0, MAX_GROUPS);
  for (const group of largest) {
    const unblocking = unblockingOf(group, trial);
    if (unblocking === null) continue;
    const known = found.get(unblocking.order);
    if (known === undefined || known.nodeCount < unblocking.nodeCount) found.set(unblocking.order, unblocking);
  }
  return [...found.values()]
    .sort((one, other) => other.nodeCount - one.nodeCount)
    .slice(0, MAX_UNBLOCKINGS)
    .map(({ message, nodes: names, nodeCount }) => ({ message, nodes: names, nodeCount }));
}

/** What helps on a node, if it does. */
interface Helped {
  readonly node: ModelNode;
  readonly changes: readonly Change[];
}

/** What helps on nodes that need the same, with the least amounts that help on any; null when nothing does. */
function unblockingOf(group: readonly Helped[], trial: Trial): (Unblocking & { readonly order: string }) | null {
  const smallestFirst = group.toSorted((one, other) => bySize(one.changes, other.changes));
  for (const { node, changes } of smallestFirst.slice(0, MAX_TRIED)) {
    const wanted = changes.map(asTold);
    const told = trial.fewest(node, wanted);
    if (told === null) continue;
    const isEnough = (change: Change, at: number): boolean => sizeOf(change) <= sizeOf(wanted[at]!);
    const names = group
      .filter((each) => each.changes.every(isEnough) && trial.fits(each.node, told))
      .map((each) => each.node.facts.name);
    const order = told.map((change) => orderOf(change)).join(', and ');
    return {
      order,
      message: `${capitalised(order)}: ${listed(names)} would do then.`,
      nodes: names.slice(0, NAMED_NODES),
      nodeCount: names.length,
    };
  }
  return null;
}

function bySize(one: readonly Change[], other: readonly Change[]): number {
  for (const [at, change] of one.entries()) {
    const difference = sizeOf(change) - sizeOf(other[at]!);
    if (difference !== 0) return difference;
  }
  return 0;
}

export const capitalised = (text: string): string => text.slice(0, 1).toUpperCase() + text.slice(1);

function listed(names: readonly string[]): string {
  if (names.length <= 3) return names.length === 3 ? `${names[0]}, ${names[1]} and ${names[2]}` : names.join(' and ');
  return `${names[0]}, ${names[1]} and ${names.length - 2} more nodes`;
}
