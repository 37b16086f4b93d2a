import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { NodeView, PendingTask, PlacementInput, RunningAttempt } from '@gantry/plugin-kit/scheduler';
import { chance } from '@gantry/plugin-kit/testing';
import type { ReserveSettings } from '@gantry/plugin-kit/reserve-settings';
import plugin from '../src/index.ts';

type Input = PlacementInput<{ agingMs: number | null; preempt: boolean } & ReserveSettings>;

const NO_HOLDS: ReserveSettings = { reserveAfterMs: null, reservations: 1 };
const NOW = 1_000_000;

function task(key: string, priority: number, some: Partial<PendingTask> = {}): PendingTask {
  return { key, shape: 0, priority, readySince: NOW, tenant: 't', ...some };
}

function attempt(key: string, node: number, priority: number, needs: readonly number[], startedAt = 0): RunningAttempt {
  return { key, node, needs, priority, startedAt, readySince: startedAt };
}

/** Nodes of 8 CPUs each, of which the running attempts have taken theirs. */
function call(
  nodeCount: number,
  tasks: readonly PendingTask[],
  running: readonly RunningAttempt[],
  needs = [2],
): Input {
  const nodes: readonly NodeView[] = Array.from({ length: nodeCount }, (_, node) => {
    const taken = running.filter((each) => each.node === node).reduce((sum, each) => sum + each.needs[0]!, 0);
    return { name: `n${node}`, labels: {}, capacity: [8], free: [8 - taken] };
  });
  return {
    config: { agingMs: null, preempt: true, ...NO_HOLDS },
    memory: null,
    seed: 0,
    now: NOW,
    resources: ['cpu'],
    nodes,
    shapes: [{ needs, feasible: nodes.map((_, at) => at) }],
    tasks,
    running,
    tenants: [],
  };
}

const decide = (input: Input) => plugin.place({ ...input, memory: null }).decisions;

describe('preemption', () => {
  it('is off unless asked for, and then asks for what it needs', () => {
    const input = call(1, [task('urgent', 9)], [attempt('a', 0, 0, [8])]);
    expect(decide({ ...input, config: { agingMs: null, preempt: false, ...NO_HOLDS } })).toEqual([]);
    expect(plugin.wants?.({ agingMs: null, preempt: false, ...NO_HOLDS })).toEqual([]);
    expect(plugin.wants?.({ agingMs: null, preempt: true, ...NO_HOLDS })).toEqual(['running', 'preempt']);
  });

  it('ends nothing while a node has room', () => {
    const input = call(2, [task('urgent', 9)], [attempt('a', 0, 0, [8])]);
    expect(decide(input)).toEqual([{ task: 'urgent', node: 1 }]);
  });

  it('ends only what has a lower priority', () => {
    const running = [attempt('equal', 0, 5, [8]), attempt('higher', 1, 6, [8])];
    expect(decide(call(2, [task('urgent', 5)], running))).toEqual([]);
  });

  it('ends the fewest, then the lowest in priority, then the youngest', () => {
    const two = [attempt('a', 0, 0, [1]), attempt('b', 0, 0, [1]), attempt('c', 0, 9, [6])];
    const low = [attempt('d', 1, 1, [8], 50)];
    const lower = [attempt('e', 2, 0, [8], 10)];
    const younger = [attempt('f', 3, 0, [8], 20)];
    const urgent = [task('urgent', 5)];
    expect(decide(call(1, urgent, two))).toEqual([{ task: 'urgent', node: 0, preempt: ['a', 'b'] }]);
    expect(decide(call(2, urgent, [...two, ...low]))).toEqual([{ task: 'urgent', node: 1, preempt: ['d'] }]);
    expect(decide(call(3, urgent, [...two, ...low, ...lower]))).toEqual([{ task: 'urgent', node: 2, preempt: ['e'] }]);
    expect(decide(call(4, urgent, [...two, ...low, ...lower, ...younger]))).toEqual([
      { task: 'urgent', node: 3, preempt: ['f'] },
    ]);
  });

  it('gives what one task has made free to no other task', () => {
    const running = [attempt('a', 0, 0, [8])];
    const decisions = decide(call(1, [task('urgent', 5), task('urgent too', 5), task('small', 0)], running));
    expect(decisions).toEqual([{ task: 'urgent', node: 0, preempt: ['a'] }]);
  });

  it('lets what has waited for its place keep it', () => {
    const agingMs = 60_000;
    // It had waited for 6 steps when it began; the task is 5 steps more urgent, and new.
    const waited = { ...attempt('waited', 0, 0, [8], NOW), readySince: NOW - 6 * agingMs };
    const came = { ...attempt('came', 0, 0, [8], NOW), readySince: NOW - 4 * agingMs };
    const aging = (running: RunningAttempt) => ({
      ...call(1, [task('urgent', 5)], [running]),
      config: { agingMs, preempt: true, ...NO_HOLDS },
    });
    expect(decide(aging(waited))).toEqual([]);
    expect(decide(aging(came))).toEqual([{ task: 'urgent', node: 0, preempt: ['came'] }]);
  });

  it('counts of GPUs only what is certain to be whole', () => {
    const input = call(1, [task('urgent', 5)], []);
    const gpu = (needs: number, running: readonly RunningAttempt[], gpus: readonly number[]): Input => ({
      ...input,
      resources: ['gpu'],
      nodes: [{ name: 'n0', labels: {}, capacity: [2_000], free: [gpus.reduce((sum, each) => sum + each, 0)], gpus }],
      shapes: [{ needs: [needs], feasible: [0] }],
      running,
    });
    const halves = [attempt('a', 0, 0, [500]), attempt('b', 0, 0, [500])];
    // They may be on one GPU or on two.
    expect(decide(gpu(1_000, halves, [500, 500]))).toEqual([]);
    expect(decide(gpu(500, halves, [400, 400]))).toEqual([{ task: 'urgent', node: 0, preempt: ['a'] }]);
    expect(decide(gpu(1_000, [attempt('w', 0, 0, [1_000])], [500, 0]))).toEqual([
      { task: 'urgent', node: 0, preempt: ['w'] },
    ]);
  });

  it('finds as few victims as a search of all sets of them does, all of lower priority and none of them needless', () => {
    fc.assert(
      fc.property(fc.nat(), (seed) => {
        const random = chance(seed);
        const upTo = (most: number): number => Math.floor(random() * (most + 1));
        const running = Array.from({ length: 8 }, (_, at) =>
          attempt(`v${at}`, upTo(1), upTo(4), [1 + upTo(2)], upTo(99)),
        );
        const input = call(2, [task('urgent', 3)], running, [1 + upTo(5)]);
        if (input.nodes.some(({ free }) => free[0]! < 0)) return;
        const [decision] = decide(input);
        const fewest = fewestBySearch(input);
        const isPlaced = decision !== undefined && 'node' in decision;
        const preempt = isPlaced ? (decision.preempt ?? []) : [];
        expect(isPlaced ? preempt.length : null).toBe(fewest);
        for (const key of preempt) expect(running.find((each) => each.key === key)!.priority).toBeLessThan(3);
      }),
      { numRuns: 500 },
    );
  });

  it('never lets two tasks end each other in turn, and lets each of them end in the end', () => {
    for (const agingMs of [null, 60_000]) {
      const { starts, ended } = contest(agingMs);
      // Ten urgent ones, a minute apart, against two that run for three minutes each.
      expect(ended.size).toBe(12);
      expect(Math.max(...starts.values())).toBeLessThanOrEqual(agingMs === null ? 11 : 8);
    }
  });
});

/** How few have to end on any node; 0 when there is room, null when nothing helps. */
function fewestBySearch({ nodes, shapes, tasks, running }: Input): number | null {
  let fewest: number | null = null;
  nodes.forEach(({ free }, node) => {
    const able = running.filter((each) => each.node === node && each.priority < tasks[0]!.priority);
    for (let set = 0; set < 2 ** able.length; set++) {
      const chosen = able.filter((_, at) => (set >> at) % 2 === 1);
      const left = chosen.reduce((sum, each) => sum + each.needs[0]!, free[0]!);
      if (left >= shapes[0]!.needs[0]! && (fewest === null || chosen.length < fewest)) fewest = chosen.length;
    }
  });
  return fewest;
}

/** One slot; two tasks of low priority, and every minute one of high priority, which take 1 and 3 minutes. */
function contest(agingMs: number | null): { starts: ReadonlyMap<string, number>; ended: ReadonlySet<string> } {
  const minute = 60_000;
  const starts = new Map<string, number>();
  const ended = new Set<string>();
  let waiting = [task('low-0', 0, { readySince: 0 }), task('low-1', 0, { readySince: 0 })];
  let running: (RunningAttempt & { endsAt: number }) | null = null;
  for (let now = 0; now < 60 * minute; now += minute) {
    if (now > 0 && now <= 10 * minute) waiting.push(task(`high-${now / minute}`, 5, { readySince: now }));
    if (running !== null && running.endsAt <= now) {
      ended.add(running.key);
      running = null;
    }
    const input = call(1, waiting, running === null ? [] : [running], [8]);
    const [decision] = decide({ ...input, now, config: { agingMs, preempt: true, ...NO_HOLDS } });
    if (decision === undefined || !('node' in decision)) continue;
    if (running !== null) waiting.push(task(running.key, running.priority, { readySince: now }));
    const next: PendingTask = waiting.find(({ key }) => key === decision.task)!;
    waiting = waiting.filter((each) => each !== next);
    starts.set(next.key, (starts.get(next.key) ?? 0) + 1);
    const endsAt = now + (next.priority > 0 ? 1 : 3) * minute;
    running = { ...attempt(next.key, 0, next.priority, [8], now), readySince: next.readySince, endsAt };
  }
  return { starts, ended };
}
