import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { SchedulerPlugin } from '@gantry/plugin-kit/scheduler';
import { Placement } from '../../server/placement/placement.ts';
import { openbNode, openbTask } from '../../server/simulation/openb.ts';
import { isOwnTrace, ownTraceOf, readOwnTrace } from '../../server/simulation/own-trace.ts';
import { recordedWorkload } from '../../server/simulation/recorded-runs.ts';
import { simulate } from '../../server/simulation/simulate.ts';
import { distributionOf, jain, summaryOf } from '../../server/simulation/summary.ts';
import { workloadFault } from '../../server/simulation/workload-fault.ts';
import { wfcommonsWorkload } from '../../server/simulation/wfcommons.ts';
import { plainNode, type SimulatedTask, type Workload } from '../../server/simulation/workload.ts';
import { aHost, aNode, aScheduler, aShape, BUILT_IN } from '../placement/cluster.ts';
import { anAttempt, aRun, aTaskRun } from '../store/rows.ts';
import { aDefinition, aTask } from '../support/builders.ts';

const aPlacement = (plugin: SchedulerPlugin = BUILT_IN[0]!) => new Placement({ scheduler: aHost(plugin), batch: 50 });
const node = (name: string, slots: number, joinsAt = 0, leavesAt: number | null = null) => ({
  node: plainNode(name, { slots }, {}, 'mock'),
  joinsAt,
  leavesAt,
});
const task = (key: string, overrides: Partial<SimulatedTask> = {}): SimulatedTask => ({
  key,
  shape: aShape(),
  priority: 0,
  tenant: 'work',
  arrivesAt: 0,
  durationMs: 10,
  needs: [],
  deadlineAt: null,
  ...overrides,
});
const run = (workload: Omit<Workload, 'name'>, plugin?: SchedulerPlugin) => {
  const whole = { name: 'test', ...workload };
  const simulation = simulate(whole, aPlacement(plugin));
  return { ...simulation, summary: summaryOf(whole, simulation) };
};

describe('a replay', () => {
  it('runs what waits as soon as there is room, and what needs others after these', () => {
    const tasks = [task('a'), task('b'), task('c', { arrivesAt: 5 }), task('d', { needs: [0], durationMs: 1 })];
    const { outcomes, summary } = run({ nodes: [node('n', 2)], tasks });
    expect(outcomes.map(({ readyAt, startedAt, endedAt }) => [readyAt, startedAt, endedAt])).toEqual([
      [0, 0, 10],
      [0, 0, 10],
      [5, 10, 20],
      [10, 10, 11],
    ]);
    expect(summary).toMatchObject({
      ended: 4,
      makespanMs: 20,
      wait: { p50: 0, max: 5, mean: 1.25 },
      utilization: { slots: (2 * 10 + 2 * 1 + 9) / 40 },
    });
  });

  it('lets nodes join and leave: what runs on one that leaves goes on', () => {
    const tasks = [task('a', { durationMs: 30 }), task('b', { arrivesAt: 15 })];
    const { outcomes } = run({ nodes: [node('old', 1, 0, 10), node('new', 1, 20)], tasks });
    expect(outcomes).toMatchObject([
      { node: 'old', endedAt: 30 },
      { node: 'new', startedAt: 20, endedAt: 30 },
    ]);
  });

  it('says why what never started waited, and counts what came too late', () => {
    const tasks = [task('a', { deadlineAt: 5 }), task('large', { shape: aShape({ slots: 9 }), deadlineAt: 1_000 })];
    const { pending, summary } = run({ nodes: [node('n', 2)], tasks });
    expect(pending).toEqual([{ key: 'large', message: expect.stringContaining('None of 1 node will do') }]);
    expect(summary).toMatchObject({ tasks: 2, ended: 1, deadlineMisses: 2 });
  });

  it('puts what is preempted back into the queue, with all of its work to do again', () => {
    const plugin: SchedulerPlugin = {
      ...aScheduler(({ tasks, running, memory }) => ({
        decisions: tasks.map(({ key, priority }) => {
          const victim = running.find((other) => other.priority < priority);
          return { task: key, node: 0, ...(victim ? { preempt: [victim.key] } : {}) };
        }),
        memory,
      })),
      wants: () => ['running', 'preempt'],
    };
    const tasks = [task('low', { durationMs: 10 }), task('high', { arrivesAt: 6, durationMs: 4, priority: 5 })];
    const { outcomes, summary } = run({ nodes: [node('n', 1)], tasks }, plugin);
    expect(outcomes).toMatchObject([
      { startedAt: 10, endedAt: 20, preemptions: 1 },
      { startedAt: 6, endedAt: 10 },
    ]);
    expect(summary.preemptions).toBe(1);
  });

  it.each(BUILT_IN)('with $name comes to the same each time, and nothing is lost or over-committed', (plugin) => {
    const anyTask = fc.record({
      slots: fc.integer({ min: 1, max: 3 }),
      arrivesAt: fc.integer({ min: 0, max: 30 }),
      durationMs: fc.integer({ min: 0, max: 20 }),
      need: fc.integer({ min: -10, max: 20 }),
    });
    fc.assert(
      fc.property(
        fc.array(anyTask, { maxLength: 25 }),
        fc.array(fc.integer({ min: 1, max: 4 }), { maxLength: 4 }),
        (given, sizes) => {
          const tasks = given.map(({ slots, arrivesAt, durationMs, need }, at) =>
            task(`t${at}`, {
              shape: aShape({ slots }),
              arrivesAt,
              durationMs,
              needs: need >= 0 && need < at ? [need] : [],
            }),
          );
          const workload = { nodes: sizes.map((slots, at) => node(`n${at}`, slots)), tasks };
          const first = run(workload, plugin);
          expect(run(workload, plugin).outcomes).toEqual(first.outcomes);
          first.outcomes.forEach((outcome, at) => {
            const { needs, shape, durationMs, arrivesAt } = tasks[at]!;
            if (outcome.startedAt === null) return;
            expect(outcome.endedAt! - outcome.startedAt).toBe(durationMs);
            expect(outcome.startedAt).toBeGreaterThanOrEqual(Math.max(arrivesAt, outcome.readyAt!));
            for (const need of needs) expect(first.outcomes[need]!.endedAt).toBeLessThanOrEqual(outcome.startedAt);
            const beside = first.outcomes.filter(
              (other, index) =>
                index !== at &&
                other.node === outcome.node &&
                other.startedAt! <= outcome.startedAt! &&
                other.endedAt! > outcome.startedAt!,
            );
            const held = beside.reduce(
              (sum, { key }) => sum + tasks[Number(key.slice(1))]!.shape.resources['slots']!,
              0,
            );
            if (durationMs > 0)
              expect(held + shape.resources['slots']!).toBeLessThanOrEqual(sizes[Number(outcome.node!.slice(1))]!);
          });
          const largest = Math.max(0, ...sizes);
          const isHopeless = (at: number): boolean =>
            tasks[at]!.shape.resources['slots']! > largest || tasks[at]!.needs.some(isHopeless);
          first.outcomes.forEach(({ endedAt }, at) => expect(endedAt === null).toBe(isHopeless(at)));
        },
      ),
      { numRuns: 60 },
    );
  });
});

describe('figures', () => {
  it('are nearest ranks, and Jain’s index', () => {
    const hundred = Array.from({ length: 100 }, (_, at) => 100 - at);
    expect(distributionOf(hundred)).toEqual({ mean: 50.5, p50: 50, p95: 95, p99: 99, max: 100 });
    expect(distributionOf([])).toEqual({ mean: 0, p50: 0, p95: 0, p99: 0, max: 0 });
    expect(jain([3, 3, 3])).toBe(1);
    expect(jain([1, 0, 0, 0])).toBe(0.25);
  });

  it('of fragmentation count what is free where no task like these has room', () => {
    const placement = aPlacement();
    placement.nodeChanged(aNode('a', { capacity: { slots: 3 } }));
    placement.nodeChanged(aNode('b', { capacity: { slots: 1 } }));
    const shapes = [
      { shape: aShape({ slots: 2 }), weight: 0.75 },
      { shape: aShape({ slots: 1 }), weight: 0.25 },
    ];
    expect(placement.fragmentation(shapes)).toEqual({ slots: 0.75 / 4 });
  });
});

describe('a trace', () => {
  const pod = {
    name: 'p-1',
    cpu_milli: '4000',
    memory_mib: '1024',
    num_gpu: '1',
    gpu_milli: '250',
    gpu_spec: 'V100|T4',
    qos: 'LS',
    creation_time: '10',
    deletion_time: '70',
    scheduled_time: '20',
  };

  it('of pods says what each asked for, of which models, and how long it ran', () => {
    const { shape, ...read } = openbTask(pod);
    expect(read).toMatchObject({ key: 'p-1', tenant: 'LS', arrivesAt: 10_000, durationMs: 50_000, needs: [] });
    expect(shape).toMatchObject({
      resources: { cpu: 4_000, memory: 2 ** 30, gpu: 250 },
      rules: { require: [{ label: 'gpu.model', operator: 'IN', values: ['V100', 'T4'] }] },
    });
    expect(openbTask({ ...pod, num_gpu: '8', gpu_milli: '1000', gpu_spec: '' }).shape).toMatchObject({
      resources: { gpu: 8_000 },
      rules: null,
    });
    expect(openbNode({ sn: 'n', cpu_milli: '96000', memory_mib: '2048', gpu: '2', model: 'T4' }).node).toMatchObject({
      capacity: { cpu: 96_000, memory: 2 ** 31, gpu: 2_000 },
      labels: { 'gpu.model': 'T4' },
    });
    expect(() => openbTask({ ...pod, cpu_milli: 'lots' })).toThrow('“lots” is no number from 0.');
    expect(() => openbTask({ ...pod, memory_mib: '' })).toThrow('“” is no number from 0.');
    expect(() => openbTask({ ...pod, creation_time: '-1' })).toThrow('“-1” is no number from 0.');
    expect(() => openbTask({ name: 'p' })).toThrow('The file has no such column.');
    expect(openbTask({ ...pod, deletion_time: '' }).durationMs).toBe(24 * 3_600_000);
  });

  it('of a workflow is its graph, with what each task took', () => {
    const recording = {
      name: 'flow',
      workflow: {
        specification: {
          tasks: [
            { id: 'b', parents: ['a'] },
            { id: 'a', parents: [] },
          ],
        },
        execution: {
          tasks: [
            { id: 'a', runtimeInSeconds: 1.5 },
            { id: 'b', runtimeInSeconds: 2 },
          ],
        },
      },
    };
    const workload = wfcommonsWorkload(recording, 3);
    expect(workload.nodes).toHaveLength(3);
    expect(workload.tasks).toMatchObject([
      { key: 'b', needs: [1], durationMs: 2_000 },
      { key: 'a', needs: [], durationMs: 1_500 },
    ]);
    expect(summaryOf(workload, simulate(workload, aPlacement())).makespanMs).toBe(3_500);
    recording.workflow.specification.tasks[0]!.parents = ['nobody'];
    expect(() => wfcommonsWorkload(recording, 1)).toThrow(
      'Task b has the parent nobody, which is no task of the workflow.',
    );
  });

  it('of a workflow whose task has no time on record is refused', () => {
    const tasks = [{ id: 'a', parents: [] }];
    const recording = { name: 'flow', workflow: { specification: { tasks }, execution: { tasks: [] } } };
    expect(() => wfcommonsWorkload(recording, 1)).toThrow('Task a has no runtimeInSeconds under execution.tasks.');
  });

  it.each([
    ['no node', [], [task('a')], 'There is no node in it.'],
    ['no task', [node('n', 1)], [], 'There is no task in it.'],
    ['two nodes of one name', [node('n', 1), node('n', 2)], [task('a')], 'Two nodes are called n'],
    ['two tasks of one name', [node('n', 1)], [task('a'), task('a')], 'Two tasks are called a'],
    ['a task that needs itself', [node('n', 1)], [task('a', { needs: [0] })], 'in a circle: a → a.'],
    [
      'a circle among others',
      [node('n', 1)],
      [
        task('head'),
        task('a', { needs: [0, 3] }),
        task('b', { needs: [1] }),
        task('c', { needs: [0, 2] }),
        task('d', { needs: [3] }),
      ],
      'in a circle: a → c → b → a.',
    ],
  ])('with %s is not done, and told why', (_, nodes, tasks, message) => {
    expect(workloadFault({ name: 'test', nodes, tasks })).toContain(message);
  });

  it('in which everything can be done has no fault', () => {
    const tasks = [task('b', { needs: [1] }), task('a'), task('c', { needs: [0, 1] })];
    expect(workloadFault({ name: 'test', nodes: [node('n', 1)], tasks })).toBeNull();
  });

  it('of our own says everything, and comes back as it was', () => {
    const rules = { require: [], prefer: [], exclusive: true, perNode: null, spread: null, gang: null };
    const workload = {
      name: 'mine',
      nodes: [node('n', 3, 5, 9)],
      tasks: [task('a', { shape: aShape({ slots: 2 }, { rules }), deadlineAt: 7 }), task('b', { needs: [0] })],
    };
    const written = JSON.parse(JSON.stringify(ownTraceOf(workload))) as Record<string, unknown>;
    expect(readOwnTrace(written)).toEqual(workload);
    expect(isOwnTrace(written)).toBe(true);
    expect(isOwnTrace({ name: 'flow', workflow: {} })).toBe(false);
    expect(() => readOwnTrace({ ...written, nodes: 'none' })).toThrow(/nodes/);
    (written['tasks'] as { needs: number[] }[])[1]!.needs = [9];
    expect(() => readOwnTrace(written)).toThrow('Task b needs task number 9, which is not there.');
  });

  it('of runs is what was executed, as often and as long, on the nodes of now', () => {
    const definition = aDefinition([aTask('a', { forEach: [1, 2] }), aTask('b', { needs: ['a'] })]);
    const took = (startedAt: number, finishedAt: number) => ({
      state: 'SUCCEEDED' as const,
      attempt: anAttempt({ state: 'SUCCEEDED', startedAt, finishedAt }),
    });
    const taskRuns = [
      aTaskRun(1, 0, { ...took(2_000, 2_100), mapIndex: 0 }),
      aTaskRun(1, 1, { taskKey: 'b', ...took(2_300, 2_301) }),
      aTaskRun(1, 2, { ...took(2_000, 2_250), mapIndex: 1 }),
    ];
    const later = { run: aRun(2, { createdAt: 1_501 }), definition, taskRuns: [aTaskRun(2, 0), aTaskRun(2, 1)] };
    const workload = recordedWorkload(
      'default',
      [{ run: aRun(1), definition, taskRuns }, later],
      [aNode('n', { connection: 'LOST' })],
    );
    expect(workload.tasks.map(({ durationMs, needs, arrivesAt }) => [durationMs, needs, arrivesAt])).toEqual([
      [100, [], 0],
      [1, [0, 2], 0],
      [250, [], 0],
    ]);
    expect(summaryOf(workload, simulate(workload, aPlacement())).makespanMs).toBe(251);
  });
});
