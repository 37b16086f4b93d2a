import type { Json } from '@gantry/plugin-kit/scheduler';
import type { Node } from '../domain/node.ts';
import { ClusterModel, type ModelNode } from './cluster-model.ts';
import { explain, explainNomination, type PlacementExplanation } from './explain.ts';
import { beginCall, makeOffer, type Call } from './offer.ts';
import { fragmentationOf } from './fragmentation.ts';
import { HeldNodes } from './held-nodes.ts';
import { longWaitingIn, together } from './long-waiting.ts';
import { hasRoom, hasRoomOn, restOf } from './room.ts';
import { Preemptions, runningViews, type Preempted } from './preemptions.ts';
import { PlacementQueue, type Forecast, type Pending, type PlacementRequest, type Rest } from './queue.ts';
import { QueueInspection } from './queue-inspection.ts';
import type { HeldNode, Offer, Scheduler, SchedulerCall, SchedulerStatus } from './scheduler.ts';
import type { TaskShape } from './shape.ts';
import { Shadow, type ShadowReport } from './shadow.ts';
import { Tenants } from './tenants.ts';
import { withUpcoming, type UpcomingFacts } from './upcoming.ts';
import { faultOf, verify, type PlacementRefusal, type Verified } from './verify.ts';

export type { PlacementExplanation } from './explain.ts';
export type { PlacementRequest } from './queue.ts';
export type { PlacementRefusal } from './verify.ts';

/** A running attempt as its pool knows it. */
export interface RunningFacts {
  /** The task run's id. */
  readonly key: string;
  readonly node: string;
  readonly shape: TaskShape;
  /** The node's GPUs that it has. */
  readonly gpus: readonly number[];
  readonly priority: number;
  readonly startedAt: number;
  /** Since when it had been READY. */
  readonly readySince?: number;
  /** When the scheduler wants it. */
  readonly forecast?: Forecast | undefined;
}

export interface PlacementOptions {
  readonly scheduler: Scheduler;
  /** Decides beside it, to be compared. */
  readonly shadow?: Scheduler | null;
  /** The most task runs that one call of the scheduler is given. */
  readonly batch: number;
}

/** For the choice of a node to hold so many attempts are listed; among more there is always a node that is nearly free. */
const MAX_LOOKED_AT = 10_000;

/** Where a task run goes, and on which of the node's GPUs. */
export interface PlacedTaskRun {
  readonly taskRun: string;
  readonly node: string;
  readonly gpus: readonly number[];
}

/** What one `place` came to. */
export interface Placed {
  readonly placements: readonly PlacedTaskRun[];
  readonly refusals: readonly PlacementRefusal[];
  /** Attempts that are to end first, to make room for others: these are placed when they have. */
  readonly preempted: readonly Preempted[];
  /** What it came of; null when the scheduler was not asked. */
  readonly call: SchedulerCall | null;
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
  readonly #shadow: Shadow | null;
  /** Everything that runs; only asked for when the scheduler wants it. */
  running: () => readonly RunningFacts[] = () => [];
  /** Something of what waits for others, each after what it waits for; only asked for when the scheduler wants it. */
  upcoming: () => readonly UpcomingFacts[] = () => [];
  readonly #queue = new PlacementQueue();
  readonly #tenants = new Tenants();
  readonly #preemptions = new Preemptions();
  readonly #model = new ClusterModel();
  readonly #held = new HeldNodes();
  #storedMemory: Json;
  #call = 0;
  /** Whether anything at all has happened since the last call. */
  #hasChanged = false;
  /** Whether that was more than another node being held. */
  #isNews = false;
  /** What waits, and why. */
  readonly inspection = new QueueInspection(this.#queue, this.#model, () => this.heldNodes);

  constructor({ scheduler, batch, shadow = null }: PlacementOptions) {
    this.#shadow = shadow && new Shadow(shadow);
    this.#scheduler = scheduler;
    this.#batch = batch;
    this.#storedMemory = scheduler.memory;
  }

  /** A node has joined, or its labels, taints, runners, capacity, eligibility or connection may have changed. */
  nodeChanged(node: Node): void {
    this.#model.nodeChanged(node);
    this.#changed();
  }

  /** A node is gone for good. What attempts still hold there is released as usual. */
  nodeRemoved(name: string): void {
    this.#model.nodeRemoved(name);
    this.#changed();
  }

  /** A task run became READY. One that is in the queue already takes its new place in it. */
  add(request: PlacementRequest): void {
    this.#queue.add(request);
    this.#changed();
    const { group } = this.#queue.get(request.key)!;
    if (this.#mayHelpItself(request, group.rest)) this.#queue.wake(group);
  }

  /** A task run left READY otherwise than by a placement. */
  withdraw(key: string): void {
    const given = this.#preemptions.withdraw(key);
    if (given !== null) this.#model.give({ shape: given.entry.shape, gpus: given.gpus }, given.node);
    if (given !== null) this.#changed();
    const entry = this.#queue.get(key);
    if (entry === undefined) return;
    this.#queue.remove(entry);
    this.#changed();
  }

  /** Recovery: an attempt that is on a node already, whether it fits or not. Throws for a node that nobody named. */
  reserve(shape: TaskShape, node: string, tenant = '', gpus?: readonly number[]): void {
    this.#model.take(shape, this.#nodeNamed(node), gpus);
    this.#tenants.add(tenant, this.#model.needsOf(shape)!);
  }

  /**
   * An attempt ended. Throws for a node that nobody named, and for an attempt that was not there.
   *
   * @param key The task run's: it may have been asked to make room.
   * @param gpus As they were reserved.
   */
  release(shape: TaskShape, node: string, tenant = '', key?: string, gpus: readonly number[] = []): void {
    this.#model.give({ shape, gpus }, this.#nodeNamed(node));
    this.#tenants.remove(tenant, this.#model.needsOf(shape)!);
    if (key !== undefined) this.#preemptions.ended(key);
    this.#changed();
  }

  /** How the scheduler has fared. */
  get schedulerStatus(): SchedulerStatus {
    return this.#scheduler.status;
  }

  /** How the shadow has fared; null when there is none. */
  get shadowReport(): ShadowReport | null {
    return this.#shadow?.report ?? null;
  }

  /** Whether the scheduler asks what is to be expected of task runs. */
  get wantsForecast(): boolean {
    return this.#scheduler.wants.includes('forecast');
  }

  /** How many task runs wait. */
  get pendingCount(): number {
    return this.#queue.size;
  }

  /** Whether `place` could place anything: false until something changes that may help. */
  get canPlace(): boolean {
    this.#wake();
    return this.#queue.awake.size > 0 || this.#preemptions.hasReady;
  }

  /** Places what it can, at most a batch, and reserves it; the engine makes each an attempt in the same step. */
  place(now: number): Placed {
    this.#wake();
    this.#restWithoutRoom();
    const placements: PlacedTaskRun[] = [];
    const refusals: PlacementRefusal[] = [];
    const preempted: Preempted[] = [];
    this.#placeReady(placements);
    let asked: SchedulerCall | null = null;
    if (this.#queue.awake.size > 0) {
      const longWaiting = longWaitingIn(this.#queue, this.#scheduler, this.#model, now);
      const offered = this.#queue.offer(this.#batch, this.#scheduler.wants.includes('tenants'));
      const call = beginCall(together(offered, longWaiting), ++this.#call);
      const isWorthALook = longWaiting.isNews && this.#model.attemptCount <= MAX_LOOKED_AT;
      const running = isWorthALook || this.#scheduler.wants.includes('running') ? this.running() : [];
      this.#decide(call, now, running, placements, refusals, preempted);
      asked = this.#scheduler.lastCall;
      const isReleased = this.#held.renew(this.#scheduler.held, this.#queue, this.#model);
      // Twice in a row it takes more than that: who is held for may change to and fro.
      if (isReleased && (this.#isNews || placements.length > 0)) this.#hasChanged = true;
      this.#isNews = false;
      for (const group of call.groups) {
        if (group.placed === group.offered || group.size === 0) continue;
        const rest = restOf(group.shape, this.#model, this.#held);
        // What competed with others for the room of its domain may find some in the next one.
        if (rest === 'LEFT' && group.shape.rules?.spread && placements.length > 0) continue;
        this.#queue.rest(group, rest);
      }
    }
    this.inspection.changed();
    const { memory } = this.#scheduler;
    const memoryChanged = placements.length > 0 && memory !== this.#storedMemory;
    if (memoryChanged) this.#storedMemory = memory;
    return { placements, preempted, refusals, call: asked, memory, memoryChanged };
  }

  /** How many attempts hold a node. */
  get attemptCount(): number {
    return this.#model.attemptCount;
  }

  /** By resource: what eligible nodes have, and what is held of it. Sorted by name. */
  utilization(): readonly { readonly resource: string; readonly capacity: number; readonly held: number }[] {
    return this.#model.utilization();
  }

  /**
   * By resource: how much of what is free is of no use to tasks of these shapes, weighted, because it lies on nodes
   * that have no room for them. From 0 to 1; absent where nothing is free.
   */
  fragmentation(
    shapes: readonly { readonly shape: TaskShape; readonly weight: number }[],
  ): Readonly<Record<string, number>> {
    return fragmentationOf(this.#model, shapes);
  }

  /** Why a task run waits: node by node, and its place in the queue. Null when it is not in the queue. */
  explain(key: string): PlacementExplanation | null {
    const entry = this.#queue.get(key);
    if (entry !== undefined) return explain(entry, this.#queue, this.#model, this.heldNodes);
    const nomination = this.#preemptions.of(key);
    return nomination && explainNomination(nomination, this.#queue.size);
  }

  /** The nodes that the scheduler holds for those that still wait. */
  get heldNodes(): readonly HeldNode[] {
    return this.#scheduler.held.filter(({ taskRun }) => this.#queue.get(taskRun) !== undefined);
  }

  #changed(): void {
    this.#hasChanged = true;
    this.#isNews = true;
    this.inspection.changed();
  }

  #decide(
    call: Call,
    now: number,
    all: readonly RunningFacts[],
    placements: PlacedTaskRun[],
    refusals: PlacementRefusal[],
    preempted: Preempted[],
  ): void {
    const { wants } = this.#scheduler;
    const running = all.filter(({ key }) => !this.#preemptions.isVictim(key));
    const ending = all.filter(({ key }) => this.#preemptions.isVictim(key));
    let offers = 0;
    const draw = (): Offer => {
      // The plugin has failed, and may have written on the lists that it was lent.
      if (offers++ > 0) this.#model.feasibility.forget();
      const tenants = wants.includes('tenants') ? this.#tenants.views(this.#model, this.#queue) : [];
      const offer = {
        ...makeOffer(call, this.#model, tenants, now),
        running: runningViews(all, this.#model, call, this.#preemptions),
      };
      return wants.includes('upcoming') ? withUpcoming(offer, this.upcoming(), call, this.#model) : offer;
    };
    const compare = this.#shadow?.ask(draw);
    const decisions = this.#scheduler.decide(draw);
    compare?.(decisions);
    const first = verify(decisions, this.#call, this.#queue, this.#model, running, ending);
    const verified: Verified[] = [first];
    if (first.refusals.length > 0) {
      refusals.push(...first.refusals);
      const rest = this.#scheduler.decideInstead(draw, faultOf(first.refusals), first.refusals.length);
      verified.push(verify(rest, this.#call, this.#queue, this.#model, running));
    }
    if (this.#isIncompleteGang(call, verified)) {
      for (const { placed, nodes, gpus, preemptions } of verified) {
        placed.forEach(({ shape }, at) => this.#model.give({ shape, gpus: gpus[at]! }, nodes[at]!));
        for (const each of preemptions) this.#model.give({ shape: each.entry.shape, gpus: each.gpus }, each.node);
      }
      return;
    }
    for (const { placed, nodes, gpus, preemptions } of verified) {
      for (let at = 0; at < placed.length; at++) this.#placed(placed[at]!, nodes[at]!, gpus[at]!, placements);
      for (const { entry, node, gpus: chosen, victims } of preemptions) {
        this.#queue.remove(entry);
        this.#preemptions.begin({ entry, node, gpus: chosen }, victims);
        for (const victim of victims) preempted.push({ taskRun: victim, by: entry.key });
      }
    }
  }

  #placed(entry: Pending, node: ModelNode, gpus: readonly number[], placements: PlacedTaskRun[]): void {
    entry.group.placed++;
    this.#queue.remove(entry);
    this.#tenants.add(entry.tenant, this.#model.needsOf(entry.shape)!);
    placements.push({ taskRun: entry.key, node: node.facts.name, gpus });
  }

  /** A gang is offered alone, but for those that no node has room for; less than all of it is nothing. */
  #isIncompleteGang({ groups }: Call, verified: readonly Verified[]): boolean {
    const gang = groups.find(({ gangSize }) => gangSize > 0);
    if (gang === undefined) return false;
    const placed = verified.reduce((sum, each) => sum + each.placed.filter(({ group }) => group === gang).length, 0);
    return placed < gang.gangSize;
  }

  /** Those for whom others have made room. Where the node will not do any more they queue again. */
  #placeReady(placements: PlacedTaskRun[]): void {
    for (const { entry, node, gpus } of this.#preemptions.takeReady()) {
      if (node.isPresent && this.#model.feasibility.passes(entry.shape, node)) {
        this.#tenants.add(entry.tenant, this.#model.needsOf(entry.shape)!);
        placements.push({ taskRun: entry.key, node: node.facts.name, gpus });
      } else {
        this.#model.give({ shape: entry.shape, gpus }, node);
        this.#queue.add(entry);
      }
    }
  }

  /** Ends the rest of the groups that something which has happened may help. */
  #wake(): void {
    if (!this.#hasChanged) return;
    this.#hasChanged = false;
    this.#held.renew(this.#scheduler.held, this.#queue, this.#model);
    const roomier = new Set([...this.#model.takeRoomier(), ...this.#held.takeReleased()]);
    const open = new Set([...roomier].filter((node) => !this.#held.has(node)));
    for (const group of this.#queue.resting) {
      if (group.rest === 'GATHERING') continue;
      const isHelped = group.rest === 'LEFT' || (this.#preempts && roomier.size > 0);
      if (isHelped || hasRoomOn(group.shape, this.#model, group.rest === 'HELD' ? open : roomier))
        this.#queue.wake(group);
    }
    for (const [{ group }, node] of this.#held.entries(this.#queue)) {
      if (group.rest === 'HELD' && this.#model.hasRoom(group.shape, node)) this.#queue.wake(group);
    }
  }

  /** Whether one that is new in a group that rests may be placed all the same, because it is more urgent. */
  #mayHelpItself({ priority }: PlacementRequest, rest: Rest | null): boolean {
    if (rest === 'FULL') return this.#preempts;
    if (rest !== 'HELD') return false;
    const { wants } = this.#scheduler;
    return this.#preempts || wants.includes('tenants') || this.#held.isMoreUrgent(priority, this.#queue);
  }

  /** Whether the scheduler makes room where there is none. */
  get #preempts(): boolean {
    return this.#scheduler.wants.includes('preempt');
  }

  /** Room can be made for what others hold, not for a resource that no node has ever had. */
  #restWithoutRoom(): void {
    for (const group of this.#queue.awake) {
      const mayFit = this.#preempts ? this.#model.needsOf(group.shape) !== null : hasRoom(group.shape, this.#model);
      if (!mayFit) this.#queue.rest(group, 'FULL');
    }
  }

  #nodeNamed(name: string): ModelNode {
    const node = this.#model.node(name);
    if (node === undefined) throw new Error(`Placement knows no node ${name}: nodeChanged must come first.`);
    return node;
  }
}
