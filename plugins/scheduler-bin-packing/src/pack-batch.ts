import { namedFor, type BestNodes } from '@gantry/plugin-kit/best-nodes';
import { resourceColumns, type Cluster } from '@gantry/plugin-kit/cluster';
import type { Reservations } from '@gantry/plugin-kit/reservations';
import type { Decision, PendingTask, PlacementInput } from '@gantry/plugin-kit/scheduler';

/** The search for what fills one node looks at so many sets of tasks at most; all searches of a call at so many. */
const MAX_PER_NODE = 4_000;
const MAX_PER_CALL = 250_000;

interface Item {
  readonly task: PendingTask;
  readonly needs: readonly number[];
  /** The largest part of the pool that it takes of any resource. */
  readonly size: number;
  isPlaced: boolean;
}

/**
 * Packs a batch as a whole: of equal priority the largest task goes first, to the node that scores best, and then that
 * node is filled up with those of the others that leave least of it, before the next node is begun.
 *
 * Source: minimum bin slack, J. Gupta and J. Ho (1999), begun with the largest as in K. Fleszar and K. Hindi, New
 * Heuristics for One-Dimensional Bin-Packing (2002).
 */
export function packBatch(input: PlacementInput, choices: BestNodes, reservations: Reservations): readonly Decision[] {
  const columns = resourceColumns(input.resources);
  const total = input.resources.map((_, column) =>
    input.nodes.reduce((sum, { capacity }) => sum + capacity[column]!, 0),
  );
  const items = input.tasks.map((task): Item => {
    const { needs } = input.shapes[task.shape]!;
    const size = columns.reduce((most, at) => (total[at]! > 0 ? Math.max(most, needs[at]! / total[at]!) : most), 0);
    return { task, needs, size, isPlaced: false };
  });
  items.sort(
    (one, other) =>
      other.task.priority - one.task.priority || other.size - one.size || one.task.readySince - other.task.readySince,
  );
  const isFeasible = feasibilityOf(input);
  const decisions: Decision[] = [];
  const place = (item: Item, node: number): void => {
    item.isPlaced = true;
    decisions.push(choices.place(item.task, node, namedFor(item.task.key, input)));
  };
  let budget = MAX_PER_CALL;
  for (let at = 0; at < items.length; at++) {
    const largest = items[at]!;
    if (largest.isPlaced) continue;
    const node = choices.best(largest.task.shape);
    if (node < 0) {
      reservations.passOver(largest.task);
      continue;
    }
    place(largest, node);
    const others: Item[] = [];
    for (let next = at + 1; next < items.length && items[next]!.task.priority === largest.task.priority; next++) {
      const item = items[next]!;
      if (!item.isPlaced && isFeasible(item.task.shape, node) && choices.cluster.fits(node, item.needs))
        others.push(item);
    }
    const search = new FillSearch(choices.cluster, node, columns, others, Math.min(budget, MAX_PER_NODE));
    for (const item of search.run()) if (choices.cluster.fits(node, item.needs)) place(item, node);
    budget -= search.looked;
  }
  return decisions;
}

function feasibilityOf({ shapes, nodes }: PlacementInput): (shape: number, node: number) => boolean {
  const known: (Uint8Array | undefined)[] = [];
  return (shape, node) => {
    let able = known[shape];
    if (able === undefined) {
      known[shape] = able = new Uint8Array(nodes.length);
      for (const each of shapes[shape]!.feasible) able[each] = 1;
    }
    return able[node] === 1;
  };
}

/** Looks for the tasks that leave least of the fullest resource of a node. */
class FillSearch {
  /** How many sets have been looked at. */
  looked = 0;
  readonly #items: readonly Item[];
  readonly #free: Float64Array;
  readonly #columns: readonly number[];
  readonly #most: number;
  /** The column to fill. */
  readonly #tight: number;
  readonly #chosen: Item[] = [];
  #best: readonly Item[] = [];
  #leastLeft: number;

  constructor(cluster: Cluster, node: number, columns: readonly number[], items: readonly Item[], most: number) {
    this.#columns = columns;
    this.#items = items;
    this.#most = most;
    this.#free = Float64Array.from(items[0]?.needs ?? [], (_, column) => cluster.freeOf(node, column));
    const asked = (column: number): number => {
      const free = this.#free[column]!;
      const sum = items.reduce((all, { needs }) => all + needs[column]!, 0);
      return free > 0 ? sum / free : 0;
    };
    this.#tight = columns.reduce(
      (tightest, column) => (asked(column) > asked(tightest) ? column : tightest),
      columns[0]!,
    );
    this.#leastLeft = this.#free[this.#tight] ?? 0;
  }

  run(): readonly Item[] {
    if (this.#items.length > 0) this.#extend(0);
    return this.#best;
  }

  #extend(from: number): void {
    for (let at = from; at < this.#items.length; at++) {
      if (this.#leastLeft <= 0 || this.looked >= this.#most) return;
      const item = this.#items[at]!;
      // Of tasks that need the same only the first that is left is tried in one place.
      if (at > from && item.needs === this.#items[at - 1]!.needs) continue;
      if (!this.#fits(item)) continue;
      this.looked++;
      this.#move(item, -1);
      this.#chosen.push(item);
      const left = this.#free[this.#tight]!;
      if (left < this.#leastLeft) {
        this.#leastLeft = left;
        this.#best = [...this.#chosen];
      }
      this.#extend(at + 1);
      this.#chosen.pop();
      this.#move(item, 1);
    }
  }

  #fits({ needs }: Item): boolean {
    for (const column of this.#columns) if (needs[column]! > this.#free[column]! && needs[column]! > 0) return false;
    return true;
  }

  #move({ needs }: Item, sign: 1 | -1): void {
    for (const column of this.#columns) this.#free[column]! += sign * needs[column]!;
  }
}
