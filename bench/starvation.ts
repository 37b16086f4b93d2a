// How long do large tasks wait under a steady stream of small ones? `npm run bench -- starvation` lets two days pass in
// virtual time, through the code that places in earnest: 40 nodes of 16 CPUs, small tasks that ask for 1 to 4 of them
// and take 10 minutes on average, and three times an hour a large one that wants a node for itself for half an hour.
// Each scheduler holds nodes from the first minute on, as it does by default, and never. Options: --load 0.95 --seed 1
import { parseArgs } from 'node:util';
import type { SchedulerPlugin } from '@gantry/plugin-kit/scheduler';
import { chance } from '@gantry/plugin-kit/testing';
import binPacking from '@gantry/scheduler-bin-packing';
import fairShare from '@gantry/scheduler-fair-share';
import priority from '@gantry/scheduler-priority';
import roundRobin from '@gantry/scheduler-round-robin';
import spread from '@gantry/scheduler-spread';
import { systemClock } from '../server/clock.ts';
import { Placement } from '../server/placement/placement.ts';
import { SchedulerHost } from '../server/placement/scheduler-host.ts';
import { makeShape } from '../server/placement/shape.ts';
import { simulate } from '../server/simulation/simulate.ts';
import { plainNode, SIMULATED_RUNNER, type SimulatedTask, type Workload } from '../server/simulation/workload.ts';

const { values } = parseArgs({
  options: { load: { type: 'string', default: '0.95' }, seed: { type: 'string', default: '1' } },
});
const MINUTE_MS = 60_000;
const END_MS = 48 * 60 * MINUTE_MS;
const NODES = 40;
const CPUS = 16;
const LARGE = { count: 144, cpus: CPUS, durationMs: 30 * MINUTE_MS };
const SMALL = { meanCpus: 2.5, meanMs: 10 * MINUTE_MS };

function workload(): Workload {
  const random = chance(Number(values.seed));
  const shapeOf = (cpus: number) =>
    makeShape({ runner: SIMULATED_RUNNER, resources: { cpu: cpus * 1_000 }, nodeSelector: {}, tolerations: [] });
  const shapes = [1, 2, 3, 4].map(shapeOf);
  const task = (key: string, shape: SimulatedTask['shape'], arrivesAt: number, durationMs: number): SimulatedTask => {
    return { key, shape, priority: 0, tenant: 'all', arrivesAt, durationMs, needs: [], deadlineAt: null };
  };
  const large = shapeOf(LARGE.cpus);
  const tasks = Array.from({ length: LARGE.count }, (_, at) =>
    task(`large-${at}`, large, Math.floor(((at + random()) / LARGE.count) * END_MS), LARGE.durationMs),
  );
  const work = Number(values.load) * NODES * CPUS * END_MS - LARGE.count * LARGE.cpus * LARGE.durationMs;
  const count = Math.round(work / (SMALL.meanCpus * SMALL.meanMs));
  for (let at = 0; at < count; at++) {
    const durationMs = Math.ceil(-Math.log(1 - random()) * SMALL.meanMs);
    const shape = shapes[Math.floor(random() * shapes.length)]!;
    tasks.push(task(`small-${at}`, shape, Math.floor(random() * END_MS), durationMs));
  }
  const nodes = Array.from({ length: NODES }, (_, at) => {
    const node = plainNode(`node-${String(at).padStart(2, '0')}`, { cpu: CPUS * 1_000 }, {}, SIMULATED_RUNNER);
    return { node, joinsAt: 0, leavesAt: null };
  });
  return { name: 'a stream of small tasks', nodes, tasks };
}

/** Waiting in minutes: the median, of 100 the 99th, and the longest. */
function waitingOf(waits: readonly number[]): string {
  const sorted = waits.toSorted((one, other) => one - other);
  const at = (share: number): string =>
    (sorted[Math.ceil(share * sorted.length) - 1]! / MINUTE_MS).toFixed(1).padStart(7);
  return `${at(0.5)} ${at(0.99)} ${at(1)}`;
}

function measure(plugin: SchedulerPlugin, reserveAfterMs: number | null): void {
  const checked = plugin.config.check({ reserveAfterMs });
  if (!checked.ok) throw new Error(`${plugin.name} refuses reserveAfterMs: ${reserveAfterMs}.`);
  const log = (message: string) => console.error(message);
  const scheduler = new SchedulerHost({
    plugin,
    config: checked.config,
    memory: null,
    seed: 1,
    clock: systemClock,
    log,
  });
  const { outcomes, samples } = simulate(workload(), new Placement({ scheduler, batch: 4_096 }));
  const waits = (kind: string) =>
    outcomes.filter(({ key }) => key.startsWith(kind)).map(({ readyAt, startedAt }) => startedAt! - readyAt!);
  // What comes after the last arrival is the pool emptying itself.
  const within = samples.filter(({ at }) => at > END_MS / 4 && at <= END_MS);
  const held = within.reduce((sum, { utilization }) => sum + (utilization['cpu'] ?? 0), 0) / within.length;
  const after = reserveAfterMs === null ? 'never' : `${reserveAfterMs / MINUTE_MS} min`;
  console.log(
    `${plugin.name.padStart(12)} ${after.padStart(7)}   ${waitingOf(waits('large'))}   ${waitingOf(waits('small'))}   ${(100 * held).toFixed(1).padStart(5)} %`,
  );
}

console.log(`${NODES} nodes, load ${values.load}. Waiting in minutes: median, 99 of 100, longest.`);
console.log('                held   large tasks               small tasks                CPU');
for (const plugin of [priority, fairShare, roundRobin, binPacking, spread] as unknown as readonly SchedulerPlugin[]) {
  for (const reserveAfterMs of [null, 5 * MINUTE_MS, MINUTE_MS]) measure(plugin, reserveAfterMs);
}
