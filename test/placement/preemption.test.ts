import { describe, expect, it } from '@jest/globals';
import priority from '@gantry/scheduler-priority';
import type { SchedulerPlugin } from '@gantry/plugin-kit/scheduler';
import type { RunningFacts } from '../../server/placement/placement.ts';
import { aNode, aPlacement, aScheduler, aShape, addTasks, placed } from './cluster.ts';

const PREEMPTING = {
  ...(priority as unknown as SchedulerPlugin),
  config: { ...priority.config, check: () => ({ ok: true, config: { agingMs: null, preempt: true } }) },
} as SchedulerPlugin;

const shape = aShape();

/** A node that is full with several of no priority. */
function shared(count: number) {
  const placement = aPlacement([aNode('a', { capacity: { slots: count } })], { plugin: PREEMPTING });
  placement.running = () => running;
  let running: readonly RunningFacts[] = Array.from({ length: count }, (_, at) => {
    placement.reserve(shape, 'a');
    return { key: `low.${at}`, node: 'a', shape, priority: 0, startedAt: at, readySince: at, gpus: [] };
  });
  const ended = (key: string) => {
    running = running.filter((each) => each.key !== key);
    placement.release(shape, 'a', '', key);
  };
  const urgent = (key: string) => placement.add({ key, shape, priority: 9, readySince: 5, tenant: 'work' });
  return { placement, ended, urgent };
}

/** A full node, or more, on which work of no priority runs. */
function full(names: readonly string[], plugin = PREEMPTING) {
  const placement = aPlacement(
    names.map((name) => aNode(name, { capacity: { slots: 1 } })),
    { plugin },
  );
  let running: readonly RunningFacts[] = names.map((node, at) => ({
    key: `low.${node}`,
    node,
    shape,
    priority: 0,
    startedAt: at,
    readySince: at,
    gpus: [],
  }));
  for (const name of names) placement.reserve(shape, name);
  placement.running = () => running;
  const ended = (node: string) => {
    running = running.filter((each) => each.node !== node);
    placement.release(shape, node, '', `low.${node}`);
  };
  const urgent = (key: string) => placement.add({ key, shape, priority: 9, readySince: 5, tenant: 'work' });
  return { placement, ended, urgent };
}

describe('making room', () => {
  it('is tried for a task that fits nowhere, which is placed when its victim has ended', () => {
    const { placement, ended, urgent } = full(['a']);
    urgent('r.0');
    expect(placement.place(10)).toMatchObject({ placements: [], preempted: [{ taskRun: 'low.a', by: 'r.0' }] });
    ended('a');
    expect(placed(placement)).toEqual(['r.0>a']);
  });

  it('ends nobody twice: who comes later takes another victim, or waits', () => {
    const { placement, urgent } = full(['a', 'b']);
    urgent('r.0');
    expect(placement.place(10).preempted).toEqual([{ taskRun: 'low.b', by: 'r.0' }]);
    urgent('r.1');
    expect(placement.place(11).preempted).toEqual([{ taskRun: 'low.a', by: 'r.1' }]);
    urgent('r.2');
    expect(placement.place(12)).toMatchObject({ placements: [], preempted: [], refusals: [] });
  });

  it('is made for as many at once as there are victims on a node, also while others are still ending', () => {
    const { placement, ended, urgent } = shared(3);
    urgent('r.0');
    urgent('r.1');
    expect(placement.place(10)).toMatchObject({
      preempted: [
        { taskRun: 'low.2', by: 'r.0' },
        { taskRun: 'low.1', by: 'r.1' },
      ],
      refusals: [],
    });
    urgent('r.2');
    expect(placement.place(11)).toMatchObject({ preempted: [{ taskRun: 'low.0', by: 'r.2' }], refusals: [] });
    urgent('r.3');
    expect(placement.place(12)).toMatchObject({ placements: [], preempted: [], refusals: [] });
    for (const key of ['low.1', 'low.0', 'low.2']) ended(key);
    expect([...placed(placement)].sort()).toEqual(['r.0>a', 'r.1>a', 'r.2>a']);
  });

  it('ends nobody for a task that has room enough in what others leave', () => {
    const large = aShape({ slots: 2 });
    const placement = aPlacement([aNode('a', { capacity: { slots: 2 } }), aNode('b', { capacity: { slots: 1 } })], {
      plugin: PREEMPTING,
    });
    const low = { priority: 0, readySince: 0, gpus: [] };
    placement.running = () => [
      { ...low, key: 'low.a', node: 'a', shape: large, startedAt: 1 },
      { ...low, key: 'low.b', node: 'b', shape, startedAt: 0 },
    ];
    placement.reserve(large, 'a');
    placement.reserve(shape, 'b');
    for (const key of ['r.0', 'r.1', 'r.2']) {
      placement.add({ key, shape, priority: 9, readySince: 5, tenant: 'work' });
    }
    expect(placement.place(10).preempted).toEqual([
      { taskRun: 'low.a', by: 'r.0' },
      { taskRun: 'low.b', by: 'r.2' },
    ]);
  });

  it('is tried when a more urgent task joins others for which there is no room', () => {
    const { placement, urgent } = full(['a']);
    addTasks(placement, shape, 'r.0');
    expect(placement.place(10).preempted).toEqual([]);
    expect(placement.canPlace).toBe(false);
    urgent('r.1');
    expect(placement.place(11).preempted).toEqual([{ taskRun: 'low.a', by: 'r.1' }]);
  });

  it('is not tried by a scheduler that does not ask for it', () => {
    let calls = 0;
    const plugin = aScheduler(() => {
      calls++;
      return { decisions: [], memory: null };
    });
    const { placement, urgent } = full(['a'], plugin);
    urgent('r.0');
    placement.place(10);
    expect(calls).toBe(0);
  });
});
