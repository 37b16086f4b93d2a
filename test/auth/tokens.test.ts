import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { createTokens, type Tokens } from '../../server/auth/tokens.ts';
import { hasRole, ROLES } from '../../server/auth/roles.ts';
import type { Clock } from '../../server/clock.ts';
import { openStore } from '../../server/store/open.ts';
import type { Store } from '../../server/store/store.ts';

/** A clock that is wound by hand; sleepers wake when their time has come. */
function handClock() {
  let now = 1_000_000;
  const sleepers = new Set<{ readonly at: number; wake(): void }>();
  const clock: Clock = {
    now: () => now,
    monotonic: () => now,
    turn: () => Promise.resolve(),
    sleep: (ms, signal) =>
      new Promise((resolve, reject) => {
        const sleeper = { at: now + ms, wake: resolve };
        sleepers.add(sleeper);
        signal?.addEventListener('abort', () => {
          sleepers.delete(sleeper);
          reject(signal.reason as Error);
        });
      }),
  };
  const wind = (ms: number) => {
    now += ms;
    for (const sleeper of sleepers) {
      if (sleeper.at > now) continue;
      sleepers.delete(sleeper);
      sleeper.wake();
    }
  };
  return { clock, wind };
}

let store: Store;
let tokens: Tokens;
let elsewhere: Tokens;
let wind: (ms: number) => void;

beforeEach(async () => {
  const hand = handClock();
  wind = hand.wind;
  store = await openStore({ url: 'sqlite::memory:', clock: hand.clock });
  tokens = createTokens(store, hand.clock);
  elsewhere = createTokens(store, hand.clock);
});
afterEach(async () => {
  await tokens.stop();
  await elsewhere.stop();
  await store.close();
});

const made = async (name = 'ada', expiresInMs: number | null = null) =>
  (await tokens.create({ name, role: 'OPERATOR', expiresInMs }, 'test'))!;

describe('tokens', () => {
  it('let in who has one, by name and role', async () => {
    const { secret, token } = await made();
    expect(secret).toMatch(/^gantry_[\w-]{43}$/);
    expect(await tokens.verify(secret)).toEqual({ tokenId: token.id, name: 'ada', role: 'OPERATOR', expiresAt: null });
  });

  it('let nobody in with anything else', async () => {
    const { secret } = await made();
    const others = [
      '',
      'gantry_',
      secret.slice(0, -1),
      `${secret}x`,
      secret.toUpperCase(),
      'x'.repeat(100_000),
      "' OR 1=1",
    ];
    for (const other of others) expect(await tokens.verify(other)).toBeNull();
  });

  it('are kept as hashes only, and show no more than their beginning', async () => {
    const { secret, token } = await made();
    const kept = JSON.stringify([await store.tokens.all(), (await store.audit.page({ first: 10 })).rows]);
    expect(kept).not.toContain(secret);
    expect(kept).not.toContain(secret.slice(0, 20));
    expect(secret.startsWith(token.prefix)).toBe(true);
  });

  it('leave an audit record when they are made and when they are revoked', async () => {
    const { token } = await made();
    await tokens.revoke(token.id, 'admin');
    const { rows } = await store.audit.page({ first: 10 });
    expect(rows.map(({ row }) => row.action)).toEqual(expect.arrayContaining(['token.create', 'token.revoke']));
  });

  it('end when they are revoked: here at once, on another server within five seconds', async () => {
    const { secret, token } = await made();
    expect(await elsewhere.verify(secret)).not.toBeNull();
    expect(await tokens.revoke(token.id, 'admin')).toBe(true);
    expect(await tokens.verify(secret)).toBeNull();
    wind(5_000);
    expect(await elsewhere.verify(secret)).toBeNull();
  });

  it('end when they expire, to the millisecond', async () => {
    const { secret } = await made('ada', 1_000);
    expect(await tokens.verify(secret)).not.toBeNull();
    wind(999);
    expect(await tokens.verify(secret)).not.toBeNull();
    wind(1);
    expect(await tokens.verify(secret)).toBeNull();
  });

  it('call back who watches one when another server revokes it', async () => {
    const { secret, token } = await made();
    const viewer = (await elsewhere.verify(secret))!;
    await elsewhere.start();
    const ended = new Promise<void>((resolve) => elsewhere.watch(viewer, resolve));
    await tokens.revoke(token.id, 'admin');
    expect(elsewhere.isGood(viewer)).toBe(true);
    wind(2_000);
    await ended;
    expect(elsewhere.isGood(viewer)).toBe(false);
  });

  it('have names that are free again once the token is no longer good', async () => {
    const { token } = await made();
    expect(await tokens.create({ name: 'ada', role: 'VIEWER', expiresInMs: null }, 'test')).toBeNull();
    await tokens.revoke(token.id, 'admin');
    expect(await tokens.create({ name: 'ada', role: 'VIEWER', expiresInMs: null }, 'test')).not.toBeNull();
  });

  it('remember when they were used', async () => {
    const { secret } = await made();
    wind(500);
    await tokens.verify(secret);
    await tokens.start();
    await tokens.stop();
    expect((await store.tokens.all())[0]?.lastUsedAt).toBe(1_000_500);
  });

  it('let an admin in from the first start, and make no second one', async () => {
    const secret = await tokens.ensureAdmin(undefined);
    expect(await tokens.verify(secret!)).toMatchObject({ role: 'ADMIN' });
    expect(await tokens.ensureAdmin(undefined)).toBeNull();
  });

  it('take the admin’s token that is configured, and change it when the configuration changes', async () => {
    expect(await tokens.ensureAdmin('a-chosen-token')).toBe('a-chosen-token');
    expect(await tokens.verify('a-chosen-token')).toMatchObject({ role: 'ADMIN', name: 'admin' });
    await tokens.ensureAdmin('another-token');
    wind(5_000);
    expect(await tokens.verify('a-chosen-token')).toBeNull();
    expect(await tokens.verify('another-token')).toMatchObject({ role: 'ADMIN' });
  });
});

describe('roles', () => {
  it('may do what those before them may, and NODE stands apart', () => {
    const matrix = Object.fromEntries(
      ROLES.map((held) => [held, ROLES.filter((required) => hasRole(held, required)).join(' ')]),
    );
    expect(matrix).toEqual({
      VIEWER: 'VIEWER',
      OPERATOR: 'VIEWER OPERATOR',
      AUTHOR: 'VIEWER OPERATOR AUTHOR',
      ADMIN: 'VIEWER OPERATOR AUTHOR ADMIN',
      NODE: 'NODE',
    });
  });
});
