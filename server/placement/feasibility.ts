import { meetsRule } from '../domain/label-rule.ts';
import type { WeightedRule } from '../domain/placement-rules.ts';
import type { ModelNode } from './cluster-model.ts';
import type { ClusterEvent, ClusterNode, Filter, Refusal } from './filter.ts';
import { disk } from './filters/disk.ts';
import { eligibility } from './filters/eligibility.ts';
import { resources } from './filters/resources.ts';
import { rules } from './filters/rules.ts';
import { runner } from './filters/runner.ts';
import { selector } from './filters/selector.ts';
import { taint } from './filters/taint.ts';
import type { Tier } from './obstacle.ts';
import { constraintKeyOf, type TaskShape } from './shape.ts';

/** Every rule, in the order in which a refusal is told. */
export const FILTERS: readonly Filter[] = [eligibility, disk, runner, selector, rules, taint, resources];

/**
 * The rules that know nothing of amounts. Thousands of shapes that differ only in their resources share the answers:
 * whether a node is large enough at all is a comparison, and not worth keeping node by node.
 */
const CONSTRAINTS: readonly Filter[] = [runner, selector, rules, taint];

/** Answers are forgotten beyond so many constraints, and beyond so many nodes in lists of shapes. */
const MAX_CONSTRAINTS = 4_096;
const MAX_LISTED = 1 << 24;

const UNKNOWN = 0;
const PASSES = 1;
/** Refused by CONSTRAINTS[verdict − REFUSED]. */
const REFUSED = 2;

/** What is known of one constraint. */
interface Constraint {
  readonly shape: TaskShape;
  /** By the node's slot. */
  verdicts: Uint8Array;
  /** The eligible nodes that pass, ascending; null when it must be drawn up again. */
  list: Uint32Array | null;
}

/** Why a node will not do for a shape, whatever is free there: everything that refuses, in the order of the rules. */
export function refusalsOf(shape: TaskShape, node: ClusterNode): readonly (Refusal & { readonly tier: Tier })[] {
  const refusals: (Refusal & { readonly tier: Tier })[] = [];
  for (const filter of FILTERS) {
    if (filter.passes(shape, node)) continue;
    for (const refusal of filter.refuse(shape, node)) refusals.push({ ...refusal, tier: filter.tier });
  }
  return refusals;
}

/** The nodes of a cluster model as far as feasibility needs them. */
interface Nodes {
  readonly eligible: readonly ModelNode[];
  readonly version: number;
}

/**
 * Which nodes will do for which shape: filters × shapes × nodes, worked out once and kept until something happens that
 * may change the answer. Each filter says what that is.
 */
export class Feasibility {
  readonly #nodes: Nodes;
  readonly #constraints = new Map<string, Constraint>();
  #constraintOf = new WeakMap<TaskShape, Constraint>();
  #lists = new WeakMap<TaskShape, { readonly version: number; readonly list: Uint32Array }>();
  #listed = 0;
  #preferences = new WeakMap<TaskShape, { readonly version: number; readonly weights: Float64Array }>();

  constructor(nodes: Nodes) {
    this.#nodes = nodes;
  }

  /** Whether an eligible node passes every rule but capacity; free amounts imply that one. */
  passes(shape: TaskShape, node: ModelNode): boolean {
    // Asking for the eligible nodes brings the indexes up to date.
    return this.#nodes.eligible[node.index] === node && this.#verdict(this.#constraint(shape), node) === PASSES;
  }

  /**
   * The indexes of the eligible nodes that pass every rule, ascending. The array is kept and shared: a scheduler that
   * writes on it is wrong about its next call, until `forget`; what `passes` says is kept apart.
   */
  nodesFor(shape: TaskShape): Uint32Array {
    // In this order: to sort the eligible nodes makes a new version.
    const { eligible } = this.#nodes;
    const { version } = this.#nodes;
    const known = this.#lists.get(shape);
    if (known !== undefined && known.version === version) return known.list;
    const able = this.#listOf(this.#constraint(shape), eligible);
    const largeEnough = able.filter((index) => isLargeEnough(shape, eligible[index]!.facts));
    const list = largeEnough.length === able.length ? able : largeEnough;
    if (list !== able) this.#listed += list.length;
    if (this.#listed > MAX_LISTED) {
      this.#lists = new WeakMap();
      this.#listed = list.length;
    }
    this.#lists.set(shape, { version, list });
    return list;
  }

  /** By node index: how much tasks of the shape like it, from −100 to 100; null when they do not care. */
  preferenceFor(shape: TaskShape): Float64Array | null {
    const prefer = shape.rules?.prefer;
    if (prefer === undefined || prefer.length === 0) return null;
    const { eligible } = this.#nodes;
    const { version } = this.#nodes;
    const known = this.#preferences.get(shape);
    if (known !== undefined && known.version === version) return known.weights;
    const weights = Float64Array.from(eligible, ({ facts }) => preferenceOf(prefer, facts));
    this.#preferences.set(shape, { version, weights });
    return weights;
  }

  /** Something has happened to a node. What was refused for a reason that this cannot undo stays refused. */
  nodeChanged(node: ModelNode, events: readonly ClusterEvent[]): void {
    for (const constraint of this.#constraints.values()) {
      const verdict = constraint.verdicts[node.slot];
      if (verdict === undefined || verdict === UNKNOWN) continue;
      const isKept =
        verdict !== PASSES && !CONSTRAINTS[verdict - REFUSED]!.undoneBy.some((undoing) => events.includes(undoing));
      if (isKept) continue;
      constraint.verdicts[node.slot] = UNKNOWN;
      constraint.list = null;
    }
  }

  /** Nodes have become eligible or have ceased to be: the indexes are others now. */
  eligibleChanged(): void {
    for (const constraint of this.#constraints.values()) constraint.list = null;
  }

  /** Draws up every list again: somebody may have written on them. */
  forget(): void {
    this.eligibleChanged();
    this.#lists = new WeakMap();
    this.#listed = 0;
    this.#preferences = new WeakMap();
  }

  #constraint(shape: TaskShape): Constraint {
    let constraint = this.#constraintOf.get(shape);
    if (constraint !== undefined) return constraint;
    const key = constraintKeyOf(shape);
    constraint = this.#constraints.get(key);
    if (constraint === undefined) {
      if (this.#constraints.size >= MAX_CONSTRAINTS) {
        this.#constraints.clear();
        this.#constraintOf = new WeakMap();
      }
      constraint = { shape, verdicts: new Uint8Array(this.#nodes.eligible.length), list: null };
      this.#constraints.set(key, constraint);
    }
    this.#constraintOf.set(shape, constraint);
    return constraint;
  }

  #listOf(constraint: Constraint, eligible: readonly ModelNode[]): Uint32Array {
    if (constraint.list !== null) return constraint.list;
    const passing: number[] = [];
    for (const node of eligible) if (this.#verdict(constraint, node) === PASSES) passing.push(node.index);
    constraint.list = Uint32Array.from(passing);
    return constraint.list;
  }

  #verdict(constraint: Constraint, node: ModelNode): number {
    const known = constraint.verdicts[node.slot];
    if (known !== undefined && known !== UNKNOWN) return known;
    if (known === undefined) {
      const longer = new Uint8Array(Math.max(16, 2 * node.slot));
      longer.set(constraint.verdicts);
      constraint.verdicts = longer;
    }
    const refusing = CONSTRAINTS.findIndex((filter) => !filter.passes(constraint.shape, node.facts));
    const verdict = refusing < 0 ? PASSES : REFUSED + refusing;
    constraint.verdicts[node.slot] = verdict;
    return verdict;
  }
}

/** The weights of all preferences that a node meets, added up. */
export function preferenceOf(prefer: readonly WeightedRule[], { name, labels }: ClusterNode): number {
  let sum = 0;
  for (const rule of prefer) if (meetsRule(rule, name, labels)) sum += rule.weight;
  return Math.max(-100, Math.min(100, sum));
}

/** Whether a node will do for a shape if nothing else runs there, by every rule. */
export const passesAll = (shape: TaskShape, node: ClusterNode): boolean =>
  FILTERS.every((filter) => filter.passes(shape, node));

/** As the resources filter says, for facts of the model, whose amounts have no prototype. */
function isLargeEnough({ resources: needs }: TaskShape, { capacity }: ClusterNode): boolean {
  for (const name in needs) {
    const need = needs[name]!;
    if (need > 0 && !(need <= (capacity[name] ?? 0))) return false;
  }
  return true;
}
