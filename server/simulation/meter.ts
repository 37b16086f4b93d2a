import type { Node } from '../domain/node.ts';
import type { Placement } from '../placement/placement.ts';
import type { TaskShape } from '../placement/shape.ts';
import type { Workload } from './workload.ts';

/** How things stood at a moment. */
export interface Sample {
  /** Milliseconds from the beginning. */
  readonly at: number;
  readonly pending: number;
  readonly running: number;
  /** Shares of what there was, by resource. */
  readonly utilization: Readonly<Record<string, number>>;
  /**
   * By resource, the share of what was free that was of no use to a task like those of the workload: it lay on nodes
   * without room for it (fragmentation as in Weng et al., USENIX ATC 2023, with shapes instead of GPU tasks alone).
   */
  readonly fragmentation: Readonly<Record<string, number>>;
}

/** So many moments at most; and so many of the most frequent shapes are looked at for each. */
const MAX_SAMPLES = 120;
const MAX_SHAPES = 24;

/** Measures while a simulation runs: sums over time, and a number of samples that does not grow with it. */
export class Meter {
  readonly #placement: Placement;
  readonly #shapes: readonly { readonly shape: TaskShape; readonly weight: number }[];
  readonly #capacity = new Map<string, number>();
  readonly #held = new Map<string, number>();
  /** Resource × milliseconds that were held, and that there were, while anything was pending or running. */
  readonly #heldTime = new Map<string, number>();
  readonly #capacityTime = new Map<string, number>();
  #samples: Sample[] = [];
  /** A sample is taken when so much time has passed since the last one: doubled when there are too many. */
  #spacingMs = 1;
  #sampledAt = -Infinity;
  #now = 0;
  #pending = 0;
  #running = 0;

  constructor({ tasks }: Workload, placement: Placement) {
    this.#placement = placement;
    const counts = new Map<string, { readonly shape: TaskShape; count: number }>();
    for (const { shape } of tasks) {
      const known = counts.get(shape.key);
      if (known) known.count++;
      else counts.set(shape.key, { shape, count: 1 });
    }
    const frequent = [...counts.values()].sort((one, other) => other.count - one.count).slice(0, MAX_SHAPES);
    const total = frequent.reduce((sum, { count }) => sum + count, 0);
    this.#shapes = frequent.map(({ shape, count }) => ({ shape, weight: count / total }));
  }

  get samples(): readonly Sample[] {
    return this.#samples;
  }

  get utilization(): Readonly<Record<string, number>> {
    return shares(this.#heldTime, this.#capacityTime);
  }

  /** Things stay as they are until then. */
  until(now: number): void {
    const elapsed = now - this.#now;
    if (elapsed > 0 && this.#pending + this.#running > 0) {
      for (const [resource, amount] of this.#capacity) {
        add(this.#capacityTime, resource, amount * elapsed);
        add(this.#heldTime, resource, (this.#held.get(resource) ?? 0) * elapsed);
      }
      if (now - this.#sampledAt >= this.#spacingMs) this.#sample(this.#now);
    }
    this.#now = now;
  }

  queued(count: 1 | -1): void {
    this.#pending += count;
  }

  held({ resources }: TaskShape, sign: 1 | -1): void {
    this.#running += sign;
    for (const resource in resources) add(this.#held, resource, sign * resources[resource]!);
  }

  nodeJoined({ capacity }: Node): void {
    for (const resource in capacity) add(this.#capacity, resource, capacity[resource]!);
  }

  nodeLeft({ capacity }: Node): void {
    for (const resource in capacity) add(this.#capacity, resource, -capacity[resource]!);
  }

  #sample(at: number): void {
    this.#sampledAt = at;
    this.#samples.push({
      at,
      pending: this.#pending,
      running: this.#running,
      utilization: shares(this.#held, this.#capacity),
      fragmentation: this.#placement.fragmentation(this.#shapes),
    });
    if (this.#samples.length <= MAX_SAMPLES) return;
    this.#samples = this.#samples.filter((_, index) => index % 2 === 0);
    this.#spacingMs = Math.max(2 * this.#spacingMs, (at - this.#samples[0]!.at) / (MAX_SAMPLES / 2));
  }
}

function add(sums: Map<string, number>, key: string, amount: number): void {
  sums.set(key, (sums.get(key) ?? 0) + amount);
}

function shares(parts: ReadonlyMap<string, number>, wholes: ReadonlyMap<string, number>): Record<string, number> {
  const result: Record<string, number> = {};
  for (const [key, whole] of wholes) if (whole > 0) result[key] = (parts.get(key) ?? 0) / whole;
  return result;
}
