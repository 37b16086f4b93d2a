import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { systemClock, type Clock } from '../../server/clock.ts';
import type { EventBatch } from '../../server/domain/event.ts';
import { createEvents } from '../../server/events/events.ts';
import type { FollowedEvent, RunScope } from '../../server/events/follow.ts';
import { Hub } from '../../server/events/hub.ts';
import { LiveProgress } from '../../server/events/live-progress.ts';
import { openStore } from '../../server/store/open.ts';
import type { Store } from '../../server/store/store.ts';

let store: Store;
let hub: Hub;
let ending: AbortController;
/** Ends the second that is waited for. */
let pass: () => void;
let asleep: Promise<void>;
let fellAsleep: () => void;

beforeEach(async () => {
  store = await openStore({ url: 'sqlite::memory:', clock: systemClock });
  await store.pools.ensure({
    name: 'default',
    scheduler: 'x',
    schedulerConfig: {},
    schedulerMemory: null,
    shadow: null,
    idempotent: null,
  });
  hub = new Hub();
  ending = new AbortController();
  asleep = new Promise((resolve) => (fellAsleep = resolve));
});
afterEach(async () => {
  ending.abort();
  await store.close();
});

function following(scope: Partial<RunScope> = {}): () => Promise<FollowedEvent> {
  const clock: Clock = {
    ...systemClock,
    sleep: () =>
      new Promise((resolve) => {
        pass = resolve;
        fellAsleep();
      }),
  };
  const events = createEvents(store, hub, new LiveProgress(), clock);
  const told = events
    .followRuns({ kind: 'RUNS', ...scope } as RunScope, undefined, ending.signal)
    [Symbol.asyncIterator]();
  return async () => (await told.next()).value as FollowedEvent;
}

let seq = 0;
const publish = (runs: EventBatch['runs']): void =>
  hub.publish({ pool: 'default', seq: ++seq, at: 0, runs, taskRuns: [], nodes: [], receipts: [] });

describe('whoever follows many runs', () => {
  it('is told once a second that their task runs change, and at once what they themselves come to', async () => {
    const next = following();
    const first = next();
    await systemClock.turn();
    for (let at = 0; at < 50; at++) publish([['one', 'p', 'RUNNING', 0]]);
    publish([['two', 'p', 'SUCCEEDED', 1]]);
    expect(await first).toMatchObject({ type: 'run.succeeded', run: 'two' });
    await asleep;
    pass();
    expect(await next()).toMatchObject({ type: 'run.progressed', run: 'one', taskRun: null });
    const last = next();
    publish([['one', 'p', 'SUCCEEDED', 1]]);
    expect(await last).toMatchObject({ type: 'run.succeeded', run: 'one' });
  });

  it('of one pipeline is not told of others', async () => {
    const next = following({ pipeline: 'mine' });
    const first = next();
    await systemClock.turn();
    publish([['other', 'p', 'RUNNING', 0]]);
    publish([['one', 'mine', 'RUNNING', 0]]);
    await asleep;
    pass();
    expect(await first).toMatchObject({ type: 'run.progressed', run: 'one' });
  });
});

describe('whoever begins to follow', () => {
  it('is told what is committed while its place in the log is looked up, and goes on from there', async () => {
    let looked: () => void = () => undefined;
    const looking = new Promise<void>((resolve) => (looked = resolve));
    let answer: () => void = () => undefined;
    const answered = new Promise<void>((resolve) => (answer = resolve));
    const slow: Store = {
      ...store,
      events: {
        ...store.events,
        last: async () => {
          looked();
          await answered;
          // The log holds by then what was committed in between.
          return seq;
        },
      },
    };
    const events = createEvents(slow, hub, new LiveProgress(), systemClock);
    const told = events.followRuns({ kind: 'RUNS' }, undefined, ending.signal)[Symbol.asyncIterator]();
    const first = told.next();
    await looking;
    publish([['one', 'p', 'SUCCEEDED', 1]]);
    publish([['two', 'p', 'SUCCEEDED', 1]]);
    answer();
    expect((await first).value).toMatchObject({ type: 'run.succeeded', run: 'one' });
    expect((await told.next()).value).toMatchObject({ type: 'run.succeeded', run: 'two' });
  });
});
