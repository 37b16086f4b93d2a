import type { Command, Context } from '../command.ts';
import { EXIT_CODES } from '../exit-code.ts';
import { jsonOption } from '../json-option.ts';
import { oneLine } from '../terminal-text.ts';

interface Simulation {
  readonly placedCount: number;
  readonly placements: readonly { readonly taskRunId: string; readonly nodeName: string }[];
  readonly preemptions: readonly { readonly taskRunId: string; readonly forTaskRunId: string }[];
  readonly pendingCount: number;
  readonly pending: readonly Waiting[];
  readonly utilization: readonly UtilizationView[];
}
interface Waiting {
  readonly taskRunId: string;
  readonly tier: string;
  readonly summary: { readonly message: string };
  readonly unblock: readonly { readonly message: string }[];
}
interface UtilizationView {
  readonly resource: string;
  readonly capacity: number;
  readonly before: number;
  readonly after: number;
}

export const simulate: Command = {
  name: 'simulate',
  summary: 'Tells what placement would come to with nodes, task runs or the scheduler otherwise; changes nothing.',
  details:
    'Begins from what a pool is at this moment and lets the very code decide that decides in earnest. A node may be ' +
    '`like` one that there is. A task is written as in a pipeline, but for `key` and `with`.',
  options: [
    { flags: '--pool <name>', summary: 'Which pool.', default: 'default' },
    { flags: '--scheduler <name>', summary: 'Another scheduler.' },
    { flags: '--scheduler-config <json>', summary: 'Another config of the scheduler.' },
    { flags: '--add-node <json>', summary: '{ name, count, like, labels, capacity, runners }.', isRepeatable: true },
    { flags: '--remove-node <name>', summary: 'A node that is gone.', isRepeatable: true },
    { flags: '--add-tasks <json>', summary: '{ task, count, priority, tenant }.', isRepeatable: true },
  ],
  examples: [
    {
      command: `gantry simulate --add-tasks '{"task":{"runner":"shell","resources":{"cpu":1}},"count":20}'`,
      meaning: 'where twenty more would go',
    },
    {
      command: `gantry simulate --add-node '{"name":"new","like":"local","count":3}'`,
      meaning: 'with three nodes more',
    },
    {
      command: 'gantry simulate --remove-node local --scheduler spread',
      meaning: 'without a node, by another scheduler',
    },
  ],
  async run({ options, context }) {
    const scheduler = options.text('scheduler');
    const config = options.text('schedulerConfig');
    const input = {
      pool: options.text('pool'),
      ...(scheduler === undefined ? {} : { scheduler }),
      ...(config === undefined ? {} : { config: jsonOption('scheduler-config', config) }),
      addNodes: options.texts('addNode').map((text) => jsonOption('add-node', text)),
      removeNodes: options.texts('removeNode'),
      addTasks: options.texts('addTasks').map((text) => jsonOption('add-tasks', text)),
    };
    type Data = { readonly simulatePlacement: Simulation };
    const { simulatePlacement } = await context.connect().ask<Data>('simulate-placement', { input });
    context.output.result(simulatePlacement, () => lines(simulatePlacement, context));
    return EXIT_CODES.SUCCEEDED.code;
  },
};

function lines(simulation: Simulation, { output }: Context): readonly string[] {
  const { placedCount, placements, preemptions, pendingCount, pending, utilization } = simulation;
  const perNode = new Map<string, number>();
  for (const { nodeName } of placements) perNode.set(nodeName, (perNode.get(nodeName) ?? 0) + 1);
  const stopped = preemptions.length === 0 ? '' : `, ${preemptions.length} would have to make room`;
  return [
    `${placedCount} would be placed${stopped}, ${pendingCount} would wait.`,
    ...(perNode.size === 0
      ? []
      : [
          '',
          ...output.table(
            [
              { heading: 'node', value: ([name]: [string, number]) => name },
              { heading: 'placed', value: ([, count]: [string, number]) => count, alignsRight: true },
            ],
            [...perNode],
            '',
          ),
        ]),
    '',
    ...output.table<UtilizationView>(
      [
        { heading: 'resource', value: ({ resource }) => resource },
        { heading: 'in use', value: ({ before, capacity }) => percent(before, capacity), alignsRight: true },
        { heading: 'then', value: ({ after, capacity }) => percent(after, capacity), alignsRight: true },
      ],
      utilization,
      'No nodes.',
    ),
    ...pending
      .slice(0, 10)
      .flatMap(({ taskRunId, summary, unblock }) => [
        '',
        `${oneLine(taskRunId)} would wait: ${oneLine(summary.message)}`,
        ...unblock.slice(0, 3).map(({ message }) => `- ${oneLine(message)}`),
      ]),
  ];
}

const percent = (part: number, whole: number): string => (whole === 0 ? '–' : `${Math.round((100 * part) / whole)} %`);
