import { Cluster } from './cluster.ts';
import type { Decision, PendingTask, PlacementInput, PlacementOutput, Shape } from './scheduler.ts';

export { Cluster } from './cluster.ts';

/** A rule: which task next, and which node is best for it. */
export interface GreedyRule {
  /** How good a node is for a task of the shape; the highest wins, the earlier node among equals. May depend on nothing
   *  but its arguments: it is asked again only when the node has changed. */
  score(shape: Shape, node: number, cluster: Cluster): number;
  /** Which of two tasks goes first (negative: the first). Default: higher priority, then longer waiting. */
  order?(one: PendingTask, other: PendingTask): number;
}

const byPriorityAndAge = (one: PendingTask, other: PendingTask): number =>
  other.priority - one.priority || one.readySince - other.readySince;

/**
 * Makes `place` of a rule: each task in its turn goes to the best node that still has room. It decides exactly as if
 * every node were tried for every task, but keeps a heap per shape, so that the cost of a task does not grow with the
 * nodes.
 */
export function greedy<Config>(
  makeRule: (config: Config, input: PlacementInput<Config>) => GreedyRule,
): (input: PlacementInput<Config>) => PlacementOutput {
  return (input) => {
    const rule = makeRule(input.config, input);
    const cluster = new Cluster(input);
    const changes: number[] = [];
    const rankings: (Ranking | undefined)[] = [];
    const decisions: Decision[] = [];
    for (const task of inOrder(input.tasks, rule.order ?? byPriorityAndAge)) {
      const shape = input.shapes[task.shape]!;
      const ranking = (rankings[task.shape] ??= new Ranking(shape, rule, cluster, changes));
      const node = ranking.best();
      if (node === null) continue;
      cluster.take(shape, node);
      changes.push(node);
      decisions.push({ task: task.key, node });
    }
    return { decisions, memory: null };
  };
}

/** The tasks in order; the host hands them over in the usual order already, which costs one look to see. */
function inOrder(tasks: readonly PendingTask[], order: NonNullable<GreedyRule['order']>): readonly PendingTask[] {
  for (let index = 1; index < tasks.length; index++) {
    if (order(tasks[index - 1]!, tasks[index]!) > 0) return tasks.toSorted(order);
  }
  return tasks;
}

interface Ranked {
  readonly node: number;
  readonly score: number;
  readonly version: number;
}

/** The nodes that have room for a shape, best first: a heap in which entries of changed nodes are replaced by new ones. */
class Ranking {
  readonly #shape: Shape;
  readonly #rule: GreedyRule;
  readonly #cluster: Cluster;
  /** Nodes in the order in which decisions changed them; shared by all rankings. */
  readonly #changes: readonly number[];
  #seen: number;
  readonly #heap: Ranked[] = [];
  readonly #versions = new Map<number, number>();
  readonly #feasible: ReadonlySet<number> | null;

  constructor(shape: Shape, rule: GreedyRule, cluster: Cluster, changes: readonly number[]) {
    this.#shape = shape;
    this.#rule = rule;
    this.#cluster = cluster;
    this.#changes = changes;
    this.#seen = changes.length;
    // Where every node will do, no set is needed to tell.
    this.#feasible = shape.feasible.length === cluster.nodes.length ? null : new Set(shape.feasible);
    for (const node of shape.feasible) if (cluster.fits(shape, node)) this.#heap.push(this.#ranked(node, 0));
    for (let index = (this.#heap.length >> 1) - 1; index >= 0; index--) this.#sink(index);
  }

  /** The best node that has room, or null. */
  best(): number | null {
    this.#catchUp();
    for (let top = this.#heap[0]; top; top = this.#heap[0]) {
      if (top.version === (this.#versions.get(top.node) ?? 0)) return top.node;
      this.#removeTop();
    }
    return null;
  }

  #catchUp(): void {
    for (; this.#seen < this.#changes.length; this.#seen++) {
      const node = this.#changes[this.#seen]!;
      if (this.#feasible && !this.#feasible.has(node)) continue;
      const version = (this.#versions.get(node) ?? 0) + 1;
      this.#versions.set(node, version);
      if (!this.#cluster.fits(this.#shape, node)) continue;
      const ranked = this.#ranked(node, version);
      // As a rule the changed node is the one on top: its place is taken instead of a new one.
      if (this.#heap[0]?.node === node) {
        this.#heap[0] = ranked;
        this.#sink(0);
      } else {
        this.#rise(this.#heap.push(ranked) - 1);
      }
    }
  }

  #ranked(node: number, version: number): Ranked {
    return { node, score: this.#rule.score(this.#shape, node, this.#cluster), version };
  }

  #removeTop(): void {
    const last = this.#heap.pop()!;
    if (this.#heap.length === 0) return;
    this.#heap[0] = last;
    this.#sink(0);
  }

  #rise(from: number): void {
    const heap = this.#heap;
    let index = from;
    const ranked = heap[index]!;
    while (index > 0) {
      const parent = (index - 1) >> 1;
      if (!isBetter(ranked, heap[parent]!)) break;
      heap[index] = heap[parent]!;
      index = parent;
    }
    heap[index] = ranked;
  }

  #sink(from: number): void {
    const heap = this.#heap;
    let index = from;
    const ranked = heap[index]!;
    for (;;) {
      let child = 2 * index + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && isBetter(heap[child + 1]!, heap[child]!)) child++;
      if (!isBetter(heap[child]!, ranked)) break;
      heap[index] = heap[child]!;
      index = child;
    }
    heap[index] = ranked;
  }
}

const isBetter = (one: Ranked, other: Ranked): boolean =>
  one.score > other.score || (one.score === other.score && one.node < other.node);
