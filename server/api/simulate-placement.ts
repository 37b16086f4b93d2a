import type { JsonObject } from '@gantry/plugin-kit/vocabulary';
import type { SchedulerChoice } from '../domain/pool.ts';
import type { PlacementRequest } from '../placement/queue.ts';
import { shapeIn } from '../placement/shape.ts';
import type { Utilization, WhatIf } from '../placement/what-if.ts';
import { builder } from './builder.ts';
import type { ApiContext } from './context.ts';
import { badInput, notFound } from './errors.ts';
import { Tier, UnblockingRef } from './placement.ts';
import { counted, MAX_SUPPOSED, supposedNodes, supposedTask } from './simulated-changes.ts';
import { ReasonRef } from './vocabulary.ts';

const SimulatedNodeInput = builder.inputType('SimulatedNodeInput', {
  description: 'A node that is supposed to be there, in the place of one with the same name.',
  fields: (t) => ({
    name: t.string({ description: 'What it is called; with `count`, numbers are put behind it.' }),
    count: t.int({ required: false, defaultValue: 1, description: 'How many of it.' }),
    like: t.string({ required: false, description: 'A node of the pool to take everything from that is left out.' }),
    labels: t.field({ type: 'JSON', required: false, description: 'Its labels: `{ zone: "a" }`.' }),
    capacity: t.field({
      type: 'JSON',
      required: false,
      description: 'What it has: `{ cpu: 8, memory: "32Gi", slots: 16 }`.',
    }),
    runners: t.stringList({ required: false, description: 'The runners that it has.' }),
  }),
});

const SimulatedTaskInput = builder.inputType('SimulatedTaskInput', {
  description: 'Task runs that are supposed to wait.',
  fields: (t) => ({
    task: t.field({
      type: 'JSON',
      description:
        'As a pipeline writes a task: runner, resources, nodeSelector, tolerations, placement. `with` is not looked at.',
    }),
    count: t.int({ required: false, defaultValue: 1, description: 'How many of it.' }),
    priority: t.int({ required: false, defaultValue: 0, description: 'Of their run; higher goes first.' }),
    tenant: t.string({ required: false, description: 'The pipeline that they are of; default: `simulated`.' }),
  }),
});

const SimulatePlacementInput = builder.inputType('SimulatePlacementInput', {
  description: 'What is supposed to be otherwise in a pool. What is left out is as it is.',
  fields: (t) => ({
    pool: t.string({ required: false, defaultValue: 'default', description: 'Which pool.' }),
    addNodes: t.field({ type: [SimulatedNodeInput], required: false, description: 'Nodes that are there.' }),
    removeNodes: t.stringList({
      required: false,
      description: 'Names of nodes that are not; what runs there goes on.',
    }),
    addTasks: t.field({ type: [SimulatedTaskInput], required: false, description: 'Task runs that wait, too.' }),
    scheduler: t.string({ required: false, description: 'Another scheduler.' }),
    config: t.field({ type: 'JSON', required: false, description: 'Another config of the scheduler.' }),
  }),
});

const SimulatedPlacementRef = builder
  .objectRef<{ readonly taskRun: string; readonly node: string }>('SimulatedPlacement')
  .implement({
    role: 'VIEWER',
    description: 'Where a task run would go.',
    fields: (t) => ({
      taskRunId: t.exposeID('taskRun', {
        description: 'The task run; one that was supposed is called `task-<n>.<m>`.',
      }),
      nodeName: t.exposeString('node', { description: 'The node.' }),
    }),
  });

const SimulatedPreemptionRef = builder.objectRef<WhatIf['preempted'][number]>('SimulatedPreemption').implement({
  role: 'VIEWER',
  description: 'A task run that would have to make room.',
  fields: (t) => ({
    taskRunId: t.exposeID('taskRun', { description: 'Which would be stopped, and queue again.' }),
    forTaskRunId: t.exposeID('by', { description: 'Which would be placed when it has ended.' }),
  }),
});

const SimulatedPendingRef = builder.objectRef<WhatIf['pending'][number]>('SimulatedPending').implement({
  role: 'VIEWER',
  description: 'A task run that would still wait, and why.',
  fields: (t) => ({
    taskRunId: t.exposeID('taskRun', { description: 'The task run.' }),
    tier: t.field({
      type: Tier,
      description: 'The layer that keeps it.',
      resolve: ({ explanation }) => explanation.tier,
    }),
    summary: t.field({ type: ReasonRef, description: 'Why.', resolve: ({ explanation }) => explanation.summary }),
    unblock: t.field({
      type: [UnblockingRef],
      description: 'What would help.',
      resolve: ({ explanation }) => [...explanation.unblock],
    }),
  }),
});

const UtilizationRef = builder.objectRef<Utilization>('Utilization').implement({
  role: 'VIEWER',
  description: 'How much of a resource is in use on the nodes that take work.',
  fields: (t) => ({
    resource: t.exposeString('resource', { description: 'Its name.' }),
    capacity: t.exposeFloat('capacity', { description: 'What there is. In the resource’s unit.' }),
    before: t.exposeFloat('before', { description: 'What is held, before anything is placed.' }),
    after: t.exposeFloat('after', { description: 'What would be held then.' }),
  }),
});

const MAX_LISTED = 1_000;

const SimulationRef = builder.objectRef<WhatIf>('PlacementSimulation').implement({
  role: 'VIEWER',
  description: 'What placement would come to, decided by the very code that decides in earnest.',
  fields: (t) => ({
    placedCount: t.int({ description: 'How many would be placed.', resolve: ({ placements }) => placements.length }),
    placements: t.field({
      type: [SimulatedPlacementRef],
      description: `Where the first ${MAX_LISTED} would go.`,
      resolve: ({ placements }) => placements.slice(0, MAX_LISTED),
    }),
    preemptions: t.field({
      type: [SimulatedPreemptionRef],
      description: 'Who would have to make room.',
      resolve: ({ preempted }) => preempted.slice(0, MAX_LISTED),
    }),
    pendingCount: t.exposeInt('pendingCount', { description: 'How many would still wait.' }),
    pending: t.field({
      type: [SimulatedPendingRef],
      description: 'Why the first 100 of them would, the most urgent first.',
      resolve: ({ pending }) => [...pending],
    }),
    utilization: t.field({
      type: [UtilizationRef],
      description: 'By resource.',
      resolve: ({ utilization }) => [...utilization],
    }),
  }),
});

type Input = typeof SimulatePlacementInput.$inferInput;

async function simulate(input: Input, { ports, loaders }: ApiContext): Promise<WhatIf> {
  const name = input.pool ?? 'default';
  const pool = await loaders.pools.load(name);
  if (pool === null) throw notFound(`There is no pool “${name.slice(0, 64)}”.`);
  const scheduler = input.scheduler ?? pool.scheduler;
  const config = input.config ?? (scheduler === pool.scheduler ? pool.schedulerConfig : {}) ?? {};
  const choice: SchedulerChoice = { scheduler, config: config as JsonObject };
  const [problem] = ports.schedulers.check(choice);
  if (problem) throw badInput(`${problem.message} ${problem.remedy ?? ''}`.trim());
  const nodes = (input.addNodes ?? []).flatMap((node) => {
    const { like = null } = node;
    const known = like === null ? null : ports.simulation.node(name, like);
    if (like !== null && known === null) throw badInput(`The pool has no node “${like.slice(0, 64)}”.`);
    return supposedNodes(node, name, known);
  });
  const requests = (input.addTasks ?? []).flatMap((each, index) => requestsOf(each, index, ports.clock.now()));
  counted(Math.max(1, nodes.length), 'number of nodes');
  counted(Math.max(1, requests.length), 'number of task runs');
  const outcome = ports.simulation.simulate(name, choice, { nodes, removedNodes: input.removeNodes ?? [], requests });
  if (outcome === null) throw badInput(`This server does not run the pool ${name}: ask the one that does.`);
  return outcome;
}

function requestsOf(
  { task: form, count, priority, tenant }: typeof SimulatedTaskInput.$inferInput,
  index: number,
  now: number,
): readonly PlacementRequest[] {
  const task = supposedTask(form, index);
  const total = counted(count ?? 1, `count of task ${index + 1}`);
  const scope = { run: 'simulated', pipeline: tenant ?? 'simulated', nearNodes: [], isFirstAttempt: true };
  const shape = shapeIn(task, scope);
  return Array.from({ length: total }, (_, at) => ({
    key: `task-${index + 1}.${at + 1}`,
    shape,
    priority: priority ?? 0,
    readySince: now,
    tenant: tenant ?? 'simulated',
    ...(shape.rules?.gang ? { gangSize: total } : {}),
  }));
}

builder.queryFields((t) => ({
  simulatePlacement: t.field({
    type: SimulationRef,
    role: 'VIEWER',
    args: { input: t.arg({ type: SimulatePlacementInput, description: 'What is supposed to be otherwise.' }) },
    description:
      'What placement would come to now, with nodes or task runs more or less, or another scheduler. ' +
      `Changes nothing. At most ${MAX_SUPPOSED} nodes and task runs.`,
    resolve: (_, { input }, context) => simulate(input, context),
  }),
}));
