import { chooseGpus, GPU, shareOf } from '@gantry/plugin-kit/gpus';
import type { NodeView, Resources } from '@gantry/plugin-kit/scheduler';
import type { Node } from '../domain/node.ts';
import { NOTHING, type Freed } from './change.ts';
import { Feasibility } from './feasibility.ts';
import { amounts, changesBetween, factsOf } from './cluster-node.ts';
import type { ClusterEvent, ClusterNode } from './filter.ts';
import { gpuRoom, resizedGpus } from './gpu-slots.ts';
import { ScopeCounts } from './scope-counts.ts';
import { disk } from './filters/disk.ts';
import { eligibility } from './filters/eligibility.ts';
import type { TaskShape } from './shape.ts';

/** A node as the model keeps it. */
export interface ModelNode {
  /** Its row in the columns of amounts, for as long as the model lives. */
  readonly slot: number;
  facts: ClusterNode;
  /** False when it has left while attempts still hold it. */
  isPresent: boolean;
  /** What is free of each of its GPUs, in thousandths; empty when it has none. */
  gpus: number[];
  /** How many attempts hold it. */
  attempts: number;
  /** Its place among the eligible nodes by name; −1 when it is not one of them. */
  index: number;
  view: NodeView | null;
}

/** What an attempt takes, by column. Nothing that is 0 is listed. */
export interface Needs {
  readonly columns: readonly number[];
  readonly amounts: readonly number[];
  /** Of GPUs, in thousandths: which ones is chosen on the node. */
  readonly gpu: number;
}

/** What is held on a node. */
export interface Held {
  readonly shape: TaskShape;
  /** The node's GPUs that it has. */
  readonly gpus: readonly number[];
}

/**
 * The pool's nodes, what they can do and what is free on them, kept up to date change by change. Amounts are columns:
 * one array per resource, one row per node. Only what an attempt holds and a node's capacity go into them, so what a
 * scheduler is shown is a copy, and nothing that it does to it is believed.
 */
export class ClusterModel {
  readonly feasibility = new Feasibility(this);
  /** Bumped when nodes come, go or change in anything but what is free. */
  version = 0;
  readonly #resources: string[] = [];
  readonly #columnOf = new Map<string, number>();
  readonly #free: Float64Array[] = [];
  readonly #capacity: Float64Array[] = [];
  readonly #byName = new Map<string, ModelNode>();
  readonly #bySlot: (ModelNode | null)[] = [];
  /** Rows of nodes that have left, to be used again. */
  readonly #emptySlots: number[] = [];
  #needs = new WeakMap<TaskShape, Needs>();
  /** Who counts whom per node: those of a scope that are on it, in parts of PER_NODE. */
  readonly perNode = new ScopeCounts();
  /** How many are on a node of those whom a scope's limit per node counts. */
  readonly limited = new ScopeCounts();
  /** How many of a scope are on a node. */
  readonly spread = new ScopeCounts();
  /** The column that keeps others from an exclusive task's node; −1 until there is such a task. */
  #exclusiveColumn = -1;
  #rows = 16;
  #eligible: ModelNode[] = [];
  #isEligibleOutdated = false;
  #views: NodeView[] = [];
  readonly #outdatedViews: ModelNode[] = [];
  /** Nodes on which there may be more room than when it was asked last. */
  #roomier = new Set<ModelNode>();

  /** The names of the columns. */
  get resources(): readonly string[] {
    return this.#resources;
  }

  /** All nodes that are there, eligible or not. */
  nodes(): readonly ModelNode[] {
    return this.#bySlot.filter((node) => node !== null && node.isPresent) as ModelNode[];
  }

  node(name: string): ModelNode | undefined {
    return this.#byName.get(name);
  }

  /** The nodes that new work may go to, by name. */
  get eligible(): readonly ModelNode[] {
    if (this.#isEligibleOutdated) this.#sortEligible();
    return this.#eligible;
  }

  /** A node has joined, or something of it may have changed. */
  nodeChanged(node: Node): void {
    const facts = factsOf(node);
    const known = this.#byName.get(node.name);
    if (known === undefined) {
      this.#join(facts);
      return;
    }
    const events = known.isPresent ? changesBetween(known.facts, facts) : (['NODE_JOINED'] as const);
    if (events.length === 0) return;
    const before = known.facts.capacity;
    known.facts = facts;
    known.isPresent = true;
    this.#setCapacity(known, before);
    this.#changed(known, events);
  }

  /** A node has left. What attempts hold there is remembered until they end. */
  nodeRemoved(name: string): void {
    const node = this.#byName.get(name);
    if (node === undefined || !node.isPresent) return;
    node.isPresent = false;
    this.#changed(node, ['ELIGIBILITY_CHANGED']);
    if (node.attempts === 0) this.#forget(node);
  }

  /** What an attempt of a shape takes; null when it needs something that no node has ever had. */
  needsOf(shape: TaskShape): Needs | null {
    const known = this.#needs.get(shape);
    if (known !== undefined) return known;
    if (shape.rules?.exclusive === true && this.#exclusiveColumn < 0) this.#watchExclusiveUse();
    const columns: number[] = [];
    const amounts: number[] = [];
    for (const name in shape.resources) {
      const amount = shape.resources[name]!;
      if (amount === 0) continue;
      const column = this.#columnOf.get(name);
      if (column === undefined) return null;
      columns.push(column);
      amounts.push(amount);
    }
    if (this.#exclusiveColumn >= 0) {
      columns.push(this.#exclusiveColumn);
      amounts.push(shape.rules?.exclusive === true ? WHOLE_NODE : 1);
    }
    const needs = { columns, amounts, gpu: shape.resources[GPU] ?? 0 };
    this.#needs.set(shape, needs);
    return needs;
  }

  /** Whether there is room on a node right now, by amounts and by limits per node. */
  hasRoom(shape: TaskShape, node: ModelNode): boolean {
    const needs = this.needsOf(shape);
    return needs !== null && this.fits(needs, node) && this.isWithinLimit(shape, node);
  }

  /** Whether the limit per node lets one more of the shape in. */
  isWithinLimit({ rules }: TaskShape, node: ModelNode): boolean {
    const perNode = rules?.perNode;
    return !perNode || this.perNode.of(perNode.scope, node) + perNodeNeed(perNode.max) <= PER_NODE;
  }

  /** Whether nobody has the node for himself, or would be disturbed. */
  isUseGranted(shape: TaskShape, { slot }: ModelNode): boolean {
    // The first exclusive shape that is asked for makes the column.
    this.needsOf(shape);
    const wanted = shape.rules?.exclusive === true ? WHOLE_NODE : 1;
    return this.#exclusiveColumn < 0 || this.#free[this.#exclusiveColumn]![slot]! >= wanted;
  }

  /** Whether something runs there that has the node for itself. */
  isUsedExclusively({ slot }: ModelNode): boolean {
    return this.#exclusiveColumn >= 0 && this.#free[this.#exclusiveColumn]![slot]! <= 0;
  }

  /** The GPUs that a shape would get on the node if these attempts there had ended; null when there were no room. */
  roomWithout(shape: TaskShape, node: ModelNode, ended: readonly Held[]): readonly number[] | null {
    const given = ended.filter((each) => this.needsOf(each.shape) !== null);
    for (const each of given) this.#move(each, node, 1);
    const gpus = this.hasRoom(shape, node) ? this.#chooseGpus(this.needsOf(shape)!, node) : null;
    for (const each of given) this.#move(each, node, -1);
    return gpus;
  }

  /**
   * How many of a shape there would be room for on a node if more were free there: by resource, GPU by GPU, and of the
   * shape's limit per node. Everything is as before afterwards.
   *
   * @param freed Null when nothing ran there any more.
   * @param limited How many the limit per node would count there, each with the share that the shape's own limit gives.
   */
  roomAfter(shape: TaskShape, node: ModelNode, freed: Freed | null, limited: number | null): number {
    if (freed === NOTHING && limited === null) return this.roomFor(shape, node);
    if (this.needsOf(shape) === null) return 0;
    const { slot, gpus } = node;
    const free = this.#free.map((column) => column[slot]!);
    const perNode = shape.rules?.perNode ?? null;
    const counted = perNode === null ? 0 : this.perNode.of(perNode.scope, node);
    for (let column = 0; column < free.length; column++) {
      const more = freed?.resources[this.#resources[column]!] ?? 0;
      this.#free[column]![slot] = freed === null ? this.#capacity[column]![slot]! : free[column]! + more;
    }
    node.gpus =
      freed === null
        ? resizedGpus([], 0, node.facts.capacity[GPU] ?? 0)
        : gpus.map((each, gpu) => each + (freed.gpus[gpu] ?? 0));
    const after = freed === null ? 0 : limited === null ? counted : limited * perNodeNeed(perNode?.max ?? 1);
    if (perNode !== null && after !== counted) this.perNode.add(perNode.scope, node, after - counted);
    const room = this.roomFor(shape, node);
    if (perNode !== null && after !== counted) this.perNode.add(perNode.scope, node, counted - after);
    node.gpus = gpus;
    for (let column = 0; column < free.length; column++) this.#free[column]![slot] = free[column]!;
    return room;
  }

  /** Gives back (1) or takes (−1) what is held. */
  #move({ shape, gpus }: Held, node: ModelNode, sign: 1 | -1): void {
    const { columns, amounts, gpu } = this.needsOf(shape)!;
    for (let at = 0; at < columns.length; at++) this.#free[columns[at]!]![node.slot]! += sign * amounts[at]!;
    // A GPU that the node has no longer is nobody's.
    for (const each of gpus) if (each < node.gpus.length) node.gpus[each]! += sign * shareOf(gpu);
    this.#count(shape, node, sign === 1 ? -1 : 1);
  }

  #chooseGpus({ gpu }: Needs, { gpus }: ModelNode): readonly number[] | null {
    return gpu === 0 ? NO_GPUS : chooseGpus(gpus, gpu);
  }

  /** How many of a shape there is room for on a node right now. */
  roomFor(shape: TaskShape, node: ModelNode): number {
    const needs = this.needsOf(shape);
    if (needs === null) return 0;
    const { columns, amounts } = needs;
    let room = Infinity;
    for (let at = 0; at < columns.length; at++) {
      room = Math.min(room, Math.floor(this.#free[columns[at]!]![node.slot]! / amounts[at]!));
    }
    const perNode = shape.rules?.perNode;
    if (perNode) {
      const left = PER_NODE - this.perNode.of(perNode.scope, node);
      room = Math.min(room, Math.floor(left / perNodeNeed(perNode.max)));
    }
    return Math.max(0, Math.min(room, gpuRoom(needs.gpu, node.gpus)));
  }

  /** Whether there is room on a node right now, by amounts. */
  fits(needs: Needs, node: ModelNode): boolean {
    const { columns, amounts } = needs;
    for (let at = 0; at < columns.length; at++) if (amounts[at]! > this.#free[columns[at]!]![node.slot]!) return false;
    return needs.gpu === 0 || this.#chooseGpus(needs, node) !== null;
  }

  /** What is free of a resource on a node right now; below 0 when its capacity has shrunk. */
  freeOf(resource: string, { slot }: ModelNode): number {
    const column = this.#columnOf.get(resource);
    return column === undefined ? 0 : this.#free[column]![slot]!;
  }

  /**
   * Holds a node for an attempt. Whether it fits is the caller's question: on recovery it is there already.
   *
   * @param chosen The GPUs that it has, or is to have; otherwise they are chosen.
   * @returns Its GPUs.
   */
  take(shape: TaskShape, node: ModelNode, chosen?: readonly number[]): readonly number[] {
    let needs = this.needsOf(shape);
    if (needs === null) {
      for (const name in shape.resources) this.#columnFor(name);
      needs = this.needsOf(shape)!;
    }
    const gpus = chosen ?? this.#chooseGpus(needs, node) ?? NO_GPUS;
    this.#move({ shape, gpus }, node, -1);
    node.attempts++;
    this.#viewOutdated(node);
    return gpus;
  }

  /** An attempt holds its node no longer. */
  give({ shape, gpus }: Held, node: ModelNode): void {
    if (this.needsOf(shape) === null || node.attempts === 0) {
      throw new Error(`Nothing holds node ${node.facts.name} for ${shape.key}: it was released twice, or never held.`);
    }
    this.#move({ shape, gpus }, node, 1);
    node.attempts--;
    this.#viewOutdated(node);
    if (node.isPresent) this.#roomier.add(node);
    else if (node.attempts === 0) this.#forget(node);
  }

  /** How many attempts hold a node. */
  get attemptCount(): number {
    return this.#bySlot.reduce((sum, node) => sum + (node?.attempts ?? 0), 0);
  }

  /** By resource: what eligible nodes have, and what is held of it. Sorted by name. */
  utilization(): readonly { readonly resource: string; readonly capacity: number; readonly held: number }[] {
    return this.#resources
      .flatMap((resource, column) => {
        if (column === this.#exclusiveColumn) return [];
        let capacity = 0;
        let free = 0;
        for (const { slot } of this.eligible) {
          capacity += this.#capacity[column]![slot]!;
          free += this.#free[column]![slot]!;
        }
        return [{ resource, capacity, held: capacity - free }];
      })
      .sort((one, other) => (one.resource < other.resource ? -1 : 1));
  }

  /** The nodes on which there may be more room than when this was asked last. */
  takeRoomier(): ReadonlySet<ModelNode> {
    const roomier = this.#roomier;
    if (roomier.size > 0) this.#roomier = new Set();
    return roomier;
  }

  get hasRoomier(): boolean {
    return this.#roomier.size > 0;
  }

  /**
   * The eligible nodes as a scheduler is shown them: an array of its own for every call, of views that are replaced,
   * never changed, and cannot be changed by it either.
   */
  views(): readonly NodeView[] {
    const { eligible } = this;
    if (this.#views.length !== eligible.length)
      this.#views = eligible.map((node) => (node.view ??= this.#makeView(node)));
    for (const node of this.#outdatedViews) {
      if (node.view === null && node.index >= 0) this.#views[node.index] = node.view = this.#makeView(node);
    }
    this.#outdatedViews.length = 0;
    return this.#views.slice();
  }

  /** Needs by column, in full. */
  row({ columns, amounts }: Needs): readonly number[] {
    const row = this.#resources.map(() => 0);
    for (let at = 0; at < columns.length; at++) row[columns[at]!] = amounts[at]!;
    return row;
  }

  #join(facts: ClusterNode): void {
    const slot = this.#emptySlots.pop() ?? this.#bySlot.length;
    if (slot === this.#rows) this.#addRows();
    const node: ModelNode = { slot, facts, isPresent: true, gpus: [], attempts: 0, index: -1, view: null };
    this.#bySlot[slot] = node;
    this.#byName.set(facts.name, node);
    this.#setCapacity(node, amounts({}));
    this.#changed(node, ['NODE_JOINED']);
  }

  #forget(node: ModelNode): void {
    for (const columns of [this.#free, this.#capacity]) for (const column of columns) column[node.slot] = 0;
    this.#byName.delete(node.facts.name);
    this.#bySlot[node.slot] = null;
    this.#emptySlots.push(node.slot);
    this.#roomier.delete(node);
  }

  #changed(node: ModelNode, events: readonly ClusterEvent[]): void {
    this.version++;
    this.feasibility.nodeChanged(node, events);
    this.#viewOutdated(node);
    if (node.index >= 0 !== isEligible(node)) this.#isEligibleOutdated = true;
    if (node.isPresent) this.#roomier.add(node);
  }

  #viewOutdated(node: ModelNode): void {
    if (node.view === null) return;
    node.view = null;
    this.#outdatedViews.push(node);
  }

  #sortEligible(): void {
    for (const node of this.#eligible) node.index = -1;
    this.#eligible = this.nodes()
      .filter(isEligible)
      .sort((one, other) => (one.facts.name < other.facts.name ? -1 : 1));
    for (let index = 0; index < this.#eligible.length; index++) this.#eligible[index]!.index = index;
    this.#isEligibleOutdated = false;
    this.#views = [];
    this.version++;
    this.feasibility.eligibleChanged();
  }

  #makeView({ slot, facts, gpus }: ModelNode): NodeView {
    const row = (columns: readonly Float64Array[]) => Object.freeze(columns.map((column) => column[slot]!));
    return Object.freeze({
      name: facts.name,
      labels: facts.labels,
      capacity: row(this.#capacity),
      free: row(this.#free),
      ...(gpus.length === 0 ? {} : { gpus: Object.freeze([...gpus]) }),
    });
  }

  #count({ rules }: TaskShape, node: ModelNode, sign: 1 | -1): void {
    if (rules === null) return;
    if (rules.perNode !== null) {
      this.perNode.add(rules.perNode.scope, node, sign * perNodeNeed(rules.perNode.max));
      this.limited.add(rules.perNode.scope, node, sign);
    }
    if (rules.spread !== null) this.spread.add(rules.spread.scope, node, sign);
  }

  /** From now on every attempt takes a little of its node's use, and an exclusive one all of it. */
  #watchExclusiveUse(): void {
    this.#exclusiveColumn = this.#columnFor(EXCLUSIVE_USE);
    this.#needs = new WeakMap();
    for (const node of this.#bySlot) {
      if (node === null) continue;
      this.#capacity[this.#exclusiveColumn]![node.slot] = WHOLE_NODE;
      this.#free[this.#exclusiveColumn]![node.slot] = WHOLE_NODE - node.attempts;
      this.#viewOutdated(node);
    }
  }

  #setCapacity(node: ModelNode, before: Resources): void {
    const { capacity } = node.facts;
    for (const name in capacity) this.#columnFor(name);
    node.gpus = resizedGpus(node.gpus, before[GPU] ?? 0, capacity[GPU] ?? 0);
    for (let column = 0; column < this.#resources.length; column++) {
      const name = this.#resources[column]!;
      if (column === this.#exclusiveColumn) {
        this.#free[column]![node.slot]! += WHOLE_NODE - this.#capacity[column]![node.slot]!;
        this.#capacity[column]![node.slot] = WHOLE_NODE;
        continue;
      }
      this.#capacity[column]![node.slot] = capacity[name] ?? 0;
      this.#free[column]![node.slot]! += (capacity[name] ?? 0) - (before[name] ?? 0);
    }
  }

  #columnFor(name: string): number {
    let column = this.#columnOf.get(name);
    if (column !== undefined) return column;
    column = this.#resources.push(name) - 1;
    this.#columnOf.set(name, column);
    this.#free.push(new Float64Array(this.#rows));
    this.#capacity.push(new Float64Array(this.#rows));
    // Every row has become longer.
    this.version++;
    for (const node of this.#bySlot) if (node !== null) this.#viewOutdated(node);
    return column;
  }

  #addRows(): void {
    this.#rows *= 2;
    for (const columns of [this.#free, this.#capacity]) {
      for (let column = 0; column < columns.length; column++) {
        const longer = new Float64Array(this.#rows);
        longer.set(columns[column]!);
        columns[column] = longer;
      }
    }
  }
}

const NO_GPUS: readonly number[] = Object.freeze([]);

/** The name of the column that exclusive tasks take whole; no resource can be called so. */
export const EXCLUSIVE_USE = 'exclusive use';
const WHOLE_NODE = 1e9;

/** What a node has of room for those of one scope. */
export const PER_NODE = 1e9;
/** What each takes of it of whom there may be `max`. */
export const perNodeNeed = (max: number): number => Math.floor(PER_NODE / max);

const isEligible = (node: ModelNode): boolean =>
  node.isPresent && eligibility.passes(ANY_SHAPE, node.facts) && disk.passes(ANY_SHAPE, node.facts);

/** Eligibility is a matter of the node alone. */
const ANY_SHAPE: TaskShape = { key: '', runner: '', resources: {}, nodeSelector: {}, tolerations: [], rules: null };
