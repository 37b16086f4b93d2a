import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { databases, type TestDatabases } from '../support/databases.ts';
import { HeldService, RealServer } from './real-server.ts';

// What is done once, what is repeated and why it ended: a real server, a real service, both databases.

describe.each(databases)('on $name', ({ start }) => {
  let places: TestDatabases;
  let server: RealServer;
  let base: string;
  const service = new HeldService();

  beforeAll(async () => {
    places = await start();
    base = await service.listen();
    server = new RealServer(await places.fresh());
    await server.start();
  }, 120_000);
  afterAll(async () => {
    await server.remove();
    service.close();
    await places.stop();
  }, 60_000);
  beforeEach(() => service.hold());

  const post = (more: object = {}) => ({
    key: 'pay',
    runner: 'http',
    retry: { max: 3, delay: '1s' },
    with: { url: `${base}/pay`, method: 'POST', body: 'x' },
    ...more,
  });
  const poll = { url: { header: 'Location' }, until: { jsonPointer: '/state', equals: 'DONE' } };
  const job = { url: `/jobs`, method: 'POST', json: {}, poll };

  it.each(['SIGTERM', 'SIGKILL'] as const)(
    'a POST without a key is not sent twice over a %s and a restart',
    async (signal) => {
      const held = service.nextHeld();
      const run = await server.run({ name: 'pay', tasks: [post()] });
      await held;
      await server.end(signal);
      service.open();
      await server.start();
      const { state, taskRuns } = await server.untilEnded(run);
      expect([state, service.asked]).toEqual(['FAILED', ['POST /pay']]);
      expect(taskRuns.nodes[0]).toMatchObject({
        state: 'FAILED',
        attempts: [{ number: 1, failure: { kind: 'UNKNOWN', code: 'OUTCOME_UNKNOWN' } }],
        reason: { code: 'OUTCOME_UNKNOWN', message: expect.stringMatching(/^Nobody knows whether pay finished: /) },
      });
      expect(taskRuns.nodes[0].reason.remedy).toContain('idempotent: true');
    },
    120_000,
  );

  it('a POST is sent again where its task says that it may be', async () => {
    const held = service.nextHeld();
    const run = await server.run({ name: 'pay-twice', tasks: [post({ idempotent: true, retry: 0 })] });
    await held;
    await server.end('SIGTERM');
    service.open();
    await server.start();
    expect((await server.untilEnded(run)).state).toBe('SUCCEEDED');
    expect(service.asked).toEqual(['POST /pay', 'POST /pay']);
  }, 120_000);

  it('a GET is made again by itself', async () => {
    const held = service.nextHeld();
    const task = { key: 'get', runner: 'http', with: { url: `${base}/get` } };
    const run = await server.run({ name: 'get', tasks: [task] });
    await held;
    await server.end('SIGTERM');
    service.open();
    await server.start();
    expect((await server.untilEnded(run)).state).toBe('SUCCEEDED');
  }, 120_000);

  it('a job is not submitted twice when the server stops while it is submitted', async () => {
    const held = service.nextHeld();
    const task = post({ key: 'work', with: { ...job, url: `${base}/jobs` } });
    const run = await server.run({ name: 'job', tasks: [task] });
    await held;
    await server.end('SIGTERM');
    service.open();
    await server.start();
    const { state, taskRuns } = await server.untilEnded(run);
    expect([state, service.asked]).toEqual(['FAILED', ['POST /jobs']]);
    expect(taskRuns.nodes[0].attempts).toMatchObject([{ failure: { kind: 'UNKNOWN' } }]);
  }, 120_000);

  it('a command that must not run twice and kills what started it has run once', async () => {
    const file = join(server.folder, 'begun');
    const command = `echo begun >> ${file}; kill -9 $PPID; sleep 1; echo done >> ${file}`;
    const task = { key: 'once', runner: 'shell', idempotent: false, retry: 3, with: { command } };
    const run = await server.run({ name: 'suicide', tasks: [task] });
    const { taskRuns } = await server.untilEnded(run);
    expect(taskRuns.nodes[0].attempts).toHaveLength(1);
    expect(existsSync(file) && readFileSync(file, 'utf8').match(/begun/g)).toHaveLength(1);
  }, 120_000);

  it('four crashes of the server cost a run nothing that never ran', async () => {
    const task = { key: 'later', runner: 'mock', env: { KEY: '${{ secrets.OF_LATER }}' } };
    const run = await server.run({ name: 'patient', tasks: [task] });
    for (let crash = 1; crash <= 4; crash++) {
      // Rejected once more each time: its node has no such secret.
      const seen = await server.until(
        run,
        ({ taskRuns: { nodes } }) => nodes[0].attempts.length >= crash && nodes[0].state === 'BACKOFF',
      );
      expect(seen.taskRuns.nodes[0]).toMatchObject({
        failures: 0,
        losses: 0,
        reason: { message: expect.stringContaining('OF_LATER') },
        placement: { summary: { code: 'BACKOFF', message: expect.stringContaining('was rejected by node') } },
      });
      await server.end('SIGKILL');
      await server.start();
    }
    // Not in the middle of another attempt: that one would be of interest to another test.
    await server.until(run, ({ taskRuns: { nodes } }) => nodes[0].attempts.length > 4 && nodes[0].state === 'BACKOFF');
    await server.end('SIGTERM');
    await server.start({ GANTRY_SECRET_OF_LATER: 'a-secret-that-came-late' });
    expect(await server.untilEnded(run)).toMatchObject({ state: 'SUCCEEDED', taskRuns: { nodes: [{ losses: 0 }] } });
  }, 180_000);

  it('what costs too many losses is told as poison', async () => {
    const run = await server.run({
      name: 'poison',
      tasks: [{ key: 'bad', runner: 'mock', with: { outcome: 'lose' } }],
    });
    const { taskRuns } = await server.untilEnded(run);
    expect(taskRuns.nodes[0]).toMatchObject({ losses: 4, failures: 0, reason: { code: 'POISON' } });
    const shown = await server.cli('why', run, 'bad');
    expect(shown.placement.summary.message).toContain('It was lost 4 times while it was at work');
  }, 120_000);

  it('a pool says whether tasks may be repeated that do not say so themselves', async () => {
    const unknown = { name: 'unsure', tasks: [{ key: 'a', runner: 'mock', with: { outcome: 'unknown' } }] };
    await server.cli('update-pool', 'default', '--idempotent', 'false');
    await server.end('SIGTERM');
    await server.start();
    const { pool } = await server.ask('{ pool(name: "default") { idempotent scheduler { name } } }');
    expect(pool).toMatchObject({ idempotent: false, scheduler: { name: 'priority' } });
    const { taskRuns } = await server.untilEnded(await server.run(unknown));
    expect(taskRuns.nodes[0]).toMatchObject({ attempts: [{ failure: { kind: 'UNKNOWN', code: 'OUTCOME_UNKNOWN' } }] });
    expect(taskRuns.nodes[0].reason.message).toContain('idempotent is false in its pool');
    await server.cli('update-pool', 'default', '--idempotent', 'unset');
    const again = await server.run(unknown);
    const seen = await server.until(again, ({ taskRuns: { nodes } }) => nodes[0].state === 'BACKOFF');
    expect(seen.taskRuns.nodes[0].losses).toBe(1);
    await server.ask('mutation ($id: ID!) { cancelRun(input: { id: $id, message: "seen enough" }) { __typename } }', {
      id: again,
    });
    const { taskRuns: ended } = await server.untilEnded(again);
    expect(ended.nodes[0]).toMatchObject({ state: 'CANCELLED', reason: { code: 'CANCELLED' } });
    expect(ended.nodes[0].reason.message).toMatch(/^Cancelled by .+: seen enough$/);
  }, 120_000);
});
