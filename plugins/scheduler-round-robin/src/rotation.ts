import type { Cluster } from '@gantry/plugin-kit/greedy';
import type { Shape } from '@gantry/plugin-kit/scheduler';
import { firstBehind, type Turns } from './turns.ts';

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
 * call nothing is given back; so a task costs the same however many nodes there are and however many of them are full.
 */
class Ring {
  readonly #needs: readonly number[];
  readonly #cluster: Cluster;
  readonly #turns: Turns;
  /** Ascending. */
  readonly #members: ArrayLike<number>;
  /** By place among the members, made when the first is taken out: how far it is to one that is nearer to the next. */
  #skips: Int32Array | null = null;

  constructor(nodes: ArrayLike<number>, needs: readonly number[], cluster: Cluster, turns: Turns) {
    this.#needs = needs;
    this.#cluster = cluster;
    this.#turns = turns;
    this.#members = turns.of(nodes);
  }

  firstFrom(start: number): number {
    const members = this.#members;
    const place = firstBehind(members.length, (at) => members[at]! >= start);
    const turn = this.#firstUpToEnd(place);
    return turn >= 0 || place === 0 ? turn : this.#firstUpToEnd(0);
  }

  #firstUpToEnd(start: number): number {
    const end = this.#members.length;
    for (let place = this.#find(start); place < end; place = this.#find(place)) {
      const turn = this.#members[place]!;
      if (this.#cluster.fits(this.#turns.nodeOf(turn), this.#needs)) return turn;
      this.#skips ??= new Int32Array(end + 1);
      this.#skips[place] = 1;
    }
    return -1;
  }

  /** The first at or behind `start` that has not been taken out; halves the way for whoever comes next. */
  #find(start: number): number {
    const skips = this.#skips;
    if (skips === null) return start;
    let place = start;
    for (let skip = skips[place]!; skip > 0; skip = skips[place]!) {
      const further = skips[place + skip]!;
      if (further > 0) skips[place] = skip + further;
      place += skip + further;
    }
    return place;
  }
}
