// How fast is placement? `npm run bench -- placement` prints
//   1. the curve over 100 → 15,000 heterogeneous nodes: placements per second of each scheduler through the production
//      path (queue, offer, scheduler, verification, reservation), with 100 shapes and 4,096 tasks per call, beside a
//      linear best-fit scan over typed arrays of the same tasks in the same run; first from a pool that has just been
//      loaded, then when it has placed tasks of these shapes before, as in a server that has run for a while;
//   2. what a no-op task costs where nothing but slots is asked for: add + place + release, a few nodes, one shape.
// Options: --nodes 100,5000 --tasks 40960
import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import type { SchedulerPlugin } from '@gantry/plugin-kit/scheduler';
import { chance } from '@gantry/plugin-kit/testing';
import binPacking from '@gantry/scheduler-bin-packing';
import priority from '@gantry/scheduler-priority';
import roundRobin from '@gantry/scheduler-round-robin';
import { systemClock } from '../server/clock.ts';
import type { Node } from '../server/domain/node.ts';
import { Placement } from '../server/placement/placement.ts';
import { SchedulerHost } from '../server/placement/scheduler-host.ts';
import { makeShape, type TaskShape } from '../server/placement/shape.ts';

const BATCH = 4_096;
const SHAPES = 100;
const ROUNDS = 3;
const SCHEDULERS = [roundRobin, priority, binPacking] as unknown as readonly SchedulerPlugin[];

const { values } = parseArgs({
  options: {
    nodes: { type: 'string', default: '100,1000,5000,15000' },
    tasks: { type: 'string', default: String(10 * BATCH) },
  },
});
const nodeCounts = values.nodes.split(',').map(Number);
const taskCount = Number(values.tasks);

/** Nodes of eight sizes; together they hold all tasks however few they are, so that no run stops for want of room. */
function someNodes(count: number): readonly Node[] {
  const random = chance(count);
  const scale = Math.max(1, Math.ceil(taskCount / count / 4));
  return Array.from({ length: count }, (_, at): Node => {
    const size = scale * (1 + Math.floor(random() * 8));
    return {
      name: `node-${String(at).padStart(5, '0')}`,
      pool: 'default',
      capacity: { cpu: size * 16_000, memory: size * 2 ** 35, slots: size * 64, disk: size * 2 ** 38 },
      labels: { zone: 'abc'.charAt(at % 3), size: String(size) },
      taints: [],
      runners: [{ name: 'mock', version: '1.0.0', health: 'HEALTHY' }],
      agentVersion: '1.0.0',
      connection: 'READY',
      eligibility: 'ELIGIBLE',
      incarnation: 1,
      reserved: {},
      runningCount: 0,
      registeredAt: 0,
      heardAt: 0,
      revision: 0,
    };
  });
}

/** A third of them wants a zone. */
function someShapes(count: number): readonly TaskShape[] {
  const random = chance(1);
  return Array.from({ length: count }, (_, at) =>
    makeShape({
      runner: 'mock',
      resources: {
        cpu: 100 * (1 + Math.floor(random() * 40)),
        memory: 2 ** 26 * (1 + Math.floor(random() * 120)),
        slots: 1,
      },
      nodeSelector: at % 3 === 0 ? { zone: 'abc'.charAt(at % 9 === 0 ? 0 : 1) } : {},
      tolerations: [],
    }),
  );
}

function placementWith(plugin: SchedulerPlugin, nodes: readonly Node[]): Placement {
  const checked = plugin.config.check({});
  if (!checked.ok) throw new Error(`${plugin.name} refuses its own defaults.`);
  const scheduler = new SchedulerHost({
    plugin,
    config: checked.config,
    memory: null,
    seed: 1,
    clock: systemClock,
    log: (message) => console.error(message),
  });
  const placement = new Placement({ scheduler, batch: BATCH });
  for (const node of nodes) placement.nodeChanged(node);
  return placement;
}

/** Seconds for the best of some rounds; each gets a fresh state from `prepare`, outside the time. */
function best<State>(prepare: () => State, run: (state: State) => void): number {
  let fastest = Infinity;
  for (let round = 0; round < ROUNDS; round++) {
    const state = prepare();
    const began = performance.now();
    run(state);
    fastest = Math.min(fastest, performance.now() - began);
  }
  return fastest / 1_000;
}

function request(at: number, shape: TaskShape): Parameters<Placement['add']>[0] {
  return { key: `run-${at >> 10}.${at}`, shape, priority: 0, readySince: at, tenant: 'bench' };
}

/** Tasks of every shape, twice, that are placed and have ended. */
function warm(placement: Placement, shapes: readonly TaskShape[]): void {
  for (let round = 0; round < 2; round++) {
    shapes.forEach((shape, at) => placement.add(request(taskCount + round * shapes.length + at, shape)));
    const shapeOf = (key: string) => shapes[(Number(key.split('.')[1]) - taskCount) % shapes.length]!;
    for (const { taskRun, node } of placement.place(0).placements) placement.release(shapeOf(taskRun), node);
  }
}

interface Cell {
  readonly plugin: SchedulerPlugin;
  readonly nodes: readonly Node[];
  readonly shapes: readonly TaskShape[];
  readonly isWarm: boolean;
}

function perSecond({ plugin, nodes, shapes, isWarm }: Cell): number {
  const seconds = best(
    () => {
      const placement = placementWith(plugin, nodes);
      if (isWarm) warm(placement, shapes);
      for (let at = 0; at < taskCount; at++) placement.add(request(at, shapes[(at * 7919) % shapes.length]!));
      return placement;
    },
    (placement) => {
      let placed = 0;
      while (placement.canPlace) placed += placement.place(0).placements.length;
      if (placed !== taskCount) throw new Error(`${plugin.name} placed ${placed} of ${taskCount}.`);
      if (placement.schedulerStatus.refusals > 0) throw new Error(`${plugin.name} had decisions refused.`);
    },
  );
  return taskCount / seconds;
}

/** Best fit by a scan of all nodes for every task; nothing else: no queue, no verification. */
function scanPerSecond(nodes: readonly Node[], shapes: readonly TaskShape[], tasks: number): number {
  const columns = ['cpu', 'memory', 'slots'] as const;
  const capacity = columns.map((name) => Float64Array.from(nodes, (node) => node.capacity[name]!));
  const needs = shapes.map(({ resources }) => columns.map((name) => resources[name]!));
  const zones = nodes.map(({ labels }) => labels['zone']);
  const able = shapes.map(({ nodeSelector: { zone } }) =>
    Uint8Array.from(zones, (each) => (zone === undefined || zone === each ? 1 : 0)),
  );
  const seconds = best(
    () => capacity.map((column) => column.slice()),
    (free) => {
      for (let at = 0; at < tasks; at++) {
        const shape = (at * 7919) % shapes.length;
        const [cpu, memory, slots] = needs[shape]! as [number, number, number];
        const isAble = able[shape]!;
        let fullest = -1;
        let least = Infinity;
        for (let node = 0; node < nodes.length; node++) {
          const cpuLeft = free[0]![node]! - cpu;
          const memoryLeft = free[1]![node]! - memory;
          if (isAble[node] === 0 || cpuLeft < 0 || memoryLeft < 0 || free[2]![node]! < slots) continue;
          const left = cpuLeft / capacity[0]![node]! + memoryLeft / capacity[1]![node]!;
          if (left < least) {
            least = left;
            fullest = node;
          }
        }
        free[0]![fullest]! -= cpu;
        free[1]![fullest]! -= memory;
        free[2]![fullest]! -= slots;
      }
    },
  );
  return tasks / seconds;
}

/** Nanoseconds per task of add + place + release over several batches in a row. */
function liveNanoseconds(plugin: SchedulerPlugin): number {
  const rounds = 50;
  const shape = makeShape({ runner: 'mock', resources: { slots: 1 }, nodeSelector: {}, tolerations: [] });
  const nodes = someNodes(4).map((node) => ({ ...node, capacity: { slots: 100_000 } }));
  const keys = Array.from({ length: rounds * BATCH }, (_, at) => `run-${at >> 10}.${at}`);
  const seconds = best(
    () => placementWith(plugin, nodes),
    (placement) => {
      for (let round = 0; round < rounds; round++) {
        for (let at = round * BATCH; at < (round + 1) * BATCH; at++) {
          placement.add({ key: keys[at]!, shape, priority: 0, readySince: round, tenant: 'bench' });
        }
        if (!placement.canPlace) throw new Error('There is room.');
        for (const { node } of placement.place(round).placements) placement.release(shape, node);
      }
    },
  );
  return (seconds / rounds / BATCH) * 1e9;
}

const shapes = someShapes(SHAPES);
const thousands = (rate: number): string => `${(rate / 1_000).toFixed(0)} k/s`.padStart(12);
console.log(`${cpus()[0]?.model ?? 'CPU'}, Node ${process.versions.node}. Best of ${ROUNDS}.`);
for (const isWarm of [false, true]) {
  const state = isWarm ? 'by a pool that has placed such tasks before' : 'by a pool that was just loaded';
  console.log(`\nPlacements per second, ${taskCount} tasks of ${SHAPES} shapes, ${BATCH} per call, ${state}:`);
  console.log(
    ['nodes'.padStart(7), ...SCHEDULERS.map(({ name }) => name.padStart(12)), 'linear scan'.padStart(12)].join(' '),
  );
  for (const count of nodeCounts) {
    const nodes = someNodes(count);
    const rates = SCHEDULERS.map((plugin) => thousands(perSecond({ plugin, nodes, shapes, isWarm })));
    const scanned = Math.min(taskCount, Math.ceil(1e8 / count));
    console.log([String(count).padStart(7), ...rates, thousands(scanPerSecond(nodes, shapes, scanned))].join(' '));
  }
}
console.log('\nA no-op task on 4 nodes, one shape, slots only: add + place + release:');
for (const plugin of SCHEDULERS) console.log(`${plugin.name.padStart(12)} ${liveNanoseconds(plugin).toFixed(0)} ns`);
