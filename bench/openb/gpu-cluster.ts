import { chooseGpus, shareOf } from '@gantry/plugin-kit/gpus';
import type {
  Json,
  NodeView,
  PendingTask,
  PlacementInput,
  RunningAttempt,
  SchedulerPlugin,
  Shape,
} from '@gantry/plugin-kit/scheduler';
import type { TraceNode, TracePod } from './read-openb.ts';

const RESOURCES = ['cpu', 'memory', 'gpu'];

interface Held {
  readonly node: number;
  readonly pod: TracePod;
  /** Which GPUs it has. */
  readonly gpus: readonly number[];
}

/**
 * The machines of the trace under one scheduler, which is asked as the host asks it: plain data in, decisions out, each
 * checked before it counts.
 */
export class GpuCluster {
  readonly nodes: readonly TraceNode[];
  readonly gpuCapacity: number;
  /** Of all GPUs, what is taken. Thousandths. */
  gpuTaken = 0;
  readonly #plugin: SchedulerPlugin;
  readonly #config: unknown;
  readonly #views: NodeView[];
  readonly #shapes = new Map<string, Shape>();
  readonly #held = new Map<string, Held>();
  /** Since when those wait that were offered and not placed. */
  readonly #since = new Map<string, number>();
  readonly #seed: number;
  #memory: Json = null;
  #calls = 0;

  constructor(nodes: readonly TraceNode[], plugin: SchedulerPlugin, seed: number) {
    // What is compared is how nodes are filled: none is held for a pod that waits.
    const holdingNone = plugin.config.check({ reserveAfterMs: null });
    const checked = holdingNone.ok ? holdingNone : plugin.config.check({});
    if (!checked.ok) throw new Error(`${plugin.name} refuses its own defaults.`);
    this.nodes = [...nodes].sort((one, other) => (one.name < other.name ? -1 : 1));
    this.gpuCapacity = nodes.reduce((sum, { gpus }) => sum + 1_000 * gpus, 0);
    this.#plugin = plugin;
    this.#config = checked.config;
    this.#seed = seed;
    this.#views = this.nodes.map(({ name, cpu, memoryMib, gpus, model }) => {
      const capacity = [cpu, memoryMib, gpus * 1_000];
      const labels: Record<string, string> = model === '' ? {} : { model };
      return { name, labels, capacity, free: capacity, ...(gpus > 0 ? { gpus: Array<number>(gpus).fill(1_000) } : {}) };
    });
  }

  /** What is free on each node. */
  get views(): readonly NodeView[] {
    return this.#views;
  }

  /** Offers pods in one call, the first is the longest waiting; returns those that were placed. */
  place(pods: readonly TracePod[], now: number): ReadonlySet<TracePod> {
    const shapes: Shape[] = [];
    const indexOf = new Map<string, number>();
    const tasks = pods.map((pod, at): PendingTask => {
      const key = keyOf(pod);
      let shape = indexOf.get(key);
      if (shape === undefined) indexOf.set(key, (shape = shapes.push(this.#shapeOf(pod, key)) - 1));
      const readySince = this.#since.get(pod.name) ?? now * 1_000 + at;
      this.#since.set(pod.name, readySince);
      return { key: pod.name, shape, priority: 0, readySince, tenant: 'openb' };
    });
    const wants = this.#plugin.wants?.(this.#config) ?? [];
    const input: PlacementInput = {
      config: this.#config,
      memory: this.#memory,
      seed: this.#seed + this.#calls++,
      now: now * 1_000,
      resources: RESOURCES,
      nodes: [...this.#views],
      shapes,
      tasks,
      running: wants.includes('running') ? this.#running() : [],
      tenants: [],
    };
    const { decisions, memory } = this.#plugin.place(input);
    this.#memory = memory;
    const byName = new Map(pods.map((pod) => [pod.name, pod]));
    const placed = new Set<TracePod>();
    for (const decision of decisions) {
      if (!('node' in decision)) continue;
      const pod = byName.get(decision.task)!;
      this.#take(pod, decision.node);
      placed.add(pod);
      this.#since.delete(pod.name);
    }
    return placed;
  }

  /** A pod has ended. */
  release(name: string): void {
    const held = this.#held.get(name);
    if (held === undefined) return;
    this.#held.delete(name);
    this.#move(held, 1);
  }

  #take(pod: TracePod, node: number): void {
    const view = this.#views[node]!;
    const gpus = pod.gpu === 0 ? [] : chooseGpus(view.gpus ?? [], pod.gpu);
    if (gpus === null || view.free[0]! < pod.cpu || view.free[1]! < pod.memoryMib) {
      throw new Error(`${this.#plugin.name} over-commits ${view.name} with ${pod.name}.`);
    }
    const held = { node, pod, gpus };
    this.#held.set(pod.name, held);
    this.#move(held, -1);
  }

  #move({ node, pod, gpus }: Held, sign: 1 | -1): void {
    const view = this.#views[node]!;
    const left = view.gpus && [...view.gpus];
    for (const gpu of gpus) left![gpu]! += sign * shareOf(pod.gpu);
    const amounts = [pod.cpu, pod.memoryMib, pod.gpu];
    const free = view.free.map((amount, column) => amount + sign * amounts[column]!);
    this.#views[node] = { ...view, free, ...(left === undefined ? {} : { gpus: left }) };
    this.gpuTaken -= sign * pod.gpu;
  }

  #shapeOf(pod: TracePod, key: string): Shape {
    let shape = this.#shapes.get(key);
    if (shape === undefined) {
      const feasible = this.nodes.flatMap(({ cpu, memoryMib, gpus, model }, at) => {
        const isAble = cpu >= pod.cpu && memoryMib >= pod.memoryMib && 1_000 * gpus >= pod.gpu;
        return isAble && (pod.models.length === 0 || pod.models.includes(model)) ? [at] : [];
      });
      shape = { needs: [pod.cpu, pod.memoryMib, pod.gpu], feasible: Uint32Array.from(feasible) };
      this.#shapes.set(key, shape);
    }
    return shape;
  }

  #running(): readonly RunningAttempt[] {
    return Array.from(this.#held.values(), ({ node, pod }) => ({
      key: pod.name,
      node,
      needs: [pod.cpu, pod.memoryMib, pod.gpu],
      priority: 0,
      startedAt: 0,
    }));
  }
}

/** The same for pods that ask for the same. */
export const keyOf = ({ cpu, memoryMib, gpu, models }: TracePod): string =>
  `${cpu} ${memoryMib} ${gpu} ${models.join('|')}`;
