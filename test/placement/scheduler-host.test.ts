import { describe, expect, it } from '@jest/globals';
import type { SchedulerPlugin } from '@gantry/plugin-kit/scheduler';
import * as broken from '../support/broken-plugins/schedulers.ts';
import { aNode, aPlacement, aScheduler, aShape, addTasks, placed } from './cluster.ts';

const nodes = () => [
  aNode('a', { capacity: { slots: 2 } }),
  aNode('b', { capacity: { slots: 2 } }),
  aNode('tainted', { capacity: { slots: 9 }, taints: [{ key: 'x', effect: 'NO_SCHEDULE' }] }),
];

/** Calls that fail as a whole: nothing of them is used. */
const failing: readonly (readonly [SchedulerPlugin, RegExp])[] = [
  [broken.throws, /threw: out of luck/],
  [broken.throwsNothing, /threw: undefined/],
  [broken.returnsNothing, /returned undefined instead of decisions/],
  [broken.returnsText, /instead of decisions/],
  [broken.returnsPromise, /no list of decisions/],
  [broken.decidesNonsense, /a decision that is none, at index 0/],
  [broken.choosesNoNode, /a decision that is none, at index 0/],
  [broken.holdsWithoutReason, /a decision that is none, at index 0/],
  [broken.decidesTooMuch, /10 decisions for 5 tasks/],
  [broken.remembersTooMuch, /a memory of more than 16384 bytes/],
  [broken.remembersCircle, /threw: Converting circular/],
  [broken.writesOnNodes, /threw: Cannot assign to read only/],
  [broken.emptiesLists, /and then it throws/],
];

/** Calls of which some decisions are refused, and by which code; the others hold. */
const refused: readonly (readonly [SchedulerPlugin, string])[] = [
  [broken.overCommits, 'OVER_COMMIT'],
  [broken.inventsTasks, 'UNKNOWN_TASK'],
  [broken.inventsNodes, 'UNKNOWN_NODE'],
  [broken.repeatsTasks, 'DUPLICATE'],
  [broken.ignoresFeasibility, 'NOT_FEASIBLE'],
];

const named = (plugins: readonly (readonly [SchedulerPlugin, ...unknown[]])[]) =>
  plugins.map(([plugin, expected]) => ({ name: plugin.name, plugin, expected }));

describe('a scheduler that fails', () => {
  it.each(named(failing))('is replaced by first fit for the call: $name', ({ plugin, expected }) => {
    const log: string[] = [];
    const placement = aPlacement(nodes(), { plugin, log: (message) => log.push(message) });
    addTasks(placement, aShape(), 'r.0', 'r.1', 'r.2', 'r.3', 'r.4');
    expect(placed(placement)).toEqual(['r.0>a', 'r.1>a', 'r.2>b', 'r.3>b']);
    expect(placement.pendingCount).toBe(1);
    expect(placement.canPlace).toBe(false);
    expect(placement.schedulerStatus).toMatchObject({ name: plugin.name, state: 'FAULTY', faults: 1 });
    expect(placement.schedulerStatus.lastFault).toMatch(expected as RegExp);
    expect(log).toHaveLength(1);
  });

  it.each([
    ['no list', 'all', /reservations that are no list/],
    ['for nobody', [{ task: 'r.9', node: 0, since: 0 }], /held for r\.9, which is decided on, not offered/],
    ['since no time', [{ task: 'r.0', node: 0 }], /does not say since when/],
    ['on no node', [{ task: 'r.0', node: 7, since: 0 }], /node 7 held for r\.0: there is none/],
    ['nothing', [null], /does not say since when/],
    ['on one node twice', ['r.0', 'r.1'].map((task) => ({ task, node: 0, since: 0 })), /or it is held already/],
    ['more than it may', ['r.0', 'r.1', 'r.2'].map((task) => ({ task, node: 0, since: 0 })), /3 nodes .* it may 2/],
  ])('is replaced when what it holds makes no sense: %s', (_name, reservations, expected) => {
    const plugin = {
      ...aScheduler(() => ({ decisions: [], memory: null, reservations })),
      reserves: () => ({ afterMs: 0, atOnce: 2 }),
    };
    const placement = aPlacement(nodes(), { plugin });
    addTasks(placement, aShape(), 'r.0', 'r.1', 'r.2');
    expect(placed(placement)).toEqual(['r.0>a', 'r.1>a', 'r.2>b']);
    expect(placement.schedulerStatus.lastFault).toMatch(expected);
  });

  it('is replaced when it holds nodes and does not say for whom', () => {
    const reservations = [{ task: 'r.0', node: 0, since: 0 }];
    const holding = aScheduler(() => ({ decisions: [], memory: null, reservations }));
    for (const reserves of [() => null, () => ({ afterMs: 'soon', atOnce: 2 }), () => ({ afterMs: 0, atOnce: NaN })]) {
      const placement = aPlacement(nodes(), { plugin: { ...holding, reserves: reserves as never } });
      addTasks(placement, aShape(), 'r.0');
      expect(placed(placement)).toEqual(['r.0>a']);
      expect(placement.schedulerStatus.lastFault).toContain('although it has no `reserves`');
    }
  });

  it.each(named(refused))(
    'has its decisions refused and first fit decide on the rest: $name',
    ({ plugin, expected }) => {
      const placement = aPlacement(nodes(), { plugin });
      addTasks(placement, aShape(), 'r.0', 'r.1', 'r.2', 'r.3', 'r.4');
      const { placements, refusals } = placement.place(0);
      expect(new Set(refusals.map(({ code }) => code))).toEqual(new Set([expected]));
      expect(placements.map(({ taskRun }) => taskRun).toSorted()).toEqual(['r.0', 'r.1', 'r.2', 'r.3']);
      expect(placements.filter(({ node }) => node === 'a')).toHaveLength(2);
      expect(placements.filter(({ node }) => node === 'b')).toHaveLength(2);
      expect(placement.canPlace).toBe(false);
      expect(placement.schedulerStatus).toMatchObject({ state: 'FAULTY', faults: 1, refusals: refusals.length });
    },
  );

  it('refuses a decision on a task run that rests and was not offered', () => {
    const plugin = aScheduler(() => ({ decisions: [{ task: 'large', node: 0 }], memory: null }));
    const placement = aPlacement([aNode('a', { capacity: { slots: 2 } })], { plugin });
    addTasks(placement, aShape({ slots: 9 }), 'large');
    addTasks(placement, aShape(), 'r.0');
    const { placements, refusals } = placement.place(0);
    expect(refusals).toMatchObject([{ taskRun: 'large', node: 'a', code: 'NOT_PENDING' }]);
    expect(placements).toEqual([{ taskRun: 'r.0', node: 'a', gpus: [] }]);
  });

  it('is healthy again after a call that does not fail', () => {
    let calls = 0;
    const plugin = aScheduler(({ tasks, memory }) => {
      if (++calls === 1) throw new Error('once');
      return { decisions: tasks.map(({ key }) => ({ task: key, node: 0 })), memory };
    });
    const placement = aPlacement(nodes(), { plugin });
    addTasks(placement, aShape(), 'r.0');
    placement.place(0);
    addTasks(placement, aShape(), 'r.1');
    placement.place(0);
    expect(placement.schedulerStatus).toMatchObject({
      state: 'HEALTHY',
      faults: 1,
      calls: 2,
      lastFault: 'The scheduler tried threw: once',
    });
  });

  it('does not fill the log', () => {
    const log: string[] = [];
    const placement = aPlacement(nodes(), { plugin: broken.throws, log: (message) => log.push(message) });
    for (let call = 0; call < 100; call++) {
      addTasks(placement, aShape(), `r.${call}`);
      for (const { node } of placement.place(0).placements) placement.release(aShape(), node);
    }
    expect(placement.schedulerStatus.faults).toBe(100);
    // The first, and then each time that the number has doubled: 1, 2, 4 … 64.
    expect(log).toHaveLength(7);
  });
});

describe('a scheduler that is too slow', () => {
  it('has its decisions used, and after the second time in a row is not asked for nine times as long', () => {
    let nowMs = 0;
    let tookMs = 3_000;
    let calls = 0;
    const plugin = aScheduler(({ tasks, memory }) => {
      calls++;
      nowMs += tookMs;
      return { decisions: tasks.map(({ key }) => ({ task: key, node: 1 })), memory };
    });
    const placement = aPlacement(nodes(), { plugin, monotonic: () => nowMs });
    const next = (key: string) => {
      addTasks(placement, aShape(), key);
      return placed(placement)[0];
    };
    expect(next('r.0')).toBe('r.0>b');
    expect(placement.schedulerStatus).toMatchObject({ state: 'FAULTY', faults: 1 });
    expect(placement.schedulerStatus.lastFault).toMatch(/took 3000 ms for one call; it has 2000 ms/);
    expect(next('r.1')).toBe('r.1>b');
    expect(placement.schedulerStatus.faults).toBe(2);
    // The second call ended at 6,000; it rests until 6,000 + 9 × 3,000.
    tookMs = 10;
    nowMs = 32_999;
    expect(next('r.2')).toBe('r.2>a');
    expect(calls).toBe(2);
    nowMs = 33_000;
    placement.release(aShape(), 'b');
    expect(next('r.3')).toBe('r.3>b');
    expect(calls).toBe(3);
    expect(placement.schedulerStatus.state).toBe('HEALTHY');
  });
});

describe('a scheduler that holds or leaves a task', () => {
  const hold = { code: 'LATER', message: 'Its data is not there yet.' };

  it('has its reason told, and is asked again when anything changes', () => {
    let calls = 0;
    const plugin = aScheduler(({ tasks, memory }) => {
      calls++;
      return {
        decisions: calls === 1 ? tasks.map(({ key }) => ({ task: key, hold })) : [{ task: tasks[0]!.key, node: 0 }],
        memory,
      };
    });
    const placement = aPlacement(nodes(), { plugin });
    addTasks(placement, aShape(), 'r.0');
    expect(placed(placement)).toEqual([]);
    expect(placement.canPlace).toBe(false);
    expect(placement.explain('r.0')!.summary).toEqual({
      code: 'HELD',
      message: 'The scheduler holds it: Its data is not there yet.',
    });
    expect(placement.schedulerStatus.faults).toBe(0);
    addTasks(placement, aShape({ slots: 99 }), 'other');
    expect(placement.canPlace).toBe(true);
    expect(placed(placement)).toEqual(['r.0>a']);
  });

  it('may leave it without a word; then that is told', () => {
    const placement = aPlacement(nodes(), { plugin: aScheduler(({ memory }) => ({ decisions: [], memory })) });
    addTasks(placement, aShape(), 'r.0');
    expect(placed(placement)).toEqual([]);
    expect(placement.canPlace).toBe(false);
    expect(placement.explain('r.0')!.summary.code).toBe('NOT_CHOSEN');
  });
});

describe('a scheduler that weighs tenants', () => {
  it('is shown every tenant, however many tasks another one has', () => {
    const shown: string[] = [];
    const plugin: SchedulerPlugin = {
      ...aScheduler(({ tasks, memory }) => {
        shown.push(...tasks.map(({ tenant }) => tenant));
        return { decisions: [], memory };
      }),
      wants: () => ['tenants'],
    };
    const placement = aPlacement([aNode('a')], { plugin, batch: 10 });
    const add = (tenant: string, count: number, priority: number) => {
      for (let at = 0; at < count; at++) {
        placement.add({ key: `${tenant}.${at}`, shape: aShape(), tenant, priority, readySince: at });
      }
    };
    add('flood', 100, 5);
    add('few', 2, 0);
    add('some', 50, 0);
    placement.place(0);
    const count = (tenant: string) => shown.filter((each) => each === tenant).length;
    expect([count('few'), count('some'), count('flood')]).toEqual([2, 3, 5]);
  });
});

describe('a scheduler that throws dice of its own', () => {
  it('is found out, though each of its decisions is a good one', () => {
    let dice = 0;
    const plugin = aScheduler(({ tasks, memory }) => ({
      decisions: tasks.map(({ key }) => ({ task: key, node: dice++ % 2 })),
      memory,
    }));
    const placement = aPlacement([aNode('a'), aNode('b')], { plugin });
    for (let call = 0; call < 128; call++) {
      addTasks(placement, aShape(), `r.${call}`);
      for (const { node } of placement.place(call).placements) placement.release(aShape(), node);
    }
    expect(placement.schedulerStatus).toMatchObject({
      state: 'FAULTY',
      lastFault: 'The scheduler tried was asked the same twice, and did not decide the same.',
    });
  });
});

describe('the seed of a call', () => {
  it('is another for each call, and the same in a replay', () => {
    const run = () => {
      const seeds: number[] = [];
      const plugin = aScheduler(({ seed, memory }) => {
        seeds.push(seed);
        return { decisions: [], memory };
      });
      const placement = aPlacement(nodes(), { plugin });
      for (let call = 0; call < 5; call++) {
        addTasks(placement, aShape(), `r.${call}`);
        placement.place(0);
      }
      return seeds;
    };
    const seeds = run();
    expect(new Set(seeds).size).toBe(5);
    expect(run()).toEqual(seeds);
  });
});
