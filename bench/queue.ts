// What does a long queue cost? `npm run bench -- queue` fills a pool of 5,000 heterogeneous nodes, puts 100,000 task runs
// with constraints behind that (label rules, preferences, limits per node, spread, GPUs), and lets attempts end and begin
// three hundred times: how long one tick takes (what has ended is released, what has room is placed), and what a task run
// that waits takes in memory. Options: --nodes 5000 --pending 100000 --ticks 300 --ended 20
import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import type { SchedulerPlugin } from '@gantry/plugin-kit/scheduler';
import { chance } from '@gantry/plugin-kit/testing';
import binPacking from '@gantry/scheduler-bin-packing';
import priority from '@gantry/scheduler-priority';
import roundRobin from '@gantry/scheduler-round-robin';
import spread from '@gantry/scheduler-spread';
import { systemClock } from '../server/clock.ts';
import { Placement } from '../server/placement/placement.ts';
import { SchedulerHost } from '../server/placement/scheduler-host.ts';
import { makeShape, type ShapeRules, type TaskShape } from '../server/placement/shape.ts';
import { plainNode } from '../server/simulation/workload.ts';

const { values } = parseArgs({
  options: {
    nodes: { type: 'string', default: '5000' },
    pending: { type: 'string', default: '100000' },
    ticks: { type: 'string', default: '300' },
    ended: { type: 'string', default: '20' },
  },
});
const [nodeCount, pendingCount, tickCount, endedCount] = [values.nodes, values.pending, values.ticks, values.ended].map(
  Number,
) as [number, number, number, number];

const ZONES = ['a', 'b', 'c', 'd'];
const MODELS = ['t4', 'v100', 'a100'];

/** Kinds of task runs: each of a run of its own, with rules of every sort. */
function someShapes(count: number): readonly TaskShape[] {
  const random = chance(2);
  const oneOf = <Item>(items: readonly Item[]): Item => items[Math.floor(random() * items.length)]!;
  return Array.from({ length: count }, (_, at) => {
    const needsGpu = at % 4 === 0;
    const rules: ShapeRules = {
      require: [
        { label: 'zone', operator: 'IN', values: [oneOf(ZONES), oneOf(ZONES)] },
        ...(needsGpu ? [{ label: 'model', operator: 'IN' as const, values: [oneOf(MODELS)] }] : []),
      ],
      prefer: at % 3 === 0 ? [{ label: 'rack', operator: 'IN', values: [`r${at % 40}`], weight: 50 }] : [],
      perNode: at % 5 === 0 ? { scope: `run-${at}`, max: 2 } : null,
      spread: at % 7 === 0 ? { scope: `run-${at}`, label: 'zone', required: false } : null,
      exclusive: false,
      gang: null,
    };
    return makeShape({
      runner: 'mock',
      resources: {
        cpu: 500 * (1 + Math.floor(random() * 16)),
        memory: 2 ** 29 * (1 + Math.floor(random() * 16)),
        ...(needsGpu ? { gpu: oneOf([250, 500, 1_000, 2_000]) } : {}),
      },
      nodeSelector: {},
      tolerations: [],
      rules,
    });
  });
}

function someNodes(): ReturnType<typeof plainNode>[] {
  const random = chance(1);
  return Array.from({ length: nodeCount }, (_, at) => {
    const size = 1 + Math.floor(random() * 4);
    const hasGpus = at % 2 === 0;
    return plainNode(
      `node-${String(at).padStart(5, '0')}`,
      { cpu: size * 8_000, memory: size * 2 ** 34, ...(hasGpus ? { gpu: size * 1_000 } : {}) },
      { zone: ZONES[at % 4]!, rack: `r${at % 40}`, ...(hasGpus ? { model: MODELS[at % 3]! } : {}) },
      'mock',
    );
  });
}

/** Heap per task run that waits, bytes. */
function measureMemory(): number {
  const collect = globalThis.gc ?? (() => undefined);
  const placement = placementWith(roundRobin as unknown as SchedulerPlugin);
  const shapes = someShapes(400);
  collect();
  const before = process.memoryUsage().heapUsed;
  for (let at = 0; at < pendingCount; at++) {
    const shape = shapes[at % shapes.length]!;
    placement.add({ key: `task-${at}`, shape, priority: at % 5, readySince: at, tenant: 'work' });
  }
  collect();
  const bytes = (process.memoryUsage().heapUsed - before) / placement.pendingCount;
  return bytes;
}

function placementWith(plugin: SchedulerPlugin): Placement {
  const checked = plugin.config.check({});
  if (!checked.ok) throw new Error(`${plugin.name} refuses its own defaults.`);
  const log = (message: string) => console.error(message);
  const host = { plugin, config: checked.config, memory: null, seed: 1, clock: systemClock, log };
  return new Placement({ scheduler: new SchedulerHost(host), batch: 4_096 });
}

function measure(plugin: SchedulerPlugin): void {
  const placement = placementWith(plugin);
  for (const node of someNodes()) placement.nodeChanged(node);
  const shapes = someShapes(400);
  const random = chance(3);
  const running: { key: string; shape: TaskShape; node: string; gpus: readonly number[] }[] = [];
  const waiting = new Map<string, TaskShape>();
  let added = 0;
  const add = () => {
    const key = `task-${added++}`;
    const shape = shapes[Math.floor(random() * shapes.length)]!;
    waiting.set(key, shape);
    placement.add({ key, shape, priority: Math.floor(random() * 5), readySince: added, tenant: `t${added % 50}` });
  };
  const placeAll = (now: number) => {
    while (placement.canPlace) {
      for (const { taskRun, node, gpus } of placement.place(now).placements) {
        running.push({ key: taskRun, shape: waiting.get(taskRun)!, node, gpus });
        waiting.delete(taskRun);
      }
    }
  };
  // Until nothing of any kind finds room any more.
  for (let full = 0; full < 3;) {
    const before = running.length;
    for (let at = 0; at < 20_000; at++) add();
    placeAll(added);
    full = running.length === before ? full + 1 : 0;
    if (placement.pendingCount > pendingCount) break;
  }
  while (placement.pendingCount < pendingCount) add();
  placeAll(added);
  const times = new Float64Array(tickCount);
  let placed = 0;
  for (let tick = 0; tick < tickCount; tick++) {
    const began = performance.now();
    for (let at = 0; at < endedCount && running.length > 0; at++) {
      const [ended] = running.splice(Math.floor(random() * running.length), 1);
      placement.release(ended!.shape, ended!.node, '', ended!.key, ended!.gpus);
    }
    const runningBefore = running.length;
    placeAll(added + tick);
    placed += running.length - runningBefore;
    times[tick] = performance.now() - began;
    while (placement.pendingCount < pendingCount) add();
  }
  times.sort();
  const at = (share: number) => times[Math.ceil(share * tickCount) - 1]!.toFixed(1).padStart(8);
  console.log(
    `${plugin.name.padStart(12)} ${String(running.length).padStart(8)} ${String(placement.pendingCount).padStart(8)} ` +
      `${at(0.5)} ${at(0.99)} ${at(1)} ${String(placed).padStart(8)}`,
  );
}

console.log(
  `${cpus()[0]?.model}, Node ${process.versions.node}. ${nodeCount} nodes, ${endedCount} attempts end in a tick.`,
);
console.log('   scheduler  running  pending   p50 ms   p99 ms   max ms   placed');
for (const plugin of [roundRobin, priority, binPacking, spread]) measure(plugin as unknown as SchedulerPlugin);
console.log(
  `A task run that waits takes ${measureMemory().toFixed(0)} bytes of heap${globalThis.gc ? '' : ' (with --expose-gc more exactly)'}.`,
);
