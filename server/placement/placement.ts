import type { PendingTask, Shape } from '@gantry/plugin-kit/scheduler';
import type { Json } from '@gantry/plugin-kit/vocabulary';
import type { Node } from '../domain/node.ts';
import { ClusterModel } from './cluster-model.ts';
import { explain, type PlacementExplanation } from './explain.ts';
import { Queue } from './queue.ts';
import type { Scheduler, SchedulerStatus } from './scheduler.ts';
import type { TaskShape } from './shape.ts';
import { verify, type PlacementRefusal } from './verify.ts';

/** A task run that is READY. */
export interface PlacementRequest {
  /** The task run's id. */
  readonly key: string;
  readonly shape: TaskShape;
  readonly priority: number;
  readonly readySince: number;
  readonly tenant: string;
}

export interface PlacementOptions {
  readonly scheduler: Scheduler;
  /** The most task runs that one call is given. */
  readonly batch: number;
}

/** What was decided: reserved already, in this order. */
export interface Placed {
  readonly placements: readonly { readonly taskRun: string; readonly node: string }[];
  readonly refusals: readonly PlacementRefusal[];
  readonly memory: Json;
  readonly memoryChanged: boolean;
}

/** Where the task runs of one pool should go: its nodes, its queue and its scheduler, whose every decision is verified. */
export class Placement {
  readonly #cluster = new ClusterModel();
  readonly #queue = new Queue();
  readonly #scheduler: Scheduler;
  readonly #batch: number;
  #hasNews = false;

  constructor({ scheduler, batch }: PlacementOptions) {
    this.#scheduler = scheduler;
    this.#batch = batch;
  }

  get pendingCount(): number {
    return this.#queue.size;
  }
  get schedulerStatus(): SchedulerStatus {
    return this.#scheduler.status;
  }
  /** Whether anything has happened that a further call could make something of. */
  get canPlace(): boolean {
    return this.#hasNews && this.#queue.hasOffer;
  }

  nodeChanged(node: Node): void {
    this.#cluster.nodeChanged(node);
    this.#queue.unblock();
    this.#hasNews = true;
  }
  nodeRemoved(name: string): void {
    this.#cluster.nodeRemoved(name);
  }
  add(request: PlacementRequest): void {
    this.#queue.add(request);
    this.#hasNews = true;
  }
  withdraw(key: string): void {
    this.#queue.remove(key);
  }
  /** An attempt that is there already, found at a reload. */
  reserve(shape: TaskShape, node: string): void {
    this.#cluster.reserve(shape, node);
  }
  release(shape: TaskShape, node: string): void {
    this.#cluster.release(shape, node);
    this.#queue.unblock();
    this.#hasNews = true;
  }

  /** Places what it can, at most one batch. */
  place(now: number): Placed {
    const offered = this.#queue.offer(this.#batch);
    const shapes: Shape[] = [];
    const indexOfShape = new Map<string, number>();
    const tasks: PendingTask[] = [];
    for (const { request } of offered) {
      let shape = indexOfShape.get(request.shape.key);
      if (shape === undefined) {
        shape = shapes.push(this.#cluster.shapeView(request.shape)) - 1;
        indexOfShape.set(request.shape.key, shape);
      }
      const { key, priority, readySince, tenant } = request;
      tasks.push({ key, shape, priority, readySince, tenant });
    }
    const { output, memoryChanged } = this.#scheduler.place({
      now,
      resources: this.#cluster.resources,
      nodes: this.#cluster.nodeViews(),
      shapes,
      tasks,
      running: [],
    });
    const placements: { taskRun: string; node: string }[] = [];
    const refusals: PlacementRefusal[] = [];
    for (const decision of output.decisions) {
      const verified = verify(decision, this.#queue, this.#cluster);
      if (verified === null) continue;
      if ('code' in verified) {
        refusals.push(verified);
        continue;
      }
      const { request } = verified.waiting;
      this.#cluster.reserve(request.shape, verified.node);
      this.#queue.remove(request.key);
      placements.push({ taskRun: request.key, node: verified.node });
    }
    this.#scheduler.refused(refusals.length);
    // What was offered and not placed has no room, or is held: it is offered again when something changes.
    if (placements.length < offered.length)
      for (const { request, isGone } of offered) if (!isGone) this.#queue.block(request.shape);
    this.#hasNews = this.#queue.hasOffer;
    return { placements, refusals, memory: this.#scheduler.memory, memoryChanged };
  }

  /** Why a task run waits; null when it does not. */
  explain(key: string): PlacementExplanation | null {
    const waiting = this.#queue.get(key);
    return waiting ? explain(waiting, this.#queue.positionOf(waiting), this.#queue.size, this.#cluster) : null;
  }
}
export type { PlacementRefusal } from './verify.ts';
export type { PlacementExplanation } from './explain.ts';
