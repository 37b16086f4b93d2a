import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { assemble, type Assembly } from '../../server/assemble.ts';
import { systemClock, type Clock } from '../../server/clock.ts';
import { loadConfig } from '../../server/config/load.ts';
import type { NodeRecord, NodeRecordType } from '../../server/domain/node-record.ts';
import { createLog } from '../../server/log.ts';

// A server whose agent falls silent, and the same server started anew.

/** Twenty seconds of the server are one of ours: its nodes are lost after 45. */
const FASTER = 20;
const startedAt = systemClock.now();
const hasty: Clock = {
  ...systemClock,
  now: () => startedAt + (systemClock.now() - startedAt) * FASTER,
  monotonic: () => systemClock.monotonic() * FASTER,
  sleep: (ms, signal) => systemClock.sleep(ms / FASTER, signal),
};

const folder = mkdtempSync(join(tmpdir(), 'gantry-node-history-'));
let server: Assembly;

async function start(): Promise<void> {
  const env = { GANTRY_DATA_DIR: join(folder, 'data'), GANTRY_NODE_NAME: 'alpha' };
  const loaded = loadConfig({ env, cwd: folder });
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.problems));
  server = await assemble(loaded.config, createLog('error', 'json'), hasty);
  await server.engines.start();
  await server.agent.start();
}
async function stop(): Promise<void> {
  await server.agent.stop();
  await server.engines.stop();
  await server.store.close();
}
beforeAll(start);
afterAll(async () => {
  await stop();
  rmSync(folder, { recursive: true, force: true });
});

const history = async (): Promise<readonly NodeRecord[]> =>
  (await server.store.nodeRecords.page('alpha', { first: 100 })).rows.map(({ row }) => row).reverse();

/** Follows the history from its beginning until it tells of this. */
async function until(type: NodeRecordType): Promise<NodeRecord> {
  const ending = new AbortController();
  const [first] = await server.store.nodeRecords.after('alpha', undefined, 1);
  for await (const record of server.events.followNodeRecords('alpha', first?.cursor, ending.signal)) {
    if (record.type === type) return record;
  }
  throw new Error('It ended.');
}

describe('the history of a node', () => {
  it('tells that its agent fell silent and was lost, and, after a restart of the server, all that and its return', async () => {
    expect((await history())[0]).toMatchObject({ type: 'REGISTERED', incarnation: 1 });
    await server.commands.submit('default', { type: 'CORDON_NODE', node: 'alpha', message: 'a new disk' }, 'ann');
    await server.agent.stop();
    expect(await until('LOST')).toMatchObject({ incarnation: 1, message: expect.stringMatching(/silent for \d+ s/) });
    const before = await history();
    expect(before.map(({ type }) => type).slice(-2)).toEqual(['SUSPECTED', 'LOST']);
    expect(before.find(({ type }) => type === 'CORDONED')).toMatchObject({ actor: 'ann', message: 'a new disk' });

    await stop();
    await start();
    const returned = await until('RETURNED');
    expect(returned.incarnation).toBe(2);
    const after = await history();
    expect(after.slice(0, before.length)).toEqual(before);
    expect(after[before.length]).toMatchObject({ type: 'RETURNED', incarnation: 2 });
    // Who has cordoned it has not taken that back.
    expect((await server.store.nodes.byNames(['alpha']))[0]).toMatchObject({
      connection: 'READY',
      eligibility: 'CORDONED',
    });
  });

  it('is kept for the last thousand things and a few more, however much happens', async () => {
    const last = 1_400;
    const message = (time: number) => `time ${time}`;
    for (let time = 1; time <= last; time += 100) {
      const some = Array.from({ length: 100 }, (_, index) => message(time + index));
      await Promise.all(
        some.map((why) =>
          server.commands.submit('default', { type: 'CORDON_NODE', node: 'alpha', message: why }, 'ann'),
        ),
      );
    }
    // 256 more may be written before it is looked again, and 100 come at once.
    const page = () => server.store.nodeRecords.page('alpha', { first: 2_000 });
    while ((await page()).rows.length >= 1_000 + 256 + 100) await hasty.turn();
    const { rows } = await page();
    expect(rows.length).toBeGreaterThanOrEqual(1_000);
    expect(rows[0]!.row.message).toBe(message(last));
  });
});
