import { Cluster } from './cluster.ts';
import { Journal, NodeHeap, Scorer, type NodeScore } from './node-heap.ts';
import type { NodeView, Shape } from './scheduler.ts';

/** What an index is of. */
export interface IndexedNodes {
  readonly nodes: readonly NodeView[];
  readonly resources: readonly string[];
  readonly score: NodeScore;
  /** What each step of preference adds to a score. */
  readonly perPreference: number;
}

/** Heaps hold at most so many nodes together, some 70 MB; shapes beyond that are scanned. */
const MAX_INDEXED = 1 << 22;

/** A journal that is longer is begun anew, and everything that has read it. */
const MAX_JOURNAL = 1 << 22;

const indexes = new WeakMap<object, NodeIndex>();

/** The index that is kept with an object when it is of the same kind, else a new one; as `nodes` are now. */
export function indexFor(of: IndexedNodes, keptWith: object | undefined): NodeIndex {
  const kept = keptWith && indexes.get(keptWith);
  if (kept?.renew(of) === true) return kept;
  const index = new NodeIndex(of);
  if (keptWith !== undefined) indexes.set(keptWith, index);
  return index;
}

/**
 * What is left on the nodes, and a heap for each shape that is asked for often. Between two calls only those nodes are
 * looked at that the first has given away or whose view is another one: a host shows a node that has not changed by the
 * same object, and nodes that will do for a shape by the same list as long as no node comes, goes or is changed.
 */
export class NodeIndex {
  readonly cluster: Cluster;
  readonly journal: Journal;
  readonly scorer: Scorer;
  readonly #of: IndexedNodes;
  /** By the list of feasible nodes, then by needs; null for one that has been asked for once. */
  readonly #heaps = new WeakMap<object, Map<string, NodeHeap | null>>();
  #indexed = 0;
  /** How long the journal was when the call began. */
  #begun = 0;

  constructor(of: IndexedNodes) {
    this.#of = of;
    this.cluster = new Cluster(of.nodes, of.resources);
    this.journal = new Journal(64, of.nodes.length);
    this.scorer = new Scorer(of.score, of.perPreference);
  }

  /** Brings everything up to date for another call; false when it is of no use for it. */
  renew({ nodes, resources, score, perPreference }: IndexedNodes): boolean {
    const { cluster, journal } = this;
    const isSame =
      score === this.#of.score &&
      perPreference === this.#of.perPreference &&
      nodes.length === cluster.nodes.length &&
      resources.length === cluster.columnCount &&
      resources.every((name, column) => name === this.#of.resources[column]);
    if (!isSame || journal.length > MAX_JOURNAL || this.#indexed > MAX_INDEXED) return false;
    const before = cluster.nodes;
    cluster.renew(nodes);
    const end = journal.length;
    for (let at = this.#begun; at < end; at++) if (journal.isLatest(at)) this.#restore(journal.nodes[at]!);
    for (let node = 0; node < nodes.length; node++) {
      if (nodes[node] !== before[node] && journal.lastOf(node) < end) this.#restore(node);
    }
    this.#begun = journal.length;
    return true;
  }

  /**
   * The heap of a shape; null when a scan will do.
   *
   * @param isAskedOften In this call; over several calls the index sees for itself.
   */
  heapFor(shape: Shape, isAskedOften: boolean): NodeHeap | null {
    let heaps = this.#heaps.get(shape.feasible);
    if (heaps === undefined) this.#heaps.set(shape.feasible, (heaps = new Map<string, NodeHeap | null>()));
    const needs = shape.needs.join();
    const known = heaps.get(needs);
    if (known && known.shape.preference === shape.preference) return known;
    const size = shape.feasible.length;
    const isWorth = (isAskedOften || known !== undefined) && this.#indexed + size <= MAX_INDEXED;
    if (isWorth) this.#indexed += size;
    const heap = isWorth ? new NodeHeap(shape, this.scorer, this.cluster, this.journal) : null;
    heaps.set(needs, heap);
    return heap;
  }

  #restore(node: number): void {
    this.cluster.restore(node);
    this.journal.write(node);
  }
}
