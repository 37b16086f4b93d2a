import { Cluster } from './cluster.ts';
import type { Candidate, Decision, PendingTask, PlacementInput, PlacementOutput, Shape } from './scheduler.ts';
import type { Json } from './vocabulary.ts';

export { Cluster } from './cluster.ts';

/*
 * Greedy placement: task by task, each to the node that scores best and still has room.
 *
 * A scan of all nodes for every task costs more with every node. Instead each shape has a heap of its feasible nodes by
 * score. A placement changes one node, and writes it into a journal; a heap reads on in the journal when it is asked
 * next. A node whose score has risen is put into the heap once more, with its new key, and the entry with the old key is
 * dropped when it is met. One whose score has fallen keeps its old key, which is then too high but never too low; if it
 * comes to the top it is scored again, and sinks. So the node on top, once its key is known to be right, is the very one
 * that the scan would have found, ties by index included. A node that has no room left is dropped when it is met at the
 * top: within one call nothing is given back.
 */

/** What makes a greedy scheduler. */
export interface GreedyRules {
  /**
   * How good a node is for a shape; higher is better, ties go to the node with the lower index. It may look at the
   * shape and at this one node, whose free amounts are those before the task is put there; not at other nodes, because
   * it is not asked again when these change. NaN is a mistake and throws.
   */
  score(shape: Shape, node: number, cluster: Cluster): number;
  /** Which task comes first, as for Array.sort. Default: higher priority, then longer waiting. */
  order?(one: PendingTask, other: PendingTask): number;
  /** How many of the best nodes each decision names with their scores. Default 0; costs a scan of all nodes per task. */
  considered?: number;
}

/** The more urgent task first: higher priority, then longer waiting. */
const byPriority = (one: PendingTask, other: PendingTask): number =>
  other.priority - one.priority || one.readySince - other.readySince;

/** Heaps of one call hold at most so many nodes together, some 70 MB; shapes beyond that are scanned. */
const MAX_INDEXED = 1 << 22;

/**
 * Makes a `place` from a score. Each task goes to the best feasible node that has room; one that fits nowhere stays
 * pending. `rules` is called once per call. Keeps the memory as it is.
 */
export function greedy<Config>(
  rules: (config: Config, input: PlacementInput<Config, Json>) => GreedyRules,
): <Memory extends Json>(input: PlacementInput<Config, Memory>) => PlacementOutput<Memory> {
  return (input) => {
    if (input.tasks.length === 0) return { decisions: [], memory: input.memory };
    const { score, order, considered = 0 } = rules(input.config, input);
    const cluster = new Cluster(input.nodes, input.resources);
    const journal = new Journal(input.tasks.length, input.nodes.length);
    const choices: (Choice | undefined)[] = [];
    const decisions: Decision[] = [];
    const taskCounts = new Uint32Array(input.shapes.length);
    for (const { shape } of input.tasks) taskCounts[shape]!++;
    let indexed = 0;
    for (const task of inOrder(input.tasks, order)) {
      let choice = choices[task.shape];
      if (choice === undefined) {
        const shape = input.shapes[task.shape]!;
        const size = shape.feasible.length;
        const hasHeap = taskCounts[task.shape]! > 1 && indexed + size <= MAX_INDEXED;
        if (hasHeap) indexed += size;
        choice = new Choice(shape, score, cluster, journal, hasHeap);
        choices[task.shape] = choice;
      }
      const node = choice.best();
      if (node < 0) continue;
      decisions.push(
        considered > 0 ? { task: task.key, node, considered: choice.candidates(considered) } : { task: task.key, node },
      );
      choice.take(node);
    }
    return { decisions, memory: input.memory };
  };
}

/** The tasks of a call in the order in which they should be placed; without `order` the more urgent first. */
export function inOrder(
  tasks: readonly PendingTask[],
  order: (one: PendingTask, other: PendingTask) => number = byPriority,
): readonly PendingTask[] {
  // Mostly they come in the right order already.
  for (let at = 1; at < tasks.length; at++) {
    if (order(tasks[at - 1]!, tasks[at]!) > 0) return tasks.toSorted(order);
  }
  return tasks;
}

/** Which nodes have changed, in order. */
class Journal {
  readonly nodes: Int32Array;
  length = 0;
  /** Per node: where it stands last; what stands before is outdated. */
  readonly #last: Int32Array;

  constructor(taskCount: number, nodeCount: number) {
    this.nodes = new Int32Array(taskCount);
    this.#last = new Int32Array(nodeCount).fill(-1);
  }

  write(node: number): void {
    this.#last[node] = this.length;
    this.nodes[this.length++] = node;
  }

  /** Where a node stands last; −1 when it has not changed. */
  lastOf(node: number): number {
    return this.#last[node]!;
  }

  isLatest(at: number): boolean {
    return this.#last[this.nodes[at]!] === at;
  }
}

/** The best node for one shape: by a heap, or by a scan where a heap would not pay. */
class Choice {
  readonly #shape: Shape;
  readonly #score: GreedyRules['score'];
  readonly #cluster: Cluster;
  readonly #journal: Journal;
  readonly #heap: NodeHeap | null;
  #isFull = false;

  constructor(shape: Shape, score: GreedyRules['score'], cluster: Cluster, journal: Journal, hasHeap: boolean) {
    this.#heap = hasHeap ? new NodeHeap(shape, score, cluster, journal) : null;
    this.#shape = shape;
    this.#score = score;
    this.#cluster = cluster;
    this.#journal = journal;
  }

  /** The node to take; −1 when none has room. */
  best(): number {
    if (this.#isFull) return -1;
    const node = this.#heap === null ? this.#scan() : this.#heap.best();
    if (node < 0) this.#isFull = true;
    return node;
  }

  take(node: number): void {
    this.#cluster.take(node, this.#shape.needs);
    this.#journal.write(node);
    this.#heap?.taken();
  }

  /** The best nodes with their scores, best first. */
  candidates(count: number): readonly Candidate[] {
    const all: Candidate[] = [];
    for (const node of this.#shape.feasible) {
      if (this.#cluster.fits(node, this.#shape.needs)) {
        all.push({ node, score: scoreOf(this.#score, this.#shape, node, this.#cluster) });
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
      const score = scoreOf(this.#score, this.#shape, node, this.#cluster);
      if (best < 0 || score > bestScore) {
        best = node;
        bestScore = score;
      }
    }
    return best;
  }
}

/** Nodes with room for one shape, best on top; each has four below it, which makes it half as deep as with two. */
class NodeHeap {
  readonly #shape: Shape;
  readonly #score: GreedyRules['score'];
  readonly #cluster: Cluster;
  readonly #journal: Journal;
  /** How far the journal has been read. */
  #read: number;
  #size = 0;
  /** By place in the heap. */
  #nodes: Int32Array;
  #keys: Float64Array;
  /** By node: the key of its entry, other entries of it are outdated; NaN when it has none. */
  readonly #keyOf: Float64Array;
  /** By node: how long the journal was when it was scored last. */
  readonly #scoredAt: Int32Array;

  constructor(shape: Shape, score: GreedyRules['score'], cluster: Cluster, journal: Journal) {
    this.#shape = shape;
    this.#score = score;
    this.#cluster = cluster;
    this.#journal = journal;
    this.#read = journal.length;
    const { feasible, needs } = shape;
    this.#nodes = new Int32Array(feasible.length);
    this.#keys = new Float64Array(feasible.length);
    this.#keyOf = new Float64Array(cluster.nodes.length).fill(NaN);
    this.#scoredAt = new Int32Array(cluster.nodes.length);
    for (let at = 0; at < feasible.length; at++) {
      const node = feasible[at]!;
      if (cluster.fits(node, needs)) this.#put(this.#size++, node, scoreOf(score, shape, node, cluster));
    }
    for (let place = (this.#size - 2) >> 2; place >= 0; place--) this.#moveDown(place);
  }

  /** The best node that has room, which is then on top; −1 when there is none. */
  best(): number {
    this.#readOn();
    while (this.#size > 0) {
      const node = this.#nodes[0]!;
      if (this.#keys[0]! !== this.#keyOf[node]! || !this.#cluster.fits(node, this.#shape.needs)) this.#dropTop();
      else if (this.#scoredAt[node]! > this.#journal.lastOf(node)) return node;
      else this.#rescoreTop();
    }
    return -1;
  }

  /** The node on top has been taken, and the journal says so. */
  taken(): void {
    this.#read = this.#journal.length;
    if (this.#cluster.fits(this.#nodes[0]!, this.#shape.needs)) this.#rescoreTop();
    else this.#dropTop();
  }

  #readOn(): void {
    for (; this.#read < this.#journal.length; this.#read++) {
      if (!this.#journal.isLatest(this.#read)) continue;
      const node = this.#journal.nodes[this.#read]!;
      const key = this.#keyOf[node]!;
      if (Number.isNaN(key) || !this.#cluster.fits(node, this.#shape.needs)) continue;
      const score = scoreOf(this.#score, this.#shape, node, this.#cluster);
      if (score > key) this.#push(node, score);
    }
  }

  #rescoreTop(): void {
    const node = this.#nodes[0]!;
    this.#put(0, node, scoreOf(this.#score, this.#shape, node, this.#cluster));
    this.#moveDown(0);
  }

  #dropTop(): void {
    const last = --this.#size;
    this.#nodes[0] = this.#nodes[last]!;
    this.#keys[0] = this.#keys[last]!;
    this.#moveDown(0);
  }

  #push(node: number, key: number): void {
    if (this.#size === this.#nodes.length) {
      const nodes = new Int32Array(2 * this.#size);
      const keys = new Float64Array(2 * this.#size);
      nodes.set(this.#nodes);
      keys.set(this.#keys);
      this.#nodes = nodes;
      this.#keys = keys;
    }
    this.#keyOf[node] = key;
    this.#scoredAt[node] = this.#journal.length;
    this.#moveUp(this.#size++, node, key);
  }

  #put(place: number, node: number, key: number): void {
    this.#nodes[place] = node;
    this.#keys[place] = key;
    this.#keyOf[node] = key;
    this.#scoredAt[node] = this.#journal.length;
  }

  #moveUp(from: number, node: number, key: number): void {
    const nodes = this.#nodes;
    const keys = this.#keys;
    let place = from;
    while (place > 0) {
      const parent = (place - 1) >> 2;
      if (keys[parent]! > key || (keys[parent] === key && nodes[parent]! <= node)) break;
      nodes[place] = nodes[parent]!;
      keys[place] = keys[parent]!;
      place = parent;
    }
    nodes[place] = node;
    keys[place] = key;
  }

  #moveDown(from: number): void {
    const nodes = this.#nodes;
    const keys = this.#keys;
    const node = nodes[from]!;
    const key = keys[from]!;
    let place = from;
    for (;;) {
      const first = 4 * place + 1;
      if (first >= this.#size) break;
      const end = Math.min(first + 4, this.#size);
      let child = first;
      let childKey = keys[first]!;
      for (let other = first + 1; other < end; other++) {
        const otherKey = keys[other]!;
        if (otherKey > childKey || (otherKey === childKey && nodes[other]! < nodes[child]!)) {
          child = other;
          childKey = otherKey;
        }
      }
      if (key > childKey || (key === childKey && node <= nodes[child]!)) break;
      nodes[place] = nodes[child]!;
      keys[place] = childKey;
      place = child;
    }
    nodes[place] = node;
    keys[place] = key;
  }
}

function scoreOf(score: GreedyRules['score'], shape: Shape, node: number, cluster: Cluster): number {
  const value = score(shape, node, cluster);
  if (Number.isNaN(value)) {
    throw new Error(
      `The score of node ${cluster.nodes[node]!.name} is not a number: a capacity of 0 may be divided by.`,
    );
  }
  return value;
}
