// How long do recorded scientific workflows take under `critical-path`? `npm run bench -- workflows` runs the executions
// recorded by WfCommons (T. Coleman et al., 2022) in virtual time on 8 equal machines, through the production placement,
// with each scheduler, and compares the makespan with what no schedule can beat: max(critical path, work / machines). The
// last column compares it with a sharper bound, which shows how much of the rest is the bound's fault.
// Options: --workflows FOLDER (default ../shared/data/wfinstances) --machines 8 (4,8,16 for several)
import { existsSync, readdirSync } from 'node:fs';
import { parseArgs } from 'node:util';
import type { SchedulerPlugin } from '@gantry/plugin-kit/scheduler';
import criticalPath from '@gantry/scheduler-critical-path';
import roundRobin from '@gantry/scheduler-round-robin';
import { readWorkflow } from './dag/read-workflow.ts';
import { runGraph } from './dag/run-graph.ts';
import { criticalPathMs, lowerBoundMs, workMs } from './dag/task-graph.ts';

const { values } = parseArgs({
  options: {
    workflows: { type: 'string', default: '../shared/data/wfinstances' },
    machines: { type: 'string', default: '8' },
  },
});
if (!existsSync(values.workflows)) {
  console.error(
    `There is no folder ${values.workflows}. Give instances of WfCommons (WfFormat 1.5) with --workflows FOLDER.`,
  );
  process.exit(1);
}
const files = readdirSync(values.workflows)
  .filter((file) => file.endsWith('.json'))
  .sort();
const subjects: readonly (readonly [string, SchedulerPlugin, unknown])[] = [
  ['first come', roundRobin as unknown as SchedulerPlugin, {}],
  ['rank alone', criticalPath as unknown as SchedulerPlugin, { lookAhead: 0 }],
  ['critical-path', criticalPath as unknown as SchedulerPlugin, {}],
];
console.log('Makespan beside max(critical path, work / machines).\n');
console.log(
  ['workflow'.padEnd(40), 'tasks', 'machines', ...subjects.map(([name]) => name.padStart(13)), 'by sharper bound'].join(
    '  ',
  ),
);
let worst = 0;
for (const file of files) {
  const graph = readWorkflow(`${values.workflows}/${file}`);
  for (const machines of values.machines.split(',').map(Number)) {
    const bound = Math.max(criticalPathMs(graph), workMs(graph) / machines);
    const spans = subjects.map(([, plugin, config]) => runGraph(graph, machines, plugin, config));
    const sharper = spans.at(-1)! / lowerBoundMs(graph, machines);
    worst = Math.max(worst, spans.at(-1)! / bound);
    const cells = [file.padEnd(40), String(graph.tasks.length).padStart(5), String(machines).padStart(8)];
    console.log(
      [...cells, ...spans.map((span) => (span / bound).toFixed(4).padStart(13)), sharper.toFixed(4).padStart(16)].join(
        '  ',
      ),
    );
  }
}
console.log(`\nWorst of critical-path beside max(critical path, work / machines): ${worst.toFixed(4)}.`);
