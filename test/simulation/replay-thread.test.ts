import { describe, expect, it } from '@jest/globals';
import { BUILT_IN_PLUGINS } from '../../server/built-in-plugins.ts';
import { systemClock } from '../../server/clock.ts';
import { replayInThread } from '../../server/replay-thread.ts';
import { ReplayFault } from '../../server/simulation/replay-fault.ts';

/** Tasks that run one after the other on a node with room for one. */
const traceOf = (count: number): string =>
  JSON.stringify({
    format: 'gantry-trace/1',
    name: 'default',
    nodes: [
      { name: 'n', capacity: { slots: 1 }, labels: {}, taints: [], runners: ['mock'], joinsAt: 0, leavesAt: null },
    ],
    tasks: Array.from({ length: count }, (_, at) => ({
      key: `t${at}`,
      runner: 'mock',
      resources: { slots: 1 },
      nodeSelector: {},
      tolerations: [],
      rules: null,
      priority: 0,
      tenant: 'p',
      arrivesAt: 0,
      durationMs: 1_000,
      needs: [],
      deadlineAt: null,
    })),
  });
const work = (count: number, scheduler = 'priority') => ({
  trace: traceOf(count),
  choices: [{ scheduler, config: {} }],
  plugins: BUILT_IN_PLUGINS,
  foreign: [],
  batch: 4_096,
});
const never = new AbortController().signal;

describe('a replay in its thread', () => {
  it('does the work and says how far it is', async () => {
    const shares: number[] = [];
    const results = await replayInThread(work(3_000), never, (_, share) => shares.push(share), systemClock);
    // One a second: the last ends after 3,000 s.
    expect(results).toMatchObject([{ scheduler: 'priority', summary: { ended: 3_000, makespanMs: 3_000_000 } }]);
    expect(shares).toEqual(shares.toSorted((one, other) => one - other));
    expect(shares.length).toBeGreaterThan(0);
  });

  it('is ended by who leaves, and by its deadline', async () => {
    const leaving = new AbortController();
    const left = replayInThread(work(100_000), leaving.signal, () => leaving.abort(), systemClock);
    await expect(left).rejects.toThrow('aborted');
    const limits = { deadlineMs: 1, heapMb: 512 };
    const late = replayInThread(work(100_000), never, () => undefined, systemClock, limits);
    await expect(late).rejects.toThrow(/took longer than 0.001 s/);
  });

  it('says which scheduler it lacks', async () => {
    const unknown = replayInThread(work(1, 'nobody'), never, () => undefined, systemClock);
    await expect(unknown).rejects.toBeInstanceOf(ReplayFault);
    await expect(replayInThread(work(1, 'nobody'), never, () => undefined, systemClock)).rejects.toThrow(/nobody/);
  });
});
