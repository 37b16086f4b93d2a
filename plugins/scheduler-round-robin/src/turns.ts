import type { NodeView } from '@gantry/plugin-kit/scheduler';

/** A turn in a round: the node's name, and when in the round it comes, from 0 to 1, unless all nodes weigh the same. */
export type Position = string | { readonly node: string; readonly at: number };

/** The turns of one round, in order. */
export interface Turns {
  readonly length: number;
  nodeOf(turn: number): number;
  /** The first turn behind one of an earlier call, of a node that may have left since. */
  behind(position: Position | null): number;
  positionOf(turn: number): Position;
  /** The turns of the given nodes, ascending. */
  of(nodes: ArrayLike<number>): ArrayLike<number>;
}

/** The turns of a round with these weights by node name and by `label=value`. */
export function turnsOf(nodes: readonly NodeView[], weights: Readonly<Record<string, number>>): Turns {
  const weightOf = weigher(weights);
  const each = nodes.map(weightOf);
  return each.every((weight) => weight === each[0]) ? onceEach(nodes) : spaced(nodes, each);
}

function weigher(weights: Readonly<Record<string, number>>): (node: NodeView) => number {
  const known = new Map(Object.entries(weights));
  if (known.size === 0) return () => 1;
  return ({ name, labels }) => {
    let most = known.get(name) ?? 0;
    for (const [label, value] of Object.entries(labels)) most = Math.max(most, known.get(`${label}=${value}`) ?? 0);
    return most || 1;
  };
}

/** Every node once, by name: a turn is the node's index. */
function onceEach(nodes: readonly NodeView[]): Turns {
  return {
    length: nodes.length,
    nodeOf: (turn) => turn,
    behind: (position) =>
      position === null ? 0 : firstBehind(nodes.length, (at) => nodes[at]!.name > nameOf(position)),
    positionOf: (turn) => nodes[turn]!.name,
    of: (indexes) => indexes,
  };
}

/**
 * The turns of the j-th of n nodes with weight w come at (k + (j + ½) / n) / w of the round, k from 0: those of each
 * weight together are spaced evenly. The node's name decides between equals.
 */
function spaced(nodes: readonly NodeView[], weights: readonly number[]): Turns {
  const countOf = new Map<number, number>();
  for (const weight of weights) countOf.set(weight, (countOf.get(weight) ?? 0) + 1);
  const seen = new Map<number, number>();
  const turns = weights.flatMap((weight, node) => {
    const before = seen.get(weight) ?? 0;
    seen.set(weight, before + 1);
    const offset = (before + 0.5) / countOf.get(weight)!;
    return Array.from({ length: weight }, (_, turn) => ({ node, at: (turn + offset) / weight }));
  });
  turns.sort((one, other) => one.at - other.at || one.node - other.node);
  const turnsOfNode: number[][] = nodes.map(() => []);
  turns.forEach(({ node }, turn) => turnsOfNode[node]!.push(turn));
  return {
    length: turns.length,
    nodeOf: (turn) => turns[turn]!.node,
    behind(position) {
      if (position === null) return 0;
      // Where weights were equal before, a round had one turn of each.
      if (typeof position === 'string') return turns.findIndex(({ node }) => nodes[node]!.name === position) + 1;
      const { node: name, at: time } = position;
      return firstBehind(turns.length, (turn) => {
        const { at, node } = turns[turn]!;
        return at > time || (at === time && nodes[node]!.name > name);
      });
    },
    positionOf(turn) {
      const { node, at } = turns[turn]!;
      return { node: nodes[node]!.name, at };
    },
    of: (indexes) => Uint32Array.from(Array.from(indexes, (node) => turnsOfNode[node]!).flat()).sort(),
  };
}

const nameOf = (position: Position): string => (typeof position === 'string' ? position : position.node);

/** The first of `length` that is behind; what is behind comes after all that is not. */
export function firstBehind(length: number, isBehind: (at: number) => boolean): number {
  let from = 0;
  let to = length;
  while (from < to) {
    const middle = (from + to) >> 1;
    if (isBehind(middle)) to = middle;
    else from = middle + 1;
  }
  return from;
}
