import { Timers } from '../engine/core/timers.ts';
import type { Placement } from '../placement/placement.ts';
import { Meter, type Sample } from './meter.ts';
import { downstreamOf, upwardRanks } from './upward-rank.ts';
import type { SimulatedNode, Workload } from './workload.ts';

/** What happened to one task. Milliseconds from the beginning. */
export interface TaskOutcome {
  readonly key: string;
  /** When it could have started; null when what it needs never ended. */
  readonly readyAt: number | null;
  /** The start that it was let finish from; null when it never was. */
  readonly startedAt: number | null;
  readonly endedAt: number | null;
  readonly node: string | null;
  /** How often it was stopped to make room. Its work is lost then. */
  readonly preemptions: number;
}

export interface Simulation {
  /** By the workload's index. */
  readonly outcomes: readonly TaskOutcome[];
  readonly samples: readonly Sample[];
  /** Time-weighted, by resource, while there was anything to do. */
  readonly utilization: Readonly<Record<string, number>>;
  /** Why those that never started waited at the end, at most twenty. */
  readonly pending: readonly { readonly key: string; readonly message: string }[];
}

type Happening =
  | { readonly type: 'JOIN' | 'LEAVE'; readonly at: SimulatedNode }
  | { readonly type: 'ARRIVE'; readonly task: number }
  | { readonly type: 'END'; readonly task: number; readonly start: number };

interface Running {
  readonly node: string;
  readonly startedAt: number;
  readonly gpus: readonly number[];
  /** Tells this start from earlier ones of the same task. */
  readonly start: number;
}

/** So much between two pauses: calls of the scheduler, with each of their placements, and moments. */
const PAUSE_EVERY = 2_000;

/**
 * Runs a workload through a placement in virtual time: a discrete-event simulation around the code that places in
 * earnest. Yields how many tasks have ended. What is preempted stops at once, loses its work and queues again. Pauses now and then, so that a server may
 * do other things in between; the result does not depend on it.
 *
 * @param placement Fresh; its scheduler is told true durations when it asks for a forecast.
 */
export function* simulation(workload: Workload, placement: Placement): Generator<number, Simulation, void> {
  const run = new Run(workload, placement);
  let work = 0;
  for (let done = run.step(); done > 0; done = run.step()) {
    work += done;
    if (work < PAUSE_EVERY) continue;
    work = 0;
    yield run.endedCount;
  }
  return run.result();
}

/** Runs it to its end at once. */
export function simulate(workload: Workload, placement: Placement): Simulation {
  const steps = simulation(workload, placement);
  for (;;) {
    const { done, value } = steps.next();
    if (done) return value;
  }
}

class Run {
  readonly #workload: Workload;
  readonly #placement: Placement;
  readonly #timers = new Timers<Happening>();
  readonly #meter: Meter;
  readonly #downstream: readonly (readonly number[])[];
  readonly #needsLeft: Int32Array;
  readonly #ranks: Float64Array | null;
  readonly #indexOf: ReadonlyMap<string, number>;
  readonly #running = new Map<number, Running>();
  readonly #readyAt: (number | null)[];
  readonly #outcomes: { startedAt: number; endedAt: number; node: string }[] = [];
  readonly #preemptions: Uint32Array;
  #starts = 0;
  #ended = 0;
  #now = 0;

  constructor(workload: Workload, placement: Placement) {
    const { tasks, nodes } = workload;
    this.#workload = workload;
    this.#placement = placement;
    this.#meter = new Meter(workload, placement);
    this.#downstream = downstreamOf(tasks);
    this.#needsLeft = Int32Array.from(tasks, ({ needs }) => needs.length);
    this.#ranks = placement.wantsForecast ? upwardRanks(tasks) : null;
    this.#indexOf = new Map(tasks.map(({ key }, at) => [key, at]));
    this.#readyAt = tasks.map(() => null);
    this.#preemptions = new Uint32Array(tasks.length);
    if (this.#indexOf.size !== tasks.length) throw new Error(`Two tasks of ${workload.name} have the same key.`);
    for (const at of nodes) {
      this.#timers.add(at.joinsAt, { type: 'JOIN', at });
      if (at.leavesAt !== null) this.#timers.add(at.leavesAt, { type: 'LEAVE', at });
    }
    tasks.forEach(({ needs, arrivesAt }, task) => {
      if (needs.length === 0) this.#timers.add(arrivesAt, { type: 'ARRIVE', task });
    });
    placement.running = () => Array.from(this.#running, ([task, running]) => this.#runningFacts(task, running));
    placement.upcoming = () => this.#upcoming();
  }

  /** How many tasks have ended. */
  get endedCount(): number {
    return this.#ended;
  }

  /** Calls the scheduler, or when it has nothing to do goes on to the next moment; tells how much that was, 0 at the end. */
  step(): number {
    if (this.#placement.canPlace) return this.#place(this.#now);
    const now = this.#timers.nextAt;
    if (now === Infinity) return 0;
    this.#now = now;
    this.#meter.until(now);
    let work = 1;
    for (let due = this.#timers.takeDue(now); due; due = this.#timers.takeDue(now), work++) this.#happen(due, now);
    return work;
  }

  result(): Simulation {
    const { tasks } = this.#workload;
    const outcomes = tasks.map(({ key }, at): TaskOutcome => {
      const { startedAt = null, endedAt = null, node = null } = this.#outcomes[at] ?? {};
      return { key, readyAt: this.#readyAt[at]!, startedAt, endedAt, node, preemptions: this.#preemptions[at]! };
    });
    const pending = this.#placement.inspection.first(20).map((key) => {
      return { key, message: this.#placement.explain(key)!.summary.message };
    });
    return { outcomes, samples: this.#meter.samples, utilization: this.#meter.utilization, pending };
  }

  #place(now: number): number {
    const { placements, preempted } = this.#placement.place(now);
    for (const { taskRun } of preempted) this.#preempt(this.#indexOf.get(taskRun)!, now);
    for (const { taskRun, node, gpus } of placements) this.#start(this.#indexOf.get(taskRun)!, node, gpus, now);
    return 1 + placements.length;
  }

  #happen(happening: Happening, now: number): void {
    switch (happening.type) {
      case 'JOIN':
        this.#placement.nodeChanged(happening.at.node);
        this.#meter.nodeJoined(happening.at.node);
        break;
      case 'LEAVE':
        this.#placement.nodeRemoved(happening.at.node.name);
        this.#meter.nodeLeft(happening.at.node);
        break;
      case 'ARRIVE':
        this.#readyAt[happening.task] = now;
        this.#queue(happening.task, now);
        break;
      case 'END':
        this.#end(happening.task, happening.start, now);
        break;
      default:
        happening satisfies never;
    }
  }

  #queue(task: number, now: number): void {
    const { key, shape, priority, tenant } = this.#workload.tasks[task]!;
    const forecast = this.#forecast(task);
    this.#meter.queued(1);
    this.#placement.add({ key, shape, priority, tenant, readySince: now, forecast });
  }

  #start(task: number, node: string, gpus: readonly number[], now: number): void {
    const { shape, durationMs } = this.#workload.tasks[task]!;
    const start = ++this.#starts;
    this.#running.set(task, { node, startedAt: now, gpus, start });
    this.#meter.queued(-1);
    this.#meter.held(shape, 1);
    this.#timers.add(now + durationMs, { type: 'END', task, start });
  }

  #end(task: number, start: number, now: number): void {
    const running = this.#running.get(task);
    if (running?.start !== start) return;
    this.#ended++;
    this.#outcomes[task] = { startedAt: running.startedAt, endedAt: now, node: running.node };
    this.#release(task, running);
    for (const next of this.#downstream[task]!) {
      if (--this.#needsLeft[next]! > 0) continue;
      this.#timers.add(Math.max(now, this.#workload.tasks[next]!.arrivesAt), { type: 'ARRIVE', task: next });
    }
  }

  #preempt(task: number, now: number): void {
    const running = this.#running.get(task);
    if (running === undefined) return;
    this.#preemptions[task]!++;
    this.#release(task, running);
    this.#queue(task, now);
  }

  #release(task: number, { node, gpus }: Running): void {
    const { key, shape, tenant } = this.#workload.tasks[task]!;
    this.#running.delete(task);
    this.#meter.held(shape, -1);
    this.#placement.release(shape, node, tenant, key, gpus);
  }

  #forecast(task: number) {
    return this.#ranks === null
      ? undefined
      : { durationMs: this.#workload.tasks[task]!.durationMs, rankMs: this.#ranks[task]! };
  }

  #runningFacts(task: number, { node, startedAt, gpus }: Running) {
    const { key, shape, priority } = this.#workload.tasks[task]!;
    return { key, node, shape, gpus, priority, startedAt, forecast: this.#forecast(task) };
  }

  /** What waits for others, as far as a plan may look ahead: each after what it needs. */
  #upcoming() {
    const { tasks } = this.#workload;
    const upcoming = [];
    for (let at = 0; at < tasks.length && upcoming.length < MAX_UPCOMING; at++) {
      if (this.#needsLeft[at]! === 0) continue;
      const { key, shape, priority, needs } = tasks[at]!;
      upcoming.push({
        key,
        shape,
        priority,
        after: needs.map((need) => tasks[need]!.key),
        forecast: this.#forecast(at),
      });
    }
    return upcoming;
  }
}

const MAX_UPCOMING = 1_000;
