import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { SchedulerPlugin } from '@gantry/plugin-kit/scheduler';
import { chance } from '@gantry/plugin-kit/testing';
import binPacking from '@gantry/scheduler-bin-packing';
import fairShare from '@gantry/scheduler-fair-share';
import priority from '@gantry/scheduler-priority';
import roundRobin from '@gantry/scheduler-round-robin';
import spread from '@gantry/scheduler-spread';
import { packCall, unpackCall } from '../../server/engine/decision-log.ts';
import { rerun } from '../../server/placement/rerun.ts';
import { simulate } from '../../server/simulation/simulate.ts';
import type { SimulatedTask, Workload } from '../../server/simulation/workload.ts';
import { aNode, aPlacement, aShape, placed } from './cluster.ts';

const HOLDING = [priority, roundRobin, fairShare, spread, binPacking] as unknown as readonly SchedulerPlugin[];

/** Small tasks that keep every gap filled, and among them a large one. */
interface Stream {
  readonly seed: number;
  readonly nodeCount: number;
  /** Of each node. */
  readonly slots: number;
  readonly largeSlots: number;
  readonly largeReadyAt: number;
  /** The longest that a small one takes. */
  readonly longestMs: number;
  readonly reserveAfterMs: number | null;
}

const streams: fc.Arbitrary<Stream & { readonly reserveAfterMs: number }> = fc
  .record({
    seed: fc.nat(),
    nodeCount: fc.integer({ min: 1, max: 4 }),
    slots: fc.integer({ min: 2, max: 6 }),
    largeShare: fc.double({ min: 0.5, max: 1, noNaN: true }),
    largeReadyAt: fc.integer({ min: 0, max: 500 }),
    longestMs: fc.integer({ min: 80, max: 400 }),
    reserveAfterMs: fc.integer({ min: 0, max: 600 }),
  })
  .map(({ largeShare, ...rest }) => ({ ...rest, largeSlots: Math.max(2, Math.ceil(rest.slots * largeShare)) }));

const END = 3_000;

/** Twice as much small work as there is room for: it comes in waves that fill the pool, and then as something ends. */
function workloadOf({ seed, nodeCount, slots, largeSlots, largeReadyAt, longestMs }: Stream): Workload {
  const random = chance(seed);
  const task = (key: string, size: number, arrivesAt: number, durationMs: number): SimulatedTask => {
    const shape = aShape({ slots: size });
    return { key, shape, priority: 0, tenant: 't', arrivesAt, durationMs, needs: [], deadlineAt: null };
  };
  const tasks = [task('large', largeSlots, largeReadyAt, 50)];
  const meanMs = longestMs / 2;
  const count = Math.ceil((2 * END * nodeCount * slots) / meanMs);
  for (let at = 0; at < count; at++) {
    const arrivesAt = Math.floor((at / count) * END);
    tasks.push(task(`small-${at}`, 1, arrivesAt, 1 + Math.floor(random() * longestMs)));
  }
  const nodes = Array.from({ length: nodeCount }, (_, at) => {
    return { node: aNode(`n${at}`, { capacity: { slots } }), joinsAt: 0, leavesAt: null };
  });
  return { name: 'stream', nodes, tasks };
}

function run(plugin: SchedulerPlugin, stream: Stream) {
  const { reserveAfterMs } = stream;
  const placement = aPlacement([], { plugin, config: { reserveAfterMs } });
  const { outcomes } = simulate(workloadOf(stream), placement);
  expect(placement.schedulerStatus).toMatchObject({ refusals: 0, faults: 0 });
  const [large, ...small] = outcomes;
  return { large: large!, small };
}

describe.each(HOLDING)('a large task under a steady stream of small ones, by $name', (plugin) => {
  it('begins at the latest when what ran on a node at first has ended', () => {
    fc.assert(
      fc.property(streams, (stream) => {
        const { large, small } = run(plugin, stream);
        // It is the next when all that came before it have begun.
        const before = small.filter(({ readyAt }) => readyAt! <= stream.largeReadyAt);
        const nextAt = Math.max(stream.largeReadyAt, ...before.map(({ startedAt }) => startedAt!));
        const heldAt = Math.max(nextAt, stream.largeReadyAt + stream.reserveAfterMs);
        const waitedMs = heldAt - stream.largeReadyAt;
        // One node is enough when it is held as long as a small one takes; else the second or third is.
        const { longestMs } = stream;
        const latest = waitedMs >= longestMs ? heldAt + longestMs : heldAt + 3 * longestMs;
        expect(large.startedAt).toBeLessThanOrEqual(latest);
      }),
      { numRuns: 40 },
    );
  });

  it('never begins while they come when nodes are not held', () => {
    const stream = { seed: 1, nodeCount: 3, slots: 4, largeSlots: 4, largeReadyAt: 100, longestMs: 100 };
    expect(run(plugin, { ...stream, reserveAfterMs: null }).large.startedAt).toBeGreaterThan(END);
    expect(run(plugin, { ...stream, reserveAfterMs: 200 }).large.startedAt).toBeLessThanOrEqual(400);
  });
});

describe('a node that is held', () => {
  const small = aShape({ slots: 1 });
  const large = aShape({ slots: 4 });

  /** Two nodes of four slots that are full but for one, and a large task run that has waited for 1,000 ms. */
  function heldPool(config = { reserveAfterMs: 1_000 }) {
    const plugin = HOLDING[0]!;
    const nodes = ['a', 'b'].map((name) => aNode(name, { capacity: { slots: 4 } }));
    const placement = aPlacement(nodes, { plugin, config });
    for (const { facts, count } of [
      { facts: 'a', count: 4 },
      { facts: 'b', count: 3 },
    ]) {
      for (let at = 0; at < count; at++) placement.reserve(small, facts, 't');
    }
    placement.add({ key: 'large', shape: large, priority: 0, readySince: 0, tenant: 't' });
    placement.add({ key: 'small', shape: small, priority: 0, readySince: 999, tenant: 't' });
    return placement;
  }

  it('is the one where the least is missing, and takes nothing that comes after', () => {
    const placement = heldPool();
    expect(placed(placement, 1_000)).toEqual([]);
    expect(placement.canPlace).toBe(false);
    // Elsewhere the small one finds its place as soon as there is room.
    placement.release(small, 'a', 't');
    expect(placed(placement, 1_001)).toEqual(['small>a']);
    for (let at = 0; at < 3; at++) placement.release(small, 'b', 't');
    expect(placed(placement, 1_002)).toEqual(['large>b']);
  });

  it('takes what comes before', () => {
    const placement = heldPool();
    placement.add({ key: 'urgent', shape: small, priority: 5, readySince: 1_000, tenant: 't' });
    expect(placed(placement, 1_000)).toEqual(['urgent>b']);
  });

  it('is given back when the task run does not wait any more', () => {
    const placement = heldPool();
    expect(placed(placement, 1_000)).toEqual([]);
    placement.withdraw('large');
    expect(placed(placement, 1_001)).toEqual(['small>b']);
  });

  it('is not held before its time, nor without end', () => {
    expect(placed(heldPool(), 999)).toEqual(['small>b']);
    expect(placed(heldPool({ reserveAfterMs: null as unknown as number }), 1_000)).toEqual(['small>b']);
  });

  it('is told of to both: whom it is held for, and who is kept from it', () => {
    const placement = heldPool();
    placed(placement, 1_000);
    expect(placement.explain('large')).toMatchObject({
      tier: 'CAPACITY',
      summary: {
        code: 'HOLDING_NODE',
        message:
          'No node has room for it, and it has waited long: node b is held for it, and nothing is placed there that comes after it.',
        remedy: 'Wait until enough of what runs on b has ended.',
      },
    });
    const explanation = placement.explain('small')!;
    expect(explanation).toMatchObject({
      tier: 'SCHEDULER',
      summary: {
        code: 'NODE_HELD',
        remedy: 'Cancel task run large, or wait until it has begun and there is room beside it.',
      },
      nodes: [
        { node: 'a', verdict: 'FULL', obstacles: [{ code: 'NO_ROOM' }] },
        { node: 'b', verdict: 'FULL', obstacles: [{ code: 'NODE_HELD', tier: 'SCHEDULER' }] },
      ],
    });
    // What is free on b is not for it.
    expect(explanation.unblock.map(({ message }) => message)).toEqual(['Free 1 more of slots: a would do then.']);
    expect(placement.inspection.reasonOf('small')!.summary).toEqual(explanation.summary);
    expect(placement.inspection.overview.reasons.map(({ summary, count }) => `${summary.code} ${count}`)).toEqual([
      'NODE_HELD 1',
      'HOLDING_NODE 1',
    ]);
  });

  it('is held in a call that is made again, as it was', () => {
    const placement = heldPool();
    placed(placement, 1_000);
    placement.release(small, 'a', 't');
    const call = unpackCall(packCall(placement.place(1_001).call!));
    expect(call.input.reservations).toEqual([{ task: 'large', node: 1, since: 1_000 }]);
    expect(rerun((input) => HOLDING[0]!.place(input), call)).toMatchObject({ isIdentical: true, placedNow: 1 });
    // Without it the large one would wait for the other node, which has as much room now.
    const forgotten = { ...call, input: { ...call.input, reservations: [] } };
    expect(rerun((input) => HOLDING[0]!.place(input), forgotten)).toMatchObject({ isIdentical: false });
  });

  it('is another one when it has been waited for in vain', () => {
    const placement = heldPool();
    placed(placement, 1_000);
    const runs = (key: string, node: string, startedAt: number) => {
      return { key, node, shape: small, gpus: [], priority: 0, startedAt };
    };
    // What runs on b has run from the beginning, what runs on a has begun just now.
    placement.release(small, 'a', 't');
    placement.running = () => [
      ...['b1', 'b2', 'b3'].map((key) => runs(key, 'b', 0)),
      ...['a1', 'a2', 'a3'].map((key) => runs(key, 'a', 1_990)),
    ];
    expect(placed(placement, 2_001)).toEqual(['small>b']);
    expect(placement.explain('large')!.summary.message).toContain('node a is held for it');
  });
});
