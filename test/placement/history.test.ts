import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { JsonObject, SchedulerPlugin } from '@gantry/plugin-kit/scheduler';
import type { Node } from '../../server/domain/node.ts';
import { refusalsOf } from '../../server/placement/feasibility.ts';
import type { ShapeRules, TaskShape } from '../../server/placement/shape.ts';
import * as broken from '../support/broken-plugins/schedulers.ts';
import { aNode, aPlacement, aShape, BUILT_IN } from './cluster.ts';

const ruled = (rules: Partial<ShapeRules>) =>
  aShape(
    { slots: 1 },
    { rules: { require: [], prefer: [], exclusive: false, perNode: null, spread: null, gang: null, ...rules } },
  );
const SHAPES: readonly TaskShape[] = [
  aShape(),
  aShape({ slots: 2, cpu: 500 }),
  aShape({ slots: 1, cpu: 3_000 }),
  aShape({ slots: 1, gpu: 400 }),
  aShape({ slots: 1, gpu: 700 }),
  aShape({ slots: 1, gpu: 2_000 }),
  aShape({ slots: 1 }, { nodeSelector: { zone: 'a' } }),
  aShape({ slots: 3, cpu: 100 }, { tolerations: [{ key: 'team' }] }),
  ruled({ exclusive: true }),
  ruled({ perNode: { scope: 'limited', max: 2 } }),
  ruled({ spread: { scope: 'even', label: 'zone', required: true } }),
  ruled({ prefer: [{ label: 'zone', operator: 'IN', values: ['a'], weight: -50 }] }),
];
const NAMES = ['n1', 'n2', 'n3', 'n4', 'n5'];

const nodes = fc.record({
  name: fc.constantFrom(...NAMES),
  capacity: fc.record(
    {
      slots: fc.integer({ min: 0, max: 6 }),
      cpu: fc.integer({ min: 0, max: 4_000 }),
      gpu: fc.constantFrom(0, 500, 1_000, 2_000, 3_000),
    },
    { requiredKeys: ['slots'] },
  ),
  labels: fc.constantFrom<Readonly<Record<string, string>>>({}, { zone: 'a' }, { zone: 'b' }),
  taints: fc.constantFrom<Node['taints']>([], [{ key: 'team', value: 'red', effect: 'NO_SCHEDULE' }]),
  eligibility: fc.constantFrom<Node['eligibility']>('ELIGIBLE', 'ELIGIBLE', 'ELIGIBLE', 'CORDONED'),
  connection: fc.constantFrom<Node['connection']>('READY', 'READY', 'READY', 'LOST'),
});

const steps = fc.array(
  fc.oneof(
    {
      weight: 4,
      arbitrary: fc.record({
        do: fc.constant('add' as const),
        shape: fc.nat(SHAPES.length - 1),
        priority: fc.integer({ min: -2, max: 2 }),
      }),
    },
    { weight: 2, arbitrary: fc.record({ do: fc.constant('node' as const), node: nodes }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('remove' as const), name: fc.constantFrom(...NAMES) }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('withdraw' as const), at: fc.nat() }) },
    { weight: 3, arbitrary: fc.record({ do: fc.constant('release' as const), at: fc.nat() }) },
    { weight: 4, arbitrary: fc.constant({ do: 'place' as const }) },
  ),
  { maxLength: 80 },
);
type Steps = typeof steps extends fc.Arbitrary<infer Value> ? Value : never;

/** A scheduler with a config of its own; none when it does not take it. */
function configured(plugin: SchedulerPlugin, settings: JsonObject): readonly SchedulerPlugin[] {
  if (!plugin.config.check(settings).ok) return [];
  const config = { ...plugin.config, check: () => plugin.config.check(settings) };
  return [{ ...plugin, name: `${plugin.name} ${JSON.stringify(settings)}`, config }];
}

interface Live {
  readonly key: string;
  readonly shape: TaskShape;
  readonly node: string;
  readonly gpus: readonly number[];
}

/** Runs a history, keeping books of its own, and checks after every call what must hold. Returns every placement. */
function live(plugin: SchedulerPlugin, history: Steps): readonly string[] {
  const placement = aPlacement([], { plugin, batch: 4 });
  const there = new Map<string, Node>();
  const waiting = new Map<string, TaskShape>();
  const running: Live[] = [];
  const all: string[] = [];
  history.forEach((step, now) => {
    if (step.do === 'node') {
      const node = aNode(step.node.name, step.node);
      there.set(node.name, node);
      placement.nodeChanged(node);
    } else if (step.do === 'remove') {
      there.delete(step.name);
      placement.nodeRemoved(step.name);
    } else if (step.do === 'add') {
      const key = `r.${now}`;
      const shape = SHAPES[step.shape]!;
      waiting.set(key, shape);
      placement.add({ key, shape, priority: step.priority, readySince: now, tenant: 'work' });
    } else if (step.do === 'withdraw') {
      const key = [...waiting.keys()][step.at % Math.max(1, waiting.size)];
      if (key === undefined) return;
      waiting.delete(key);
      placement.withdraw(key);
    } else if (step.do === 'release') {
      const [ended] = running.splice(step.at % Math.max(1, running.length), 1);
      if (ended) placement.release(ended.shape, ended.node, 'work', ended.key, ended.gpus);
    } else {
      const { placements } = placement.place(now);
      for (const { taskRun, node, gpus } of placements) {
        const shape = waiting.get(taskRun);
        if (shape === undefined) throw new Error(`${taskRun} was placed, and did not wait.`);
        expect(refusalsOf(shape, there.get(node)!)).toEqual([]);
        waiting.delete(taskRun);
        running.push({ key: taskRun, shape, node, gpus });
        expectRulesKept(running, there.get(node)!);
        all.push(`${taskRun}>${node}`);
      }
      for (const node of new Set(placements.map((each) => each.node)))
        expectNotOverCommitted(there.get(node)!, running);
      // Everything that waits can be explained.
      for (const key of waiting.keys()) {
        const explained = placement.explain(key)!;
        expect(explained.summary.message).not.toBe('');
        expect(explained.nodes).toHaveLength(there.size);
        for (const { verdict, obstacles } of explained.nodes) expect(obstacles.length > 0).toBe(verdict !== 'FITS');
        // Once nothing more can be placed, nothing that waits fits anywhere.
        if (!placement.canPlace) for (const { verdict } of explained.nodes) expect(verdict).not.toBe('FITS');
      }
    }
    expect(placement.pendingCount).toBe(waiting.size);
  });
  let calls = 0;
  while (placement.canPlace) {
    placement.place(history.length);
    if (++calls > history.length + 1) throw new Error('Placement spins.');
  }
  return all;
}

function expectNotOverCommitted({ name, capacity }: Node, running: readonly Live[]): void {
  for (const resource of ['slots', 'cpu', 'gpu']) {
    const held = running
      .filter(({ node }) => node === name)
      .reduce((sum, { shape }) => sum + (shape.resources[resource] ?? 0), 0);
    const isShrunk = held > (capacity[resource] ?? 0);
    // A node may have shrunk below what it holds; but then nothing new that needs the resource goes there.
    if (isShrunk) {
      const latest = running.filter(({ node }) => node === name).at(-1)!;
      expect(latest.shape.resources[resource] ?? 0).toBe(0);
    }
  }
}

/** What was placed last keeps its rules, and those of what was there before. */
function expectRulesKept(running: readonly Live[], { name, capacity }: Node): void {
  const here = running.filter(({ node }) => node === name);
  const { shape, gpus } = here.at(-1)!;
  if (here.length > 1) expect(here.filter((each) => each.shape.rules?.exclusive)).toEqual([]);
  const { perNode } = shape.rules ?? {};
  if (perNode) expect(here.filter((each) => each.shape.rules?.perNode).length).toBeLessThanOrEqual(perNode.max);
  const need = shape.resources['gpu'] ?? 0;
  expect(gpus).toHaveLength(Math.ceil(need / 1_000));
  expect(new Set(gpus).size).toBe(gpus.length);
  for (const gpu of gpus) {
    const size = Math.min(1_000, (capacity['gpu'] ?? 0) - 1_000 * gpu);
    const held = here.filter((each) => each.gpus.includes(gpu));
    expect(held.reduce((sum, each) => sum + Math.min(1_000, each.shape.resources['gpu']!), 0)).toBeLessThanOrEqual(
      size,
    );
  }
}

const plugins = [
  ...BUILT_IN,
  // Every step is a millisecond.
  ...BUILT_IN.flatMap((plugin) => configured(plugin, { reserveAfterMs: 5, reservations: 2 })),
  ...BUILT_IN.flatMap((plugin) => configured(plugin, { reserveAfterMs: 5, preempt: true })),
  broken.overCommits,
  broken.throws,
  broken.ignoresFeasibility,
  broken.inventsNodes,
  broken.repeatsTasks,
];

describe.each(plugins)('any history with $name', (plugin) => {
  it('over-commits no node, places only where it may, explains what waits, and comes to rest', () => {
    fc.assert(
      fc.property(steps, (history) => {
        live(plugin, history);
      }),
      { numRuns: 150 },
    );
  });

  it('gives the same placements again', () => {
    fc.assert(
      fc.property(steps, (history) => {
        expect(live(plugin, history)).toEqual(live(plugin, history));
      }),
      { numRuns: 40 },
    );
  });
});
