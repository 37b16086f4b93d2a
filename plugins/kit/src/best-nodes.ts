import type { Cluster } from './cluster.ts';
import type { NodeHeap, NodeScore, Scorer } from './node-heap.ts';
import { indexFor, type NodeIndex } from './node-index.ts';
import type { Candidate, Decision, NodeView, PendingTask, Shape } from './scheduler.ts';

export type { NodeScore } from './node-heap.ts';

/** How many of the best nodes a decision names that is to be explained. */
const EXPLAINED = 5;

/** How many of the best nodes the decision on a task should name: some when it is the one to be explained, else none. */
export const namedFor = (key: string, { explain }: { readonly explain?: string }): number =>
  key === explain ? EXPLAINED : 0;

/** What `BestNodes` chooses among. */
export interface NodeChoiceOptions {
  /** `input.nodes` */
  readonly nodes: readonly NodeView[];
  /** `input.resources` */
  readonly resources: readonly string[];
  /** `input.shapes`, or what a scheduler has made of them: parts of their nodes, say. */
  readonly shapes: readonly Shape[];
  /** NaN is a mistake and throws. */
  readonly score: NodeScore;
  /** How often each shape will be asked for, at most: with one, a scan is cheaper than an index. Default: often. */
  readonly taskCounts?: ArrayLike<number>;
  /**
   * What the greatest preference of a shape for a node adds to the score; the greatest dislike takes as much from it.
   * Default 1, which outweighs any score that is a share.
   */
  readonly preferenceWeight?: number;
  /**
   * An object that is the same in calls about the same pool, such as `input.config`. What is worked out about nodes is
   * kept with it, so that the next call looks only at what has changed since; decisions are the same without. Of two
   * BestNodes with one object only the younger may be used. Pays when `score` is the same function in each call.
   */
  readonly keptWith?: object;
}

/**
 * Finds for a shape the feasible node that scores best and has room, and keeps account of what is given away. It decides
 * exactly as a scan of all nodes would, at a cost that hardly grows with them. For schedulers that `greedy` is too
 * simple for.
 */
export class BestNodes {
  /** What is left, as far as this call has given it away. */
  readonly cluster: Cluster;
  readonly #shapes: readonly Shape[];
  readonly #taskCounts: ArrayLike<number> | null;
  readonly #index: NodeIndex;
  readonly #choices: (Choice | undefined)[] = [];

  constructor({ nodes, resources, shapes, score, taskCounts, preferenceWeight = 1, keptWith }: NodeChoiceOptions) {
    this.#index = indexFor({ nodes, resources, score, perPreference: preferenceWeight / MOST_LIKED }, keptWith);
    this.cluster = this.#index.cluster;
    this.#shapes = shapes;
    this.#taskCounts = taskCounts ?? null;
  }

  /** The node to take for a shape, by the shape's index; −1 when none has room. */
  best(shape: number): number {
    return this.#choice(shape).best();
  }

  /** How good a node is for a shape as things stand. */
  scoreOf(shape: number, node: number): number {
    return this.#index.scorer.of(this.#shapes[shape]!, node, this.cluster);
  }

  /** Gives a node that has room to a task of a shape. */
  take(shape: number, node: number): void {
    this.cluster.take(node, this.#shapes[shape]!.needs);
    this.#index.journal.write(node);
    this.#choices[shape]?.taken(node);
  }

  /** Keeps a node for a task of a shape that has no room there yet, see `Cluster.hold`. */
  hold(shape: number, node: number): void {
    this.cluster.hold(node, this.#shapes[shape]!.needs);
    this.#index.journal.write(node);
  }

  /**
   * Gives a node that has room to a task, and says so.
   *
   * @param named How many of the best nodes the decision names with their scores; costs a look at all of them.
   */
  place({ key, shape }: PendingTask, node: number, named = 0): Decision {
    const decision: Decision =
      named > 0 ? { task: key, node, considered: this.candidates(shape, named) } : { task: key, node };
    this.take(shape, node);
    return decision;
  }

  /** The best nodes with their scores, best first. Looks at all of them. */
  candidates(shape: number, count: number): readonly Candidate[] {
    return this.#choice(shape).candidates(count);
  }

  #choice(shape: number): Choice {
    return (this.#choices[shape] ??= this.#makeChoice(shape));
  }

  #makeChoice(at: number): Choice {
    const shape = this.#shapes[at]!;
    const { scorer, cluster } = this.#index;
    return new Choice(shape, scorer, cluster, this.#index.heapFor(shape, (this.#taskCounts?.[at] ?? 2) > 1));
  }
}

/** The best node for one shape: by a heap, or by a scan where a heap would not pay. */
class Choice {
  readonly #shape: Shape;
  readonly #score: Scorer;
  readonly #cluster: Cluster;
  readonly #heap: NodeHeap | null;
  #isFull = false;

  constructor(shape: Shape, score: Scorer, cluster: Cluster, heap: NodeHeap | null) {
    this.#heap = heap;
    this.#shape = shape;
    this.#score = score;
    this.#cluster = cluster;
  }

  /** The node to take; −1 when none has room. */
  best(): number {
    if (this.#isFull) return -1;
    const node = this.#heap === null ? this.#scan() : this.#heap.best();
    if (node < 0) this.#isFull = true;
    return node;
  }

  /** A node has been given to a task of the shape, and the journal says so. */
  taken(node: number): void {
    this.#heap?.taken(node);
  }

  /** The best nodes with their scores, best first. */
  candidates(count: number): readonly Candidate[] {
    const all: Candidate[] = [];
    for (const node of this.#shape.feasible) {
      if (this.#cluster.fits(node, this.#shape.needs)) {
        all.push({ node, score: this.#score.of(this.#shape, node, this.#cluster) });
      }
    }
    return all.sort((one, other) => other.score - one.score || one.node - other.node).slice(0, count);
  }

  #scan(): number {
    const { needs, feasible } = this.#shape;
    let best = -1;
    let bestScore = 0;
    for (let at = 0; at < feasible.length; at++) {
      const node = feasible[at]!;
      if (!this.#cluster.fits(node, needs)) continue;
      const score = this.#score.of(this.#shape, node, this.#cluster);
      if (best < 0 || score > bestScore) {
        best = node;
        bestScore = score;
      }
    }
    return best;
  }
}

/** The preference of who wants nothing more than to be on a node. */
const MOST_LIKED = 100;
