import { afterAll, beforeAll, beforeEach, afterEach, describe, expect, it } from '@jest/globals';
import { systemClock, type Clock } from '../../server/clock.ts';
import { DEFAULT_LEASE, LeaseKeeper } from '../../server/engine/lease.ts';
import type { Store } from '../../server/store/store.ts';
import { databases, type TestDatabases } from '../support/databases.ts';
import { LONG_MS, open } from './rows.ts';

describe.each(databases)('a lease on $name', ({ start }) => {
  let places: TestDatabases;
  let store: Store;
  beforeAll(async () => {
    places = await start();
  });
  afterAll(() => places.stop());
  beforeEach(async () => {
    store = await open(await places.fresh());
  });
  afterEach(() => store.close());

  it('goes to one holder at a time', async () => {
    const first = await store.leases.acquire('default', 'a', LONG_MS);
    expect(first).toEqual({ name: 'default', holder: 'a', epoch: 1, seq: 0, writtenSeq: 0 });
    expect(await store.leases.acquire('default', 'b', LONG_MS)).toBeNull();
    expect(await store.leases.acquire('other', 'b', LONG_MS)).toMatchObject({ epoch: 1 });
  });

  it('is given to one of many that ask at once', async () => {
    const holders = Array.from({ length: 8 }, (_, index) => `server-${index}`);
    const leases = await Promise.all(holders.map((holder) => store.leases.acquire('default', holder, LONG_MS)));
    expect(leases.filter((lease) => lease !== null)).toHaveLength(1);
  });

  it('that has expired goes to the next with a higher epoch, and cannot be renewed by the last', async () => {
    const first = await store.leases.acquire('default', 'a', 0);
    const second = await store.leases.acquire('default', 'b', LONG_MS);
    expect(second).toEqual({ name: 'default', holder: 'b', epoch: 2, seq: 0, writtenSeq: 0 });
    expect(await store.leases.renew(first!, LONG_MS)).toBe(false);
    expect(await store.leases.renew(second!, LONG_MS)).toBe(true);
    await store.leases.resign(first!);
    expect(await store.leases.acquire('default', 'a', LONG_MS)).toBeNull();
  });

  it('is kept by renewing, and is free once resigned', async () => {
    const lease = await store.leases.acquire('default', 'a', 0);
    expect(await store.leases.renew(lease!, LONG_MS)).toBe(true);
    expect(await store.leases.acquire('default', 'b', LONG_MS)).toBeNull();
    await store.leases.resign(lease!);
    expect(await store.leases.acquire('default', 'b', LONG_MS)).toMatchObject({ epoch: 2 });
  });

  it('raises its epoch for a holder who asks again, who has lost its memory', async () => {
    await store.leases.acquire('default', 'a', LONG_MS);
    expect(await store.leases.acquire('default', 'a', LONG_MS)).toMatchObject({ holder: 'a', epoch: 2 });
  });

  it('is taken from a holder that is certain to have ended', async () => {
    await store.leases.acquire('default', 'a', LONG_MS);
    expect(await store.leases.acquire('default', 'b', LONG_MS, ['c'])).toBeNull();
    expect(await store.leases.acquire('default', 'b', LONG_MS, ['c', 'a'])).toMatchObject({ holder: 'b', epoch: 2 });
  });

  it('is taken when nobody has renewed it for a term, also when the database’s clock was set back', async () => {
    // As if it had been taken at a time that is in the future again.
    await store.leases.acquire('default', 'a', LONG_MS);
    let passed = 0;
    const clock: Clock = {
      ...systemClock,
      monotonic: () => passed,
      sleep: (ms) => {
        passed += ms;
        return Promise.resolve();
      },
    };
    const holder = { name: 'b', predecessors: [] };
    const keeper = new LeaseKeeper(store.leases, 'default', holder, clock);
    expect(await keeper.acquire(new AbortController().signal)).toMatchObject({ holder: 'b', epoch: 2 });
    expect(passed).toBeGreaterThan(DEFAULT_LEASE.ttlMs);
    expect(passed).toBeLessThan(2 * DEFAULT_LEASE.ttlMs);
  });
});
