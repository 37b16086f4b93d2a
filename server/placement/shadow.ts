import type { Decision } from '@gantry/plugin-kit/scheduler';
import type { Offer, Scheduler, SchedulerStatus } from './scheduler.ts';

/** A task run that the shadow would have placed elsewhere. */
export interface Divergence {
  readonly at: number;
  /** The task run's id. */
  readonly taskRun: string;
  /** By name; null when it stayed in the queue. */
  readonly node: string | null;
  readonly shadowNode: string | null;
}

/** How a shadow has fared beside the scheduler. */
export interface ShadowReport extends SchedulerStatus {
  /** Task runs on which both have decided. */
  readonly compared: number;
  readonly divergenceCount: number;
  /** The last ones, newest first. */
  readonly divergences: readonly Divergence[];
}

const KEPT = 100;

/**
 * A second scheduler that is asked the same as the first, and whose answer is only compared. What it says for a call is
 * what it would have decided in the place of the first one: its own earlier decisions have not come true.
 */
export class Shadow {
  readonly #scheduler: Scheduler;
  #compared = 0;
  #count = 0;
  #divergences: Divergence[] = [];

  constructor(scheduler: Scheduler) {
    this.#scheduler = scheduler;
  }

  get report(): ShadowReport {
    return {
      ...this.#scheduler.status,
      compared: this.#compared,
      divergenceCount: this.#count,
      divergences: this.#divergences.toReversed(),
    };
  }

  /** Asks for a decision, to be compared with `against` of the returned function: where the first sent each task. */
  ask(makeOffer: () => Offer): (against: readonly Decision[]) => void {
    const offer = makeOffer();
    const nodes = offer.nodes.map(({ name }) => name);
    const { now } = offer;
    const tasks = offer.tasks.map(({ key }) => key);
    const mine = placesOf(
      this.#scheduler.decide(() => offer),
      nodes,
    );
    // What the fallback decides in its place says nothing about it.
    if (!this.#scheduler.lastCall?.decisions) return () => undefined;
    return (against) => {
      const theirs = placesOf(against, nodes);
      for (const key of tasks) {
        const node = theirs.get(key) ?? null;
        const shadowNode = mine.get(key) ?? null;
        this.#compared++;
        if (node === shadowNode) continue;
        this.#count++;
        this.#divergences.push({ at: now, taskRun: key, node, shadowNode });
      }
      if (this.#divergences.length > KEPT) this.#divergences = this.#divergences.slice(-KEPT);
    };
  }
}

function placesOf(decisions: readonly Decision[], nodes: readonly string[]): ReadonlyMap<string, string> {
  const places = new Map<string, string>();
  for (const decision of decisions) {
    const name = 'node' in decision ? nodes[decision.node] : undefined;
    if (name !== undefined) places.set(decision.task, name);
  }
  return places;
}
