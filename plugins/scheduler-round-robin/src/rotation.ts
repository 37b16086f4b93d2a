import type { Cluster } from '@gantry/plugin-kit/greedy';
import type { Shape } from '@gantry/plugin-kit/scheduler';
import type { Turns } from './turns.ts';

/** The turns of the nodes that will do for one shape: a circle for each degree of preference, the best liked first. */
export class Rotation {
  readonly #rings: Ring[];

  constructor(shape: Shape, cluster: Cluster, turns: Turns) {
    this.#rings = tiersOf(shape).map((nodes) => new Ring(nodes, shape.needs, cluster, turns));
  }

  /** The first turn at or behind `start`, going round, whose node has room; −1 when there is none. */
  firstFrom(start: number): number {
    for (const ring of this.#rings) {
      const turn = ring.firstFrom(start);
      if (turn >= 0) return turn;
    }
    return -1;
  }
}

function tiersOf({ feasible, preference }: Shape): readonly ArrayLike<number>[] {
  if (preference === undefined) return [feasible];
  const tiers = new Map<number, number[]>();
  for (const node of feasible) {
    const liking = preference[node]!;
    const tier = tiers.get(liking);
    if (tier === undefined) tiers.set(liking, [node]);
    else tier.push(node);
  }
  return [...tiers].sort(([one], [other]) => other - one).map(([, nodes]) => nodes);
}

/**
 * The turns of nodes that may have room, in a circle. A node that has none is taken out for good, because within one
 * call nothing is given back; so a task costs the same however many nodes are full.
 */
class Ring {
  readonly #needs: readonly number[];
  readonly #cluster: Cluster;
  readonly #turns: Turns;
  /** Per turn and one more for the end: itself while it is in the ring, else a later one, nearer to the next that is. */
  readonly #later: Int32Array;

  constructor(nodes: ArrayLike<number>, needs: readonly number[], cluster: Cluster, turns: Turns) {
    this.#needs = needs;
    this.#cluster = cluster;
    this.#turns = turns;
    const end = turns.length;
    const members = turns.of(nodes);
    this.#later = new Int32Array(end + 1);
    let behind = end;
    this.#later[end] = end;
    for (let at = members.length - 1; at >= 0; at--) {
      const turn = members[at]!;
      // What lies between this one and the next leads to the next.
      this.#later.fill(behind, turn + 1, behind);
      this.#later[turn] = turn;
      behind = turn;
    }
    this.#later.fill(behind, 0, behind);
  }

  firstFrom(start: number): number {
    const turn = this.#firstUpToEnd(start);
    return turn >= 0 ? turn : this.#firstUpToEnd(0);
  }

  #firstUpToEnd(start: number): number {
    const end = this.#later.length - 1;
    for (let turn = this.#find(start); turn < end; turn = this.#find(turn)) {
      if (this.#cluster.fits(this.#turns.nodeOf(turn), this.#needs)) return turn;
      this.#later[turn] = turn + 1;
    }
    return -1;
  }

  /** The first at or behind `start` that is in the ring; halves the way for whoever comes next. */
  #find(start: number): number {
    let turn = start;
    while (this.#later[turn] !== turn) {
      this.#later[turn] = this.#later[this.#later[turn]!]!;
      turn = this.#later[turn]!;
    }
    return turn;
  }
}
