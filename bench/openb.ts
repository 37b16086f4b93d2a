// How well is a GPU cluster used? `npm run bench -- openb` takes the machines and tasks of a production cluster
// (cluster-trace-gpu-v2023, “openb”: 1,523 nodes with 6,212 GPUs, 8,152 tasks) and, with each scheduler and each policy
// of bench/policies,
//   1. fills it: tasks drawn from the trace at random arrive until they ask for 1.3 times all GPUs; what does not fit is
//      turned away. How much of the GPUs is taken, and how much of what is free nobody could use;
//   2. replays it, with departures: the trace's tasks in their order, again and again, 64 of which wait at any time.
// Options: --openb FOLDER (default ../shared/data/openb) --seeds 3 --rounds 3 --only fill|replay
import { existsSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { chance } from '@gantry/plugin-kit/testing';
import type { SchedulerPlugin } from '@gantry/plugin-kit/scheduler';
import binPacking from '@gantry/scheduler-bin-packing';
import roundRobin from '@gantry/scheduler-round-robin';
import spread from '@gantry/scheduler-spread';
import { fill } from './openb/fill.ts';
import { kindsOf } from './openb/fragmentation.ts';
import { readNodes, readPods } from './openb/read-openb.ts';
import { replayTrace, type TraceReplay } from './openb/replay-trace.ts';
import bestFit from './policies/best-fit.ts';
import dotProduct from './policies/dot-product.ts';
import { fragmentationGradient } from './policies/fragmentation-gradient.ts';
import gpuClustering from './policies/gpu-clustering.ts';
import gpuPacking from './policies/gpu-packing.ts';
import random from './policies/random.ts';

const { values } = parseArgs({
  options: {
    openb: { type: 'string', default: '../shared/data/openb' },
    seeds: { type: 'string', default: '3' },
    rounds: { type: 'string', default: '3' },
    only: { type: 'string' },
  },
});
const nodesFile = `${values.openb}/openb_node_list_all_node.csv`;
const podsFile = `${values.openb}/openb_pod_list_default.csv`;
if (!existsSync(nodesFile) || !existsSync(podsFile)) {
  console.error(
    `${nodesFile} or ${podsFile} is missing. Give the folder of cluster-trace-gpu-v2023 with --openb FOLDER.`,
  );
  process.exit(1);
}
const nodes = readNodes(nodesFile);
const pods = readPods(podsFile);
const kinds = kindsOf(pods);
const plugins = [binPacking, spread, roundRobin] as unknown as readonly SchedulerPlugin[];
const subjects = [...plugins, bestFit, dotProduct, gpuPacking, gpuClustering, fragmentationGradient(kinds), random];
const seeds = Array.from({ length: Number(values.seeds) }, (_, at) => at + 1);
/** Each replay begins so many tasks further on in the trace. */
const SHIFT = 1_999;
const percent = (value: number): string => (100 * value).toFixed(2).padStart(6);
const meanOf = (amounts: readonly number[]): number => amounts.reduce((sum, each) => sum + each, 0) / amounts.length;

if (values.only !== 'replay') {
  console.log(
    `Filled, mean of ${seeds.length} random orders. GPUs taken in % when so much of them has been asked for, and`,
  );
  console.log('fragments: what is free and of no use to the tasks of the trace, in % of all GPUs.\n');
  console.log('scheduler            at 80 %   90 %  100 %  130 %  fragments at 100 %  130 %    time');
  for (const plugin of subjects) {
    const began = performance.now();
    const results = seeds.map((seed) => fill(nodes, pods, kinds, plugin, chance(seed), seed));
    const at = (asked: number, what: 'taken' | 'fragments'): string =>
      percent(meanOf(results.map((points) => points.find((point) => point.asked >= asked - 1e-9)![what])));
    const cells = [plugin.name.padEnd(20), at(0.8, 'taken'), at(0.9, 'taken'), at(1, 'taken'), at(1.3, 'taken')];
    const time = `${((performance.now() - began) / 1_000).toFixed(1)} s`;
    console.log([...cells, ' '.repeat(12), at(1, 'fragments'), at(1.3, 'fragments'), time.padStart(7)].join(' '));
  }
}
if (values.only !== 'fill') {
  console.log(
    `\nReplayed with departures, a backlog at any time, mean of ${seeds.length} beginnings: in % of all GPUs, and tasks begun.\n`,
  );
  console.log('scheduler             taken  fragments  per day    time');
  for (const plugin of subjects) {
    const began = performance.now();
    const results = seeds.map((seed) =>
      replayTrace(nodes, pods, kinds, plugin, Number(values.rounds), (seed - 1) * SHIFT),
    );
    const mean = (what: keyof TraceReplay): number => meanOf(results.map((each) => each[what]));
    const time = `${((performance.now() - began) / 1_000).toFixed(1)} s`;
    const cells = [
      plugin.name.padEnd(20),
      percent(mean('taken')),
      percent(mean('fragments')).padStart(10),
      mean('perDay').toFixed(0).padStart(8),
    ];
    console.log([...cells, time.padStart(7)].join(' '));
  }
}
