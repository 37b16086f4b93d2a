import type { Cluster } from './cluster.ts';
import type { Shape } from './scheduler.ts';

/*
 * A scan of all nodes for every task costs more with every node. Instead each shape has a heap of its feasible nodes by
 * score. A placement changes one node, and writes it into a journal; a heap reads on in the journal when it is asked
 * next. A node whose score has risen is put into the heap once more, with its new key, and the entry with the old key is
 * dropped when it is met. One whose score has fallen keeps its old key, which is then too high but never too low; if it
 * comes to the top it is scored again, and sinks. So the node on top, once its key is known to be right, is the very one
 * that the scan would have found, ties by index included. A node that has no room left is dropped when it is met at the
 * top, and comes back when the journal names it and it has room again. None of this depends on how the heap came about,
 * so it may be kept from call to call.
 */

/**
 * How good a node is for a shape; higher is better, ties go to the node with the lower index. It may look at the shape
 * and at this one node, whose free amounts are those before the task is put there; not at other nodes, because it is not
 * asked again when these change.
 */
export type NodeScore = (shape: Shape, node: number, cluster: Cluster) => number;

/** A score with the preferences of shapes. */
export class Scorer {
  readonly #score: NodeScore;
  readonly #perPreference: number;

  /** @param perPreference What each step of preference adds. */
  constructor(score: NodeScore, perPreference: number) {
    this.#score = score;
    this.#perPreference = perPreference;
  }

  /** How good a node is for a shape as things stand. Throws when the score is not a number. */
  of(shape: Shape, node: number, cluster: Cluster): number {
    const score = this.#score;
    let value = score(shape, node, cluster);
    if (shape.preference !== undefined) value += shape.preference[node]! * this.#perPreference;
    if (Number.isNaN(value)) {
      throw new Error(
        `The score of node ${cluster.nodes[node]!.name} is not a number: a capacity of 0 may be divided by.`,
      );
    }
    return value;
  }
}

/** Which nodes have changed, in order. */
export class Journal {
  nodes: Int32Array;
  length = 0;
  /** Per node: where it stands last; what stands before is outdated. */
  readonly #last: Int32Array;

  constructor(taskCount: number, nodeCount: number) {
    this.nodes = new Int32Array(taskCount);
    this.#last = new Int32Array(nodeCount).fill(-1);
  }

  write(node: number): void {
    this.#last[node] = this.length;
    if (this.length === this.nodes.length) {
      const nodes = new Int32Array(2 * this.length + 1);
      nodes.set(this.nodes);
      this.nodes = nodes;
    }
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

/** Nodes with room for one shape, best on top; each has four below it, which makes it half as deep as with two. */
export class NodeHeap {
  readonly shape: Shape;
  readonly #score: Scorer;
  readonly #cluster: Cluster;
  readonly #journal: Journal;
  /** How far the journal has been read. */
  #read = 0;
  #size = 0;
  /** By place in the heap. */
  #nodes: Int32Array;
  #keys: Float64Array;
  /** By node: the key of its entry, other entries of it are outdated; −Infinity when it has none, NaN when it never may. */
  readonly #keyOf: Float64Array;
  /** By node: how long the journal was when it was scored last. */
  readonly #scoredAt: Int32Array;

  constructor(shape: Shape, score: Scorer, cluster: Cluster, journal: Journal) {
    this.shape = shape;
    this.#score = score;
    this.#cluster = cluster;
    this.#journal = journal;
    const { feasible } = shape;
    this.#nodes = new Int32Array(feasible.length);
    this.#keys = new Float64Array(feasible.length);
    this.#keyOf = new Float64Array(cluster.nodes.length).fill(NaN);
    this.#scoredAt = new Int32Array(cluster.nodes.length);
    this.#build();
  }

  /** The best node that has room, which is then on top; −1 when there is none. */
  best(): number {
    this.#readOn();
    while (this.#size > 0) {
      const node = this.#nodes[0]!;
      if (this.#keys[0]! !== this.#keyOf[node]! || !this.#cluster.fits(node, this.shape.needs)) this.#dropTop();
      else if (this.#scoredAt[node]! > this.#journal.lastOf(node)) return node;
      else this.#rescoreTop();
    }
    return -1;
  }

  /** A node has been given to a task of the shape, and the journal says so. Costs least when it is the one on top. */
  taken(node: number): void {
    // Another one is found in the journal; and a heap that has not read on must not skip what it says.
    if (this.#size === 0 || this.#nodes[0] !== node || this.#read < this.#journal.length - 1) return;
    this.#read = this.#journal.length;
    if (this.#cluster.fits(this.#nodes[0]!, this.shape.needs)) this.#rescoreTop();
    else this.#dropTop();
  }

  #build(): void {
    const { feasible, needs } = this.shape;
    this.#read = this.#journal.length;
    this.#size = 0;
    for (let at = 0; at < feasible.length; at++) {
      const node = feasible[at]!;
      if (this.#cluster.fits(node, needs))
        this.#put(this.#size++, node, this.#score.of(this.shape, node, this.#cluster));
      else this.#keyOf[node] = -Infinity;
    }
    for (let place = (this.#size - 2) >> 2; place >= 0; place--) this.#moveDown(place);
  }

  #readOn(): void {
    // Half of the entries, or more, are outdated.
    if (this.#size > 2 * this.shape.feasible.length) this.#build();
    for (; this.#read < this.#journal.length; this.#read++) {
      if (!this.#journal.isLatest(this.#read)) continue;
      const node = this.#journal.nodes[this.#read]!;
      const key = this.#keyOf[node]!;
      if (Number.isNaN(key) || !this.#cluster.fits(node, this.shape.needs)) continue;
      const score = this.#score.of(this.shape, node, this.#cluster);
      if (score > key) this.#push(node, score);
    }
  }

  #rescoreTop(): void {
    const node = this.#nodes[0]!;
    this.#put(0, node, this.#score.of(this.shape, node, this.#cluster));
    this.#moveDown(0);
  }

  #dropTop(): void {
    const node = this.#nodes[0]!;
    if (this.#keyOf[node] === this.#keys[0]) this.#keyOf[node] = -Infinity;
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
