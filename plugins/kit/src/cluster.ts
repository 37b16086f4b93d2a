import type { NodeView, PlacementInput, Shape } from './scheduler.ts';

/** What a scheduler knows of the nodes while it decides: free amounts that shrink with each of its own decisions. */
export class Cluster {
  readonly nodes: readonly NodeView[];
  readonly #free: readonly (readonly number[])[];
  readonly #changed: number[][];

  constructor(input: Pick<PlacementInput, 'nodes'>) {
    this.nodes = input.nodes;
    this.#changed = [];
    this.#free = input.nodes.map(({ free }) => free);
  }

  /** What is free on a node now, by column. Not to be written. */
  free(node: number): readonly number[] {
    return this.#changed[node] ?? this.#free[node]!;
  }

  /** Whether a node has room for one more task of the shape. */
  fits({ needs }: Shape, node: number): boolean {
    const free = this.free(node);
    for (let column = 0; column < needs.length; column++) if (needs[column]! > free[column]!) return false;
    return true;
  }

  /** Takes what a task of the shape needs. The input's own amounts stay as they are. */
  take({ needs }: Shape, node: number): void {
    const free = (this.#changed[node] ??= [...this.#free[node]!]);
    for (let column = 0; column < needs.length; column++) free[column]! -= needs[column]!;
  }
}
