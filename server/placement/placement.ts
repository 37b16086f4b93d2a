import type { Json, PendingTask, Reason, Shape } from '@gantry/plugin-kit/scheduler';
import type { Node } from '../domain/node.ts';
import { ClusterModel, type ModelNode } from './cluster-model.ts';
import { explain, type PlacementExplanation } from './explain.ts';
import { PlacementQueue, type Group, type Pending, type PlacementRequest } from './queue.ts';
import type { Offer, Scheduler, SchedulerStatus } from './scheduler.ts';
import type { TaskShape } from './shape.ts';
import { verify, type PlacementRefusal } from './verify.ts';

export type { PlacementExplanation } from './explain.ts';
export type { PlacementRequest } from './queue.ts';
export type { PlacementRefusal } from './verify.ts';

export interface PlacementOptions {
  readonly scheduler: Scheduler;
  /** The most task runs that one call of the scheduler is given. */
  readonly batch: number;
}

/** What one `place` came to. */
export interface Placed {
  readonly placements: readonly { readonly taskRun: string; readonly node: string }[];
  readonly refusals: readonly PlacementRefusal[];
  /** What the scheduler asks to be remembered. */
  readonly memory: Json;
  /** Whether it is another than the one that went out with placements last: it is stored with these. */
  readonly memoryChanged: boolean;
}

/**
 * Where a pool's READY task runs go: the queue, the model of its nodes, and a scheduler between them whose decisions are
 * verified. Fed change by change; the same changes in the same order give the same placements.
 */
export class Placement {
  readonly #scheduler: Scheduler;
  readonly #batch: number;
  readonly #queue = new PlacementQueue();
  readonly #model = new ClusterModel();
  #storedMemory: Json;
  #call = 0;
  /** Whether anything at all has happened since the last call. */
  #hasChanged = false;

  constructor({ scheduler, batch }: PlacementOptions) {
    this.#scheduler = scheduler;
    this.#batch = batch;
    this.#storedMemory = scheduler.memory;
  }

  /** A node has joined, or its labels, taints, runners, capacity, eligibility or connection may have changed. */
  nodeChanged(node: Node): void {
    this.#model.nodeChanged(node);
    this.#hasChanged = true;
  }

  /** A node is gone for good. What attempts still hold there is released as usual. */
  nodeRemoved(name: string): void {
    this.#model.nodeRemoved(name);
    this.#hasChanged = true;
  }

  /** A task run became READY. One that is in the queue already takes its new place in it. */
  add(request: PlacementRequest): void {
    this.#queue.add(request);
    this.#hasChanged = true;
  }

  /** A task run left READY otherwise than by a placement. */
  withdraw(key: string): void {
    const entry = this.#queue.get(key);
    if (entry === undefined) return;
    this.#queue.remove(entry);
    this.#hasChanged = true;
  }

  /** Recovery: an attempt that is on a node already, whether it fits or not. Throws for a node that nobody named. */
  reserve(shape: TaskShape, node: string): void {
    this.#model.take(shape, this.#nodeNamed(node));
  }

  /** An attempt ended. Throws for a node that nobody named, and for an attempt that was not there. */
  release(shape: TaskShape, node: string): void {
    this.#model.give(shape, this.#nodeNamed(node));
    this.#hasChanged = true;
  }

  /** How the scheduler has fared. */
  get schedulerStatus(): SchedulerStatus {
    return this.#scheduler.status;
  }

  /** How many task runs wait. */
  get pendingCount(): number {
    return this.#queue.size;
  }

  /** Whether `place` could place anything: false until something changes that may help. */
  get canPlace(): boolean {
    this.#wake();
    return this.#queue.awake.size > 0;
  }

  /** Places what it can, at most a batch, and reserves it; the engine makes each an attempt in the same step. */
  place(now: number): Placed {
    this.#wake();
    this.#restWithoutRoom();
    const placements: { taskRun: string; node: string }[] = [];
    const refusals: PlacementRefusal[] = [];
    if (this.#queue.awake.size > 0) {
      const offered = this.#queue.offer(this.#batch);
      const call = ++this.#call;
      const groups = groupsOf(offered, call);
      this.#decide(offered, groups, call, now, placements, refusals);
      for (const group of groups) {
        if (group.placed === group.offered) continue;
        this.#queue.rest(group, this.#hasRoom(group.shape) ? 'LEFT' : 'FULL');
      }
    }
    const { memory } = this.#scheduler;
    const memoryChanged = placements.length > 0 && memory !== this.#storedMemory;
    if (memoryChanged) this.#storedMemory = memory;
    return { placements, refusals, memory, memoryChanged };
  }

  /** Why a task run waits: node by node, and its place in the queue. Null when it is not in the queue. */
  explain(key: string): PlacementExplanation | null {
    const entry = this.#queue.get(key);
    return entry === undefined ? null : explain(entry, this.#queue, this.#model);
  }

  #decide(
    offered: readonly Pending[],
    groups: readonly Group[],
    call: number,
    now: number,
    placements: { taskRun: string; node: string }[],
    refusals: PlacementRefusal[],
  ): void {
    let offers = 0;
    const makeOffer = (): Offer => {
      // The plugin has failed, and may have written on the lists that it was lent.
      if (offers++ > 0) this.#model.feasibility.forget();
      return this.#makeOffer(offered, groups, now);
    };
    const verified = verify(this.#scheduler.decide(makeOffer), call, this.#queue, this.#model);
    take(verified.placed, verified.nodes, placements);
    if (verified.refusals.length > 0) {
      refusals.push(...verified.refusals);
      const rest = this.#scheduler.decideInstead(makeOffer, faultOf(verified.refusals), verified.refusals.length);
      const second = verify(rest, call, this.#queue, this.#model);
      take(second.placed, second.nodes, placements);
      verified.placed.concat(second.placed).forEach((entry) => this.#queue.remove(entry));
      return;
    }
    for (const entry of verified.placed) this.#queue.remove(entry);
  }

  #makeOffer(offered: readonly Pending[], groups: readonly Group[], now: number): Offer {
    const tasks: PendingTask[] = [];
    for (const { key, group, priority, readySince, tenant, isDecided } of offered) {
      if (!isDecided) tasks.push({ key, shape: group.index, priority, readySince, tenant });
    }
    const shapes: Shape[] = [];
    for (const { shape } of groups) {
      shapes.push({
        needs: this.#model.row(this.#model.needsOf(shape)!),
        feasible: this.#model.feasibility.nodesFor(shape),
      });
    }
    return {
      now,
      resources: this.#model.resources.slice(),
      nodes: this.#model.views(),
      shapes,
      tasks,
      running: [],
      tenants: [],
    };
  }

  /** Ends the rest of the groups that something which has happened may help. */
  #wake(): void {
    if (!this.#hasChanged) return;
    this.#hasChanged = false;
    const roomier = this.#model.takeRoomier();
    for (const group of this.#queue.resting) {
      if (group.rest === 'LEFT' || this.#hasRoomOn(group.shape, roomier)) this.#queue.wake(group);
    }
  }

  #restWithoutRoom(): void {
    for (const group of this.#queue.awake) if (!this.#hasRoom(group.shape)) this.#queue.rest(group, 'FULL');
  }

  #hasRoom(shape: TaskShape): boolean {
    const needs = this.#model.needsOf(shape);
    if (needs === null) return false;
    const { eligible } = this.#model;
    for (const index of this.#model.feasibility.nodesFor(shape)) {
      if (this.#model.fits(needs, eligible[index]!)) return true;
    }
    return false;
  }

  #hasRoomOn(shape: TaskShape, nodes: ReadonlySet<ModelNode>): boolean {
    const needs = this.#model.needsOf(shape);
    if (needs === null) return false;
    for (const node of nodes) {
      if (this.#model.fits(needs, node) && this.#model.feasibility.passes(shape, node)) return true;
    }
    return false;
  }

  #nodeNamed(name: string): ModelNode {
    const node = this.#model.node(name);
    if (node === undefined) throw new Error(`Placement knows no node ${name}: nodeChanged must come first.`);
    return node;
  }
}

/** The shapes of an offer, numbered in the order in which they come. */
function groupsOf(offered: readonly Pending[], call: number): readonly Group[] {
  const groups: Group[] = [];
  for (const entry of offered) {
    const { group } = entry;
    if (group.call !== call) {
      group.call = call;
      group.index = groups.push(group) - 1;
      group.offered = 0;
      group.placed = 0;
    }
    group.offered++;
    entry.call = call;
    entry.isDecided = false;
    entry.hold = null;
  }
  return groups;
}

function take(
  placed: readonly Pending[],
  nodes: readonly ModelNode[],
  placements: { taskRun: string; node: string }[],
): void {
  for (let at = 0; at < placed.length; at++) {
    const entry = placed[at]!;
    entry.group.placed++;
    placements.push({ taskRun: entry.key, node: nodes[at]!.facts.name });
  }
}

function faultOf(refusals: readonly PlacementRefusal[]): Reason {
  const [first] = refusals;
  return {
    code: first!.code,
    message: `${refusals.length} of the scheduler’s decisions were refused; the first, for task run ${first!.taskRun}: ${first!.message}`,
    remedy: 'Run describeScheduler of @gantry/plugin-kit/testing over it.',
  };
}
