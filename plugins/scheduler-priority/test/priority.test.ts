import { describe, expect, it } from '@jest/globals';
import type { NodeView, PendingTask, PlacementInput } from '@gantry/plugin-kit/scheduler';
import type { ReserveSettings } from '@gantry/plugin-kit/reserve-settings';
import plugin from '../src/index.ts';

const NO_HOLDS: ReserveSettings = { reserveAfterMs: null, reservations: 1 };
const MINUTE_MS = 60_000;

function task(key: string, priority: number, readySince: number): PendingTask {
  return { key, shape: 0, priority, readySince, tenant: 't' };
}

function order(tasks: readonly PendingTask[], agingMs: number | null, slots = tasks.length): readonly string[] {
  const input: PlacementInput<{ agingMs: number | null; preempt: boolean } & ReserveSettings> = {
    config: { agingMs, preempt: false, ...NO_HOLDS },
    memory: null,
    seed: 0,
    now: 100 * MINUTE_MS,
    resources: ['slots'],
    nodes: [{ name: 'a', labels: {}, capacity: [100], free: [slots] }],
    shapes: [{ needs: [1], feasible: [0] }],
    tasks: tasks.toSorted((one, other) => one.readySince - other.readySince),
    running: [],
    tenants: [],
  };
  return plugin.place(input).decisions.map(({ task: key }) => key);
}

describe('priority', () => {
  it('takes the highest priority first, then the longest waiting', () => {
    const tasks = [task('old', 0, 1), task('urgent', 5, 3), task('older', 0, 0), task('urgent too', 5, 2)];
    expect(order(tasks, null)).toEqual(['urgent too', 'urgent', 'older', 'old']);
  });

  it('lets nothing less urgent have the last slot', () => {
    expect(order([task('waiting', 0, 0), task('urgent', 1, 99 * MINUTE_MS)], null, 1)).toEqual(['urgent']);
  });

  it('lets a wait make up for a lower priority', () => {
    // 2 steps at 10 minutes each: what comes 21 minutes later goes after, what comes 19 minutes later goes before.
    const tasks = [task('low', 0, 0), task('high, early', 2, 19 * MINUTE_MS), task('high, late', 2, 21 * MINUTE_MS)];
    expect(order(tasks, 10 * MINUTE_MS)).toEqual(['high, early', 'low', 'high, late']);
  });

  it('starves nothing under a steady stream of more urgent work', () => {
    let waited = 0;
    for (let minute = 0; minute < 100; minute++) {
      const [first] = order([task('low', -5, 0), task(`high ${minute}`, 5, minute * MINUTE_MS)], MINUTE_MS, 1);
      if (first === 'low') break;
      waited = minute;
    }
    // 10 steps of a minute each.
    expect(waited).toBe(9);
  });

  it('sends a task to the node that is least loaded by its scarcest resource', () => {
    const nodes: NodeView[] = [
      // Shares taken once it is there: cpu (6 + 1) / 8, memory (1 + 1) / 8.
      { name: 'a', labels: {}, capacity: [8, 8], free: [2, 7] },
      // cpu (4 + 1) / 8, memory (4 + 1) / 8.
      { name: 'b', labels: {}, capacity: [8, 8], free: [4, 4] },
      // cpu (1 + 1) / 8, memory (5 + 1) / 8.
      { name: 'c', labels: {}, capacity: [8, 8], free: [7, 3] },
    ];
    const { decisions } = plugin.place({
      config: { agingMs: null, preempt: false, ...NO_HOLDS },
      memory: null,
      seed: 0,
      now: 0,
      resources: ['cpu', 'memory'],
      nodes,
      shapes: [{ needs: [1, 1], feasible: [0, 1, 2] }],
      tasks: [task('r.0', 0, 0)],
      running: [],
      tenants: [],
    });
    expect(decisions).toEqual([{ task: 'r.0', node: 1 }]);
  });
});
