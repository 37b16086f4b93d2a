import { beforeEach, describe, expect, it } from '@jest/globals';
import { firstNumberOf } from '../../server/agent/first-number.ts';
import { STATE_PATIENCE_MS, StateKeeper } from '../../server/agent/state-keeper.ts';
import type { AttemptSavedState } from '../../server/protocol/gateway.ts';
import { FakeClock } from './fake-clock.ts';
import { specOf } from './specs.ts';

const { attempt } = specOf(0);
let clock: FakeClock;
let kept: AttemptSavedState[];
/** What the server does before it keeps a state. */
let keep: () => Promise<void>;
let fetch: () => Promise<string | null>;
let incarnation = 1;
let keeper: StateKeeper;
beforeEach(() => {
  clock = new FakeClock();
  kept = [];
  keep = () => Promise.resolve();
  fetch = () => Promise.resolve('before');
  keeper = new StateKeeper(
    {
      firstNumber: () => firstNumberOf(incarnation),
      saveState: async (state) => {
        await keep();
        kept.push(state);
      },
      previousState: () => fetch(),
    },
    clock,
  );
});
const states = () => kept.map(({ state }) => state);

describe('a state that an attempt saves', () => {
  it('is one of many: while one is on its way, of those after it the last goes', async () => {
    await Promise.all([1, 2, 3].map((state) => keeper.save(attempt, state)));
    await keeper.save(attempt, 4);
    expect(states()).toEqual([1, 3, 4]);
    const seqs = kept.map(({ seq }) => seq);
    expect(seqs).toEqual([...seqs].sort((a, b) => a - b));
    expect(new Set(seqs).size).toBe(3);
  });

  it('is sent again until the server has it, or something newer', async () => {
    let failures = 2;
    keep = () => (failures-- > 0 ? Promise.reject(new Error('away')) : Promise.resolve());
    const first = keeper.save(attempt, 'old');
    void keeper.save(attempt, 'new');
    await clock.pass(first);
    expect(states()).toEqual(['new']);
  });

  it('holds the end of its attempt up until it is kept, but not for ever', async () => {
    expect(keeper.drained(attempt)).toBeNull();
    keep = () => new Promise(() => undefined);
    void keeper.save(attempt, 1);
    let isOver = false;
    const drained = keeper.drained(attempt)!.then(() => (isOver = true));
    await clock.advance(STATE_PATIENCE_MS - 1);
    expect(isOver).toBe(false);
    await clock.advance(1);
    await drained;
  });
});

describe('the state of the attempt before', () => {
  it('is asked for until the server says it', async () => {
    let failures = 3;
    fetch = () => (failures-- > 0 ? Promise.reject(new Error('away')) : Promise.resolve('page 3'));
    expect(await clock.pass(keeper.previous(attempt, new AbortController().signal))).toBe('page 3');
  });

  it('is given up after a while, and at once when nobody wants it any more', async () => {
    fetch = () => Promise.reject(new Error('away'));
    await expect(clock.pass(keeper.previous(attempt, new AbortController().signal))).rejects.toThrow('away');
    const stop = new AbortController();
    const asked = keeper.previous(attempt, stop.signal);
    stop.abort();
    await expect(asked).rejects.toThrow();
  });
});

describe('what an agent numbers', () => {
  it('is numbered higher than by every agent before it', async () => {
    await keeper.save(attempt, 'before');
    incarnation++;
    // A successor on a machine whose clock is an hour behind: the time of day is asked nowhere.
    await keeper.save(attempt, 'after');
    expect(kept[1]!.seq).toBeGreaterThan(kept[0]!.seq);
    expect(Number.isSafeInteger(firstNumberOf(1_000_000))).toBe(true);
  });
});
