import type { Reason } from '@gantry/plugin-kit/vocabulary';
import type { NodeView, Shape } from '@gantry/plugin-kit/scheduler';
import type { Node } from '../domain/node.ts';
import { FILTERS } from './filters/filters.ts';
import type { TaskShape } from './shape.ts';

/** A node as placement sees it: what it has and what is free of it, by column. */
export interface ClusterNode {
  readonly node: Node;
  readonly capacity: number[];
  readonly free: number[];
}

/** A shape with what has been worked out for it. */
interface KnownShape {
  readonly shape: TaskShape;
  needs: number[];
  /** Null when a node has changed since. */
  feasible: Uint32Array | null;
  isFeasible: Uint8Array;
}

/** Shapes that are kept although no task of theirs waits. */
const SHAPES_KEPT = 10_000;

/** The nodes of a pool with what is free on them. Fed by what happens; nothing is ever counted anew. */
export class ClusterModel {
  readonly #columns: string[] = [];
  readonly #columnOf = new Map<string, number>();
  readonly #byName = new Map<string, ClusterNode>();
  #sorted: ClusterNode[] | null = [];
  readonly #indexOf = new Map<string, number>();
  readonly #shapes = new Map<string, KnownShape>();

  get resources(): readonly string[] {
    return this.#columns;
  }

  /** By name. */
  get nodes(): readonly ClusterNode[] {
    if (!this.#sorted) {
      this.#sorted = [...this.#byName.values()].sort((a, b) => (a.node.name < b.node.name ? -1 : 1));
      this.#indexOf.clear();
      this.#sorted.forEach(({ node }, index) => this.#indexOf.set(node.name, index));
    }
    return this.#sorted;
  }

  node(name: string): ClusterNode | undefined {
    return this.#byName.get(name);
  }

  /** Takes in a node as it is now. Reservations are the model's own. */
  nodeChanged(node: Node): void {
    const known = this.#byName.get(node.name);
    for (const name of Object.keys(node.capacity)) this.#column(name);
    const capacity = this.#columns.map((name) => node.capacity[name] ?? 0);
    const free = capacity.map((whole, column) => whole - ((known?.capacity[column] ?? 0) - (known?.free[column] ?? 0)));
    this.#byName.set(node.name, { node, capacity, free });
    this.#forgetFeasibility();
  }

  nodeRemoved(name: string): void {
    if (this.#byName.delete(name)) this.#forgetFeasibility();
  }

  reserve(shape: TaskShape, name: string): void {
    this.#change(shape, name, -1);
  }

  release(shape: TaskShape, name: string): void {
    this.#change(shape, name, 1);
  }

  needsOf(shape: TaskShape): readonly number[] {
    return this.#known(shape).needs;
  }

  /** The shape as a scheduler sees it: its needs, and the nodes that pass every filter. */
  shapeView(shape: TaskShape): Shape {
    const known = this.#known(shape);
    this.#workOut(known);
    return { needs: known.needs, feasible: known.feasible! };
  }

  isFeasible(shape: TaskShape, index: number): boolean {
    const known = this.#known(shape);
    this.#workOut(known);
    return known.isFeasible[index] === 1;
  }

  /** Copies: a scheduler that writes to them hurts only itself. */
  nodeViews(): readonly NodeView[] {
    return this.nodes.map(({ node, capacity, free }) => ({
      name: node.name,
      labels: node.labels,
      capacity: [...capacity],
      free: [...free],
    }));
  }

  /** Why a node will not do, whatever is free on it; empty when it will. */
  refusals(shape: TaskShape, { node }: ClusterNode): readonly Reason[] {
    return FILTERS.flatMap((filter) => filter.refuse(shape, node) ?? []);
  }

  #known(shape: TaskShape): KnownShape {
    let known = this.#shapes.get(shape.key);
    if (!known) {
      for (const name of Object.keys(shape.resources)) this.#column(name);
      known = {
        shape,
        needs: this.#columns.map((name) => shape.resources[name] ?? 0),
        feasible: null,
        isFeasible: new Uint8Array(),
      };
      if (this.#shapes.size >= SHAPES_KEPT) this.#shapes.delete(this.#shapes.keys().next().value!);
      this.#shapes.set(shape.key, known);
    }
    return known;
  }

  #workOut(known: KnownShape): void {
    if (known.feasible) return;
    const { nodes } = this;
    known.isFeasible = new Uint8Array(nodes.length);
    const feasible: number[] = [];
    for (let index = 0; index < nodes.length; index++) {
      if (!FILTERS.every((filter) => filter.refuse(known.shape, nodes[index]!.node) === null)) continue;
      known.isFeasible[index] = 1;
      feasible.push(index);
    }
    known.feasible = Uint32Array.from(feasible);
  }

  #change(shape: TaskShape, name: string, sign: 1 | -1): void {
    const { needs } = this.#known(shape);
    const free = this.#byName.get(name)?.free;
    if (free) for (let column = 0; column < needs.length; column++) free[column]! += sign * needs[column]!;
  }

  #forgetFeasibility(): void {
    this.#sorted = null;
    for (const known of this.#shapes.values()) known.feasible = null;
  }

  #column(name: string): void {
    if (this.#columnOf.has(name)) return;
    this.#columnOf.set(name, this.#columns.push(name) - 1);
    for (const { node, capacity, free } of this.#byName.values()) {
      const whole = node.capacity[name] ?? 0;
      capacity.push(whole);
      free.push(whole);
    }
    for (const known of this.#shapes.values()) known.needs.push(known.shape.resources[name] ?? 0);
  }
}
