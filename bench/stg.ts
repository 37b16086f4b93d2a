// How near to the optimum is `critical-path`? `npm run bench -- stg` runs the 180 graphs of 50 tasks of the Standard Task
// Graph Set (T. Tobita, H. Kasahara, 2002) on 2, 4, 8 and 16 processors in virtual time, through the production
// placement, with each scheduler, and compares the makespans with the published optima.
// Options: --stg FOLDER (default ../shared/data/stg) --look-ahead 60
import { existsSync } from 'node:fs';
import { parseArgs } from 'node:util';
import type { SchedulerPlugin } from '@gantry/plugin-kit/scheduler';
import criticalPath from '@gantry/scheduler-critical-path';
import roundRobin from '@gantry/scheduler-round-robin';
import { readStg } from './dag/read-stg.ts';
import { runGraph } from './dag/run-graph.ts';

const { values } = parseArgs({
  options: { stg: { type: 'string', default: '../shared/data/stg' }, 'look-ahead': { type: 'string', default: '60' } },
});
if (!existsSync(values.stg)) {
  console.error(`There is no folder ${values.stg}. Give the Standard Task Graph Set with --stg FOLDER.`);
  process.exit(1);
}
const cases = readStg(values.stg);
const subjects: readonly (readonly [string, SchedulerPlugin, unknown])[] = [
  ['first come, first served', roundRobin as unknown as SchedulerPlugin, {}],
  ['critical-path, rank alone', criticalPath as unknown as SchedulerPlugin, { lookAhead: 0 }],
  ['critical-path', criticalPath as unknown as SchedulerPlugin, { lookAhead: Number(values['look-ahead']) }],
];
console.log(`${cases.length} graphs. Makespan beside the optimum: mean, worst, share of optimal ones; time per run.\n`);
console.log(['scheduler'.padEnd(26), 'processors', '   mean', '  worst', 'optimal', '     time'].join('  '));
for (const [name, plugin, config] of subjects) {
  const all: number[] = [];
  const began = performance.now();
  for (const processors of [2, 4, 8, 16]) {
    const before = performance.now();
    const ratios = cases.map(
      ({ graph, optimumMs }) => runGraph(graph, processors, plugin, config) / optimumMs.get(processors)!,
    );
    print(name, String(processors), ratios, performance.now() - before);
    all.push(...ratios);
  }
  print(name, 'all', all, performance.now() - began);
}

function print(name: string, processors: string, ratios: readonly number[], tookMs: number): void {
  const mean = ratios.reduce((sum, ratio) => sum + ratio, 0) / ratios.length;
  const optimal = ratios.filter((ratio) => ratio <= 1 + 1e-9).length / ratios.length;
  const cells = [
    name.padEnd(26),
    processors.padStart(10),
    mean.toFixed(4).padStart(7),
    Math.max(...ratios)
      .toFixed(3)
      .padStart(7),
    `${(100 * optimal).toFixed(1)} %`.padStart(7),
    `${(tookMs / ratios.length).toFixed(1)} ms`.padStart(9),
  ];
  console.log(cells.join('  '));
}
