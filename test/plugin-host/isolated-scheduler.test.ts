import { describe, expect, it } from '@jest/globals';
import type { PlacementInput, SchedulerPlugin } from '@gantry/plugin-kit/scheduler';
import { isolated } from '../../server/plugin-host/isolated-scheduler.ts';
import { aNode, aPlacement, aShape, addTasks } from '../placement/cluster.ts';
import hangs from '../support/broken-plugins/hangs.ts';

const url = new URL('../support/broken-plugins/hangs.ts', import.meta.url).href;
const plugin = isolated(hangs as unknown as SchedulerPlugin, url, 300);
const input = (...keys: string[]): PlacementInput => ({
  config: {},
  memory: null,
  seed: 1,
  now: 0,
  resources: ['slots'],
  nodes: [{ name: 'a', labels: {}, capacity: [9], free: [9] }],
  shapes: [{ needs: [1], feasible: Uint32Array.of(0) }],
  tasks: keys.map((key) => ({ key, shape: 0, priority: 0, readySince: 0, tenant: 'work' })),
  running: [],
  tenants: [],
});

describe('a scheduler in a thread of its own', () => {
  it('answers as it does at home', () => {
    expect(plugin.place(input('r.0', 'r.1'))).toEqual(hangs.place(input('r.0', 'r.1') as never));
  });

  it('is given up when it hangs, and begins anew with the next call', () => {
    expect(() => plugin.place(input('hang'))).toThrow(/did not answer within 300 ms, and its thread was ended/);
    expect(plugin.place(input('r.0')).decisions).toHaveLength(1);
  });

  it('may throw, or end its thread, and harms nobody', () => {
    expect(() => plugin.place(input('throw'))).toThrow('out of luck');
    expect(plugin.place(input('r.0')).decisions).toHaveLength(1);
    expect(() => plugin.place(input('exit'))).toThrow(/did not answer/);
    expect(plugin.place(input('r.0')).decisions).toHaveLength(1);
  });

  it('leaves it to the fallback to place what it hangs on', () => {
    let now = 0;
    const placement = aPlacement([aNode('a')], { plugin, monotonic: () => (now += 400) });
    addTasks(placement, aShape(), 'hang');
    expect(placement.place(0).placements).toEqual([{ taskRun: 'hang', node: 'a', gpus: [] }]);
    expect(placement.schedulerStatus).toMatchObject({
      state: 'FAULTY',
      lastFault: expect.stringMatching(/hangs threw: it did not answer/),
    });
  });
});
