// How do the schedulers compare? `npm run bench -- schedulers` puts all of them to the same work, each with its defaults:
//   workflows: makespan beside the known optimum, mean over the graphs of the Standard Task Graph Set on 4 processors,
//              and beside max(critical path, work / 8), worst of the recorded workflows, through the production placement;
//   packing:   GPUs of a production cluster in use when as many have been asked for as there are, and after 1.3 times;
//   fairness:  Jain's index of what three tenants hold of a full pool of which they want 10, 3 and 1 times all;
//   speed:     placements per second on 5,000 nodes is `npm run bench -- placement`.
// Options: --data FOLDER with stg, wfinstances and openb (default ../shared/data)
import { existsSync, readdirSync } from 'node:fs';
import { parseArgs } from 'node:util';
import type { PlacementInput, SchedulerPlugin } from '@gantry/plugin-kit/scheduler';
import { chance } from '@gantry/plugin-kit/testing';
import binPacking from '@gantry/scheduler-bin-packing';
import criticalPath from '@gantry/scheduler-critical-path';
import fairShare from '@gantry/scheduler-fair-share';
import priority from '@gantry/scheduler-priority';
import roundRobin from '@gantry/scheduler-round-robin';
import spread from '@gantry/scheduler-spread';
import { readStg } from './dag/read-stg.ts';
import { readWorkflow } from './dag/read-workflow.ts';
import { runGraph } from './dag/run-graph.ts';
import { criticalPathMs, workMs } from './dag/task-graph.ts';
import { fill } from './openb/fill.ts';
import { kindsOf } from './openb/fragmentation.ts';
import { readNodes, readPods } from './openb/read-openb.ts';

const { values } = parseArgs({ options: { data: { type: 'string', default: '../shared/data' } } });
const folders = ['stg', 'wfinstances', 'openb'].map((name) => `${values.data}/${name}`);
const missing = folders.filter((folder) => !existsSync(folder));
if (missing.length > 0) {
  console.error(
    `${missing.join(', ')}: not there. Give the folder that holds stg, wfinstances and openb with --data FOLDER.`,
  );
  process.exit(1);
}
const [stgFolder, workflowFolder, openbFolder] = folders as [string, string, string];
const schedulers = [roundRobin, spread, priority, fairShare, binPacking, criticalPath];
const stg = readStg(stgFolder);
const workflows = readdirSync(workflowFolder)
  .filter((file) => file.endsWith('.json'))
  .map((file) => readWorkflow(`${workflowFolder}/${file}`));
const nodes = readNodes(`${openbFolder}/openb_node_list_all_node.csv`);
const pods = readPods(`${openbFolder}/openb_pod_list_default.csv`);
const kinds = kindsOf(pods);

console.log('scheduler      STG mean  optimal  workflows worst  GPUs at 100 %  130 %  Jain');
for (const plugin of schedulers as unknown as readonly SchedulerPlugin[]) {
  const ratios = stg.map(({ graph, optimumMs }) => runGraph(graph, 4, plugin) / optimumMs.get(4)!);
  const mean = ratios.reduce((sum, ratio) => sum + ratio, 0) / ratios.length;
  const optimal = ratios.filter((ratio) => ratio <= 1 + 1e-9).length / ratios.length;
  const worst = Math.max(
    ...workflows.map((graph) => runGraph(graph, 8, plugin) / Math.max(criticalPathMs(graph), workMs(graph) / 8)),
  );
  const points = fill(nodes, pods, kinds, plugin, chance(1), 1);
  const taken = (asked: number): number => points.find((point) => point.asked >= asked - 1e-9)!.taken;
  const cells = [
    plugin.name.padEnd(13),
    mean.toFixed(4).padStart(9),
    `${(100 * optimal).toFixed(0)} %`.padStart(8),
    worst.toFixed(4).padStart(16),
    `${(100 * taken(1)).toFixed(1)} %`.padStart(14),
    `${(100 * taken(1.3)).toFixed(1)} %`.padStart(6),
    jain(plugin).toFixed(2).padStart(5),
  ];
  console.log(cells.join(' '));
}

/** Three tenants; the first wants the most and came first. 1 means that all hold as much as they should. */
function jain(plugin: SchedulerPlugin): number {
  const checked = plugin.config.check({});
  if (!checked.ok) throw new Error(`${plugin.name} refuses its own defaults.`);
  const slots = 300;
  const wants = [10 * slots, 3 * slots, slots];
  const input: PlacementInput = {
    config: checked.config,
    memory: null,
    seed: 1,
    now: 10_000,
    resources: ['slots'],
    nodes: Array.from({ length: 10 }, (_, at) => ({
      name: `n${at}`,
      labels: {},
      capacity: [slots / 10],
      free: [slots / 10],
    })),
    shapes: [{ needs: [1], feasible: Array.from({ length: 10 }, (_, at) => at) }],
    tasks: wants.flatMap((count, tenant) =>
      Array.from({ length: count }, (_, at) => ({
        key: `${tenant}.${at}`,
        shape: 0,
        priority: 0,
        readySince: tenant * 1_000 + at / 10,
        tenant: String(tenant),
      })),
    ),
    running: [],
    tenants: wants.map((_, tenant) => ({ name: String(tenant), used: [0] })),
  };
  const held = wants.map(() => 0);
  for (const decision of plugin.place(input).decisions) if ('node' in decision) held[Number(decision.task[0])]!++;
  const sum = held.reduce((total, each) => total + each, 0);
  return sum ** 2 / (held.length * held.reduce((total, each) => total + each ** 2, 0));
}
