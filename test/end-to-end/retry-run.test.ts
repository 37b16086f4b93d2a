import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { databases, type TestDatabases } from '../support/databases.ts';
import { RealServer } from './real-server.ts';

// A run is repeated, and every end says why: a real server, both databases.

const RETRY = `mutation ($input: RetryRunInput!) { retryRun(input: $input) { __typename ... on Error { message }
  ... on RetryRunPayload { isRepeated run { id } } } }`;

describe.each(databases)('repeating a run on $name', ({ start }) => {
  let places: TestDatabases;
  let server: RealServer;
  let run: string;
  const path = (name: string) => join(server.folder, name);
  const retry = async (input: object) => (await server.ask(RETRY, { input: { id: run, ...input } })).retryRun;

  beforeAll(async () => {
    places = await start();
    server = new RealServer(await places.fresh());
    await server.start();
    // Six instances, of which one fails until the file is there; each says which it was.
    const command = `echo $GANTRY_ITEM >> ${path('ran')}
      [ $GANTRY_ITEM != c ] || [ -e ${path('mended')} ] || exit 3
      echo "item=$GANTRY_ITEM" >> $GANTRY_OUTPUT`;
    run = await server.run({
      name: 'fan',
      tasks: [
        { key: 'lint', runner: 'shell', allowFailure: true, with: { command: `echo lint >> ${path('ran')}; exit 1` } },
        { key: 'report', needs: ['lint'], runner: 'shell', with: { command: `echo report >> ${path('ran')}` } },
        { key: 'each', runner: 'shell', forEach: ['a', 'b', 'c', 'd', 'e', 'f'], with: { command } },
        { key: 'sum', needs: ['each'], runner: 'shell', with: { command: `echo sum >> ${path('ran')}` } },
        { key: 'last', needs: ['sum'], runner: 'shell', with: { command: 'true' } },
      ],
    });
  }, 120_000);
  afterAll(async () => {
    await server.remove();
    await places.stop();
  }, 60_000);

  const ran = () => (existsSync(path('ran')) ? readFileSync(path('ran'), 'utf8').trim().split('\n').toSorted() : []);

  it('the run has failed, and says of each task why', async () => {
    const { state, taskRuns } = await server.untilEnded(run);
    expect(state).toBe('FAILED');
    const why = (key: string) => taskRuns.nodes.find(({ taskKey }: { taskKey: string }) => taskKey === key).reason;
    expect(why('sum')).toMatchObject({
      code: 'UPSTREAM_FAILED',
      message: expect.stringMatching(/^The task each\[2\], which it needs, failed: /),
    });
    expect(why('last')).toEqual(why('sum'));
    expect(why('report')).toBeNull();
    const shown = await server.cli('why', run, 'last');
    expect(shown.placement.summary.message).toContain('each[2], which it needs, failed');
    expect(ran()).toEqual(['a', 'b', 'c', 'd', 'e', 'f', 'lint', 'report']);
  }, 120_000);

  it('the same key gives the same run, once, and another wish is refused', async () => {
    writeFileSync(path('mended'), '');
    writeFileSync(path('ran'), '');
    const answers = await Promise.all([1, 2, 3].map(() => retry({ idempotencyKey: 'again' })));
    answers.push(await retry({ idempotencyKey: 'again', from: 'FAILED' }));
    const ids = new Set(answers.map(({ run: { id } }) => id));
    expect([ids.size, answers.filter(({ isRepeated }) => !isRepeated).length]).toEqual([1, 1]);
    expect(await retry({ idempotencyKey: 'again', from: 'ALL' })).toMatchObject({ __typename: 'IdempotencyConflict' });
    const { triggerRun } = await server.ask(
      'mutation { triggerRun(input: { pipeline: "fan", idempotencyKey: "again" }) { __typename } }',
    );
    expect(triggerRun.__typename).toBe('IdempotencyConflict');

    const [again] = [...ids];
    const { state, taskRuns } = await server.untilEnded(again);
    expect(state).toBe('SUCCEEDED');
    expect(ran()).toEqual(['c', 'sum']);
    const seen = taskRuns.nodes.map(
      ({ taskKey, mapIndex, state: at }: Record<string, string | number | null>) =>
        `${taskKey} ${mapIndex ?? ''} ${at}`,
    );
    expect(seen).toEqual([
      'lint  FAILED',
      'report  CACHED',
      'each 0 CACHED',
      'sum  SUCCEEDED',
      'last  SUCCEEDED',
      'each 1 CACHED',
      'each 2 SUCCEEDED',
      'each 3 CACHED',
      'each 4 CACHED',
      'each 5 CACHED',
    ]);
    const [lint, report, first] = taskRuns.nodes;
    expect(lint.reason).toMatchObject({ code: 'FAILURE_TAKEN_OVER' });
    expect(report.reason).toEqual({
      code: 'CACHED',
      message: `Its outputs were taken over from run ${run}: it was not done again.`,
      remedy: null,
    });
    expect(first.outputs).toEqual({ item: 'a' });
  }, 120_000);

  it('the key of the command line is that one, too', async () => {
    const twice = [];
    for (let time = 0; time < 2; time++) twice.push(await server.cli('retry', run, '--idempotency-key', 'by-cli'));
    const [first, second] = twice.map(({ id }) => id);
    expect(first).toMatch(/^[0-9a-f-]{36}$/);
    expect(second).toBe(first);
  }, 120_000);

  it('a forEach that is no list says what it was, and how a list is written', async () => {
    const bad = await server.run({
      name: 'no-list',
      tasks: [
        { key: 'split', runner: 'shell', with: { command: `echo 'parts=["a","b"]' >> $GANTRY_OUTPUT` } },
        {
          key: 'work',
          needs: ['split'],
          runner: 'shell',
          forEach: '${{ tasks.split.outputs.parts }}',
          with: { command: 'true' },
        },
        { key: 'none', runner: 'shell', forEach: [], with: { command: 'true' } },
      ],
    });
    const { taskRuns } = await server.untilEnded(bad);
    expect(taskRuns.nodes[1]).toMatchObject({
      state: 'FAILED',
      reason: {
        code: 'FOR_EACH_NOT_A_LIST',
        message: 'forEach must yield a list, and it yielded the text: "[\\"a\\",\\"b\\"]".',
        remedy: expect.stringContaining('parts:=[…]'),
      },
    });
    expect(taskRuns.nodes[2]).toMatchObject({ state: 'SKIPPED', reason: { code: 'FOR_EACH_EMPTY' } });
    const shown = await server.cli('why', bad, 'work');
    expect(JSON.stringify(shown)).toContain('parts:=[…]');
  }, 120_000);
});
