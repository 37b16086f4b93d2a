import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { NodeView, PendingTask, PlacementInput, UpcomingTask } from '@gantry/plugin-kit/scheduler';
import { chance, randomInput } from '@gantry/plugin-kit/testing';
import type { Config } from '../src/config.ts';
import plugin from '../src/index.ts';

const NOW = 1_000_000;

function task(key: string, some: Partial<PendingTask> = {}): PendingTask {
  return { key, shape: 0, priority: 0, readySince: NOW, tenant: 't', ...some };
}

function call(
  nodes: readonly NodeView[],
  tasks: readonly PendingTask[],
  some: Partial<PlacementInput<Config>> = {},
): PlacementInput<Config> {
  return {
    config: { lookAhead: 60, patienceMs: null, speedLabel: null },
    memory: null,
    seed: 1,
    now: NOW,
    resources: ['slots'],
    nodes,
    shapes: [{ needs: [1], feasible: nodes.map((_, at) => at) }],
    tasks,
    running: [],
    tenants: [],
    ...some,
  };
}

const node = (name: string, free = 1, labels: Readonly<Record<string, string>> = {}): NodeView => ({
  name,
  labels,
  capacity: [4],
  free: [free],
});

/** What is placed, and where, in the order of the decisions. */
function place(input: PlacementInput<Config>): readonly string[] {
  return plugin
    .place({ ...input, memory: null })
    .decisions.map((each) => `${each.task}@${'node' in each ? input.nodes[each.node]!.name : '-'}`);
}

describe('critical-path', () => {
  it('places first what most work waits for', () => {
    const tasks = [task('short', { rankMs: 10 }), task('long', { rankMs: 90 }), task('middle', { rankMs: 50 })];
    expect(place(call([node('a', 2)], tasks))).toEqual(['long@a', 'middle@a']);
  });

  it('lets priority rule over rank, and who waits longer go first among equals', () => {
    const tasks = [
      task('long', { rankMs: 90 }),
      task('urgent', { rankMs: 1, priority: 1 }),
      task('waits', { rankMs: 90, readySince: 5 }),
    ];
    expect(place(call([node('a', 3)], tasks))).toEqual(['urgent@a', 'waits@a', 'long@a']);
  });

  it('lets who has lost patience go before all others, longest waiting first', () => {
    const tasks = [
      task('long', { rankMs: 90, priority: 5 }),
      task('old', { rankMs: 1, readySince: 2 }),
      task('older', { rankMs: 1, readySince: 1 }),
    ];
    const config = { lookAhead: 60, patienceMs: NOW - 10, speedLabel: null };
    expect(place(call([node('a', 2)], tasks, { config }))).toEqual(['older@a', 'old@a']);
  });

  it('sends a task where it ends first, to the fullest node of those', () => {
    const nodes = [node('a', 4, { speed: '1' }), node('b', 4, { speed: '2.5' }), node('c', 1, { speed: '2.5' })];
    const config = { lookAhead: 0, patienceMs: null, speedLabel: 'speed' };
    const tasks = [task('t1', { rankMs: 2 }), task('t2', { rankMs: 1 })];
    expect(place(call(nodes, tasks, { config }))).toEqual(['t1@c', 't2@b']);
  });

  it('takes a node for speed 1 whose label says nothing that makes sense', () => {
    const nodes = [node('a', 4, { speed: 'fast' }), node('b', 1, { speed: '-3' }), node('c', 4, { speed: '0.5' })];
    const config = { lookAhead: 0, patienceMs: null, speedLabel: 'speed' };
    expect(place(call(nodes, [task('t')], { config }))).toEqual(['t@b']);
  });

  it('plans with what is to come where the rank alone is wrong', () => {
    // Two slots; x and y take 2, z takes 1, and three that take 1 wait for z: all have rank 2. Beginning with x and y it
    // takes 5 in all, beginning with z and one of them 4.
    const tasks = [
      task('x', { rankMs: 2, durationMs: 2 }),
      task('y', { rankMs: 2, durationMs: 2 }),
      task('z', { rankMs: 2, durationMs: 1 }),
    ];
    const upcoming = ['u', 'v', 'w'].map((key): UpcomingTask => ({
      key,
      shape: 0,
      priority: 0,
      after: ['z'],
      durationMs: 1,
      rankMs: 1,
    }));
    expect(place(call([node('a', 2)], tasks)).toSorted()).toEqual(['x@a', 'y@a']);
    expect(place(call([node('a', 2)], tasks, { upcoming }))).toContain('z@a');
  });

  it('plans with when what runs will end', () => {
    // One slot is free now and one in 100 ms: the long task begins now, the short one then.
    const running = [{ key: 'r', node: 0, needs: [1], priority: 0, startedAt: NOW, durationMs: 100 }];
    const tasks = [task('short', { rankMs: 20, durationMs: 20 }), task('long', { rankMs: 20, durationMs: 200 })];
    expect(place(call([node('a', 1)], tasks, { running }))).toEqual(['long@a']);
  });

  it('leaves no room idle on purpose, over-commits nothing and decides the same again, whatever is to come', () => {
    fc.assert(
      fc.property(fc.nat(), (seed) => {
        const input = withFuture(seed);
        const { decisions } = plugin.place({ ...input, memory: null });
        const free = input.nodes.map((each) => [...each.free]);
        const placed = new Set(decisions.map(({ task: key }) => key));
        for (const decision of decisions) {
          if (!('node' in decision)) throw new Error('It holds nothing.');
          const { shape } = input.tasks.find(({ key }) => key === decision.task)!;
          input.shapes[shape]!.needs.forEach((need, column) => (free[decision.node]![column]! -= need));
          expect(Math.min(...free[decision.node]!)).toBeGreaterThanOrEqual(0);
        }
        for (const { key, shape } of input.tasks) {
          if (placed.has(key)) continue;
          const { needs, feasible } = input.shapes[shape]!;
          for (const each of feasible) {
            expect(needs.every((need, column) => need === 0 || need <= free[each]![column]!)).toBe(false);
          }
        }
        expect(plugin.place({ ...structuredClone(input), memory: null }).decisions).toEqual(decisions);
      }),
      { numRuns: 150 },
    );
  });

  it('survives what should not be: tasks that wait for themselves, in a circle, or for nobody', () => {
    const upcoming: readonly UpcomingTask[] = [
      { key: 'u', shape: 0, priority: 0, after: ['u', 'v', 'nobody'], durationMs: 3 },
      { key: 'v', shape: 0, priority: 0, after: ['u', 't1'], durationMs: null },
    ];
    const tasks = [task('t1', { durationMs: 1 }), task('t2', { durationMs: 2 })];
    expect(place(call([node('a', 1)], tasks, { upcoming }))).toHaveLength(1);
    const shrunk = [{ name: 'a', labels: {}, capacity: [1], free: [-1] }, node('b', 1)];
    const running = [{ key: 'r', node: 0, needs: [2], priority: 0, startedAt: 0 }];
    expect(place(call(shrunk, tasks, { upcoming, running }))).toHaveLength(1);
  });

  it('asks for what it plans with, and for less when it does not plan', () => {
    const { wants } = plugin;
    expect(wants?.({ lookAhead: 60, patienceMs: null, speedLabel: null })).toEqual(['forecast', 'running', 'upcoming']);
    expect(wants?.({ lookAhead: 0, patienceMs: null, speedLabel: null })).toEqual(['forecast']);
  });
});

/** A random cluster with running attempts, durations, and a layered graph of what is to come. */
function withFuture(seed: number): PlacementInput<Config> {
  const input = randomInput(seed, { lookAhead: 8, patienceMs: 500_000, speedLabel: null } as Config);
  const random = chance(seed);
  const duration = (): number | null => (random() < 0.2 ? null : Math.ceil(random() * 100_000));
  const tasks = input.tasks.map((each) => ({ ...each, durationMs: duration() }));
  const keys = tasks.map(({ key }) => key);
  const upcoming = Array.from({ length: Math.floor(random() * 40) }, (_, at): UpcomingTask => {
    const after = keys.filter(() => random() < 0.1);
    keys.push(`upcoming.${at}`);
    const shape = Math.floor(random() * input.shapes.length);
    return { key: `upcoming.${at}`, shape, priority: 0, after, durationMs: duration() };
  });
  const running = input.nodes.map(({ capacity, free }, at) => ({
    key: `running.${at}`,
    node: at,
    needs: capacity.map((amount, column) => amount - free[column]!),
    priority: 0,
    startedAt: input.now - Math.floor(random() * 50_000),
    durationMs: duration(),
  }));
  return { ...input, tasks, upcoming, running };
}
