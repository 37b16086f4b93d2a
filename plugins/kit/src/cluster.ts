import { chooseGpus, GPU, shareOf } from './gpus.ts';
import type { NodeView } from './scheduler.ts';

/**
 * The columns of real resources. The others, whose names hold a space, are limits that the host shows as if they were
 * one, so that every scheduler keeps them: how full such a column is says nothing of how loaded a node is.
 *
 * @param resources `input.resources`
 */
export function resourceColumns(resources: readonly string[]): readonly number[] {
  return resources.flatMap((name, column) => (name.includes(' ') ? [] : [column]));
}

/**
 * What is left on every node while a scheduler decides: a copy of the input's free amounts, from which it takes what it
 * has given away. The input stays as it was.
 */
export class Cluster {
  #nodes: readonly NodeView[];
  /** How many resources there are: the length of every row of amounts. */
  readonly columnCount: number;
  readonly #free: Float64Array;
  readonly #capacity: Float64Array;
  /** The column of GPUs; −1 when there is none. */
  readonly #gpuColumn: number;
  /** By node: what is free of each of its GPUs. Copied when something is taken. */
  readonly #gpus: (readonly number[] | undefined)[];

  /** @param resources `input.resources` */
  constructor(nodes: readonly NodeView[], resources: readonly string[]) {
    const columnCount = resources.length;
    this.#nodes = nodes;
    this.columnCount = columnCount;
    this.#gpuColumn = resources.indexOf(GPU);
    this.#gpus = this.#gpuColumn < 0 ? [] : nodes.map(({ gpus }) => gpus);
    this.#free = new Float64Array(nodes.length * columnCount);
    this.#capacity = new Float64Array(nodes.length * columnCount);
    for (let node = 0; node < nodes.length; node++) this.restore(node);
  }

  get nodes(): readonly NodeView[] {
    return this.#nodes;
  }

  /** Other views of as many nodes; those that are not the same as before are to be restored. */
  renew(nodes: readonly NodeView[]): void {
    this.#nodes = nodes;
  }

  /** Forgets what has been given away of a node: it is as its view says. */
  restore(node: number): void {
    const { free, capacity, gpus } = this.#nodes[node]!;
    for (let column = 0, at = node * this.columnCount; column < this.columnCount; column++, at++) {
      this.#free[at] = free[column]!;
      this.#capacity[at] = capacity[column]!;
    }
    if (this.#gpuColumn >= 0) this.#gpus[node] = gpus;
  }

  /** What is left on a node, by column: a fresh array. In a `score` that must be fast, `freeOf` is the cheaper one. */
  free(node: number): readonly number[] {
    return Array.from(this.#free.subarray(node * this.columnCount, (node + 1) * this.columnCount));
  }

  /** What is left of one resource on a node. */
  freeOf(node: number, column: number): number {
    return this.#free[node * this.columnCount + column]!;
  }

  /** What a node has of one resource when nothing runs there. */
  capacityOf(node: number, column: number): number {
    return this.#capacity[node * this.columnCount + column]!;
  }

  /** What is free of each GPU of a node, in thousandths. */
  gpusOf(node: number): readonly number[] {
    return this.#gpus[node] ?? [];
  }

  /** Whether there is room for one more that needs so much, by column. */
  fits(node: number, needs: readonly number[]): boolean {
    const from = node * this.columnCount;
    for (let column = 0; column < needs.length; column++) {
      const need = needs[column]!;
      if (need > 0 && need > this.#free[from + column]!) return false;
    }
    const gpu = this.#gpuColumn < 0 ? 0 : needs[this.#gpuColumn]!;
    return gpu <= 0 || this.#gpus[node] === undefined || chooseGpus(this.#gpus[node], gpu) !== null;
  }

  /** Gives so much of a node away. The caller has seen that it fits. */
  take(node: number, needs: readonly number[]): void {
    const from = node * this.columnCount;
    for (let column = 0; column < needs.length; column++) this.#free[from + column]! -= needs[column]!;
    const gpu = this.#gpuColumn < 0 ? 0 : needs[this.#gpuColumn]!;
    const before = this.#gpus[node];
    if (gpu <= 0 || before === undefined) return;
    const left = [...before];
    for (const chosen of chooseGpus(before, gpu) ?? []) left[chosen]! -= shareOf(gpu);
    this.#gpus[node] = left;
  }
  /**
   * Nothing more that needs any of what `needs` asks for fits on a node: what is free of that is kept for another. What
   * has no need of it takes nothing away, and fits as before.
   */
  hold(node: number, needs: readonly number[]): void {
    const from = node * this.columnCount;
    for (let column = 0; column < needs.length; column++) {
      if (needs[column]! > 0 && this.#free[from + column]! > 0) this.#free[from + column] = 0;
    }
    if (this.#gpuColumn >= 0 && needs[this.#gpuColumn]! > 0) this.#gpus[node] = this.#gpus[node]?.map(() => 0);
  }
}
