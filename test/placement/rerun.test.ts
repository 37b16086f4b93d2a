import { describe, expect, it } from '@jest/globals';
import binPacking from '@gantry/scheduler-bin-packing';
import type { SchedulerPlugin } from '@gantry/plugin-kit/scheduler';
import { packCall, unpackCall } from '../../server/engine/decision-log.ts';
import { candidatesOf, rerun } from '../../server/placement/rerun.ts';
import { Placement } from '../../server/placement/placement.ts';
import { aHost, aNode, aPlacement, aScheduler, aShape, addTasks, BUILT_IN } from './cluster.ts';

const nodes = () => [
  aNode('large', { capacity: { slots: 8 } }),
  aNode('medium', { capacity: { slots: 4 } }),
  aNode('small', { capacity: { slots: 2 } }),
];

/** A call as the store gives it back. */
function decided(plugin: SchedulerPlugin) {
  const placement = aPlacement(nodes(), { plugin });
  addTasks(placement, aShape({ slots: 1 }), 'r.0', 'r.1', 'r.2');
  addTasks(placement, aShape({ slots: 2 }, { rules: PREFERRING }), 's.0');
  const { call } = placement.place(1_000);
  return unpackCall(packCall(call!));
}
const PREFERRING = {
  require: [],
  prefer: [{ label: 'node.name', operator: 'IN' as const, values: ['large'], weight: 10 }],
  exclusive: false,
  perNode: null,
  spread: null,
  gang: null,
};

describe('a decision that is made again', () => {
  it.each(BUILT_IN)('by $name is the same, from what the store holds', (plugin) => {
    const call = decided(plugin);
    expect(rerun((input) => plugin.place(input), call)).toEqual({
      isIdentical: true,
      differences: [],
      placedBefore: 4,
      placedNow: 4,
    });
  });

  it('by another scheduler tells what would have gone elsewhere', () => {
    const call = decided(BUILT_IN[0]!);
    const last = aScheduler(({ tasks, memory }) => ({
      decisions: tasks.slice(1).map(({ key }) => ({ task: key, node: 2 })),
      memory,
    }));
    const outcome = rerun((input) => last.place(input), call, {});
    expect(outcome).toMatchObject({ isIdentical: false, placedBefore: 4, placedNow: 3 });
    expect(outcome.differences).toContainEqual({ taskRun: 'r.0', before: expect.any(String), now: null });
  });

  it('names the best candidates, the chosen one first, and decides nothing else by that', () => {
    const plugin = binPacking as unknown as SchedulerPlugin;
    const call = decided(plugin);
    const candidates = candidatesOf((input) => plugin.place(input), call, 'r.0');
    expect(candidates.map(({ node }) => node)).toHaveLength(3);
    expect(candidates[0]!.score).toBeGreaterThanOrEqual(candidates[1]!.score);
    expect(
      plugin.place({ ...call.input, explain: 'r.0' }).decisions.map((decision) => 'node' in decision && decision.node),
    ).toEqual(plugin.place(call.input).decisions.map((decision) => 'node' in decision && decision.node));
    expect(candidatesOf((input) => plugin.place(input), call, 'unknown')).toEqual([]);
  });
});

describe('a shadow', () => {
  it('is asked the same, is compared, and decides nothing', () => {
    const seen: unknown[] = [];
    const first = aScheduler((input) => {
      seen.push(structuredClone(input.tasks));
      return { decisions: input.tasks.map(({ key }) => ({ task: key, node: 0 })), memory: null };
    });
    const other = aScheduler((input) => {
      seen.push(structuredClone(input.tasks));
      return { decisions: input.tasks.slice(1).map(({ key }, at) => ({ task: key, node: at })), memory: null };
    });
    const placement = new Placement({ scheduler: aHost(first), shadow: aHost(other), batch: 10 });
    for (const node of nodes()) placement.nodeChanged(node);
    addTasks(placement, aShape(), 'r.0', 'r.1', 'r.2');
    expect(placement.place(5).placements.map(({ node }) => node)).toEqual(['large', 'large', 'large']);
    expect(seen[0]).toEqual(seen[1]);
    expect(placement.shadowReport).toMatchObject({
      compared: 3,
      divergenceCount: 2,
      divergences: [
        { at: 5, taskRun: 'r.2', node: 'large', shadowNode: 'medium' },
        { at: 5, taskRun: 'r.0', node: 'large', shadowNode: null },
      ],
    });
  });

  it('that throws harms nobody', () => {
    const broken = aScheduler(() => {
      throw new Error('out of luck');
    });
    const placement = new Placement({ scheduler: aHost(BUILT_IN[0]!), shadow: aHost(broken), batch: 10 });
    for (const node of nodes()) placement.nodeChanged(node);
    addTasks(placement, aShape(), 'r.0');
    expect(placement.place(5).placements).toHaveLength(1);
    expect(placement.shadowReport).toMatchObject({ state: 'FAULTY', compared: 0 });
    expect(placement.schedulerStatus.state).toBe('HEALTHY');
  });
});
