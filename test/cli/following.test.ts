import { afterEach, describe, expect, it } from '@jest/globals';
import { gantry } from './command-line.ts';
import { aRun, aTaskRun, pageOf, startScriptedServer, type ScriptedServer } from './scripted-server.ts';

const ID = '019aa1c8-0000-7000-8000-000000000001';
let server: ScriptedServer | null = null;
afterEach(async () => {
  await server?.close();
  server = null;
});

const failedAttempt = {
  number: 1,
  nodeName: 'local',
  state: 'FAILED',
  assignedAt: '2026-11-20T10:00:00.000Z',
  startedAt: '2026-11-20T10:00:00.000Z',
  finishedAt: '2026-11-20T10:00:01.000Z',
  failure: { kind: 'APPLICATION', code: 'EXIT', message: 'It failed.', remedy: null, exitCode: 3, signal: null },
};

describe('following a run', () => {
  const event = (cursor: string, facts: Readonly<Record<string, unknown>>) => ({
    run: { type: 'taskRun.started', at: '2026-11-20T10:00:00.000Z', cursor, run: aRun(), taskRun: null, ...facts },
  });
  const run = () => ({ ...aRun(), taskRuns: () => pageOf([aTaskRun(0, { state: 'RUNNING' })]) });
  /** A server whose subscription yields these events; `after` is the cursor that it was asked to resume from. */
  async function following(events: (after: string | undefined) => AsyncIterable<unknown>): Promise<string> {
    server = await startScriptedServer(
      {
        run,
        triggerRun: () => ({ __typename: 'TriggerRunPayload', isRepeated: false, run: aRun({ state: 'QUEUED' }) }),
      },
      { run: (args: { readonly after?: string }) => events(args.after) },
    );
    return server.url;
  }

  it.each([
    ['SUCCEEDED', 0],
    ['FAILED', 1],
    ['CANCELLED', 3],
  ])('exits with its outcome: %s is %i', async (state, expected) => {
    const url = await following(async function* () {
      yield event('c1', {});
      yield event('c2', { taskRun: aTaskRun(0, { state: 'SUCCEEDED' }) });
      yield event('c3', { type: 'run.ended', run: aRun({ state }) });
    });
    const { stdout, exitCode } = await gantry(['run', 'p', '--follow'], { env: { GANTRY_URL: url } });
    expect(stdout.trimEnd().split('\n')).toEqual([
      'run\tRUNNING',
      'split\tRUNNING\tattempt 1 on local',
      'split\tSUCCEEDED\tattempt 1 on local\t1.0 s',
      `run\t${state} in 1.5 s`,
    ]);
    expect(exitCode).toBe(expected);
  });

  it('goes on from its cursor after the connection broke, and shows nothing twice', async () => {
    const afters: (string | undefined)[] = [];
    const url = await following(async function* (after) {
      afters.push(after);
      if (after === undefined) {
        yield event('c1', {});
        yield event('c2', { taskRun: aTaskRun(0, { state: 'SUCCEEDED' }) });
        server?.cut();
        await new Promise(() => undefined);
      }
      yield event('c3', { run: aRun({ state: 'SUCCEEDED' }) });
    });
    const { stdout, stderr, exitCode } = await gantry(['show', ID, '--follow'], { env: { GANTRY_URL: url } });
    expect(afters).toEqual([undefined, 'c2']);
    expect(stderr).toBe('no contact with the server; trying again\nin contact again\n');
    expect(stdout.match(/SUCCEEDED/g)).toHaveLength(2);
    expect(exitCode).toBe(0);
  });

  it('is drawn in place on a terminal, instances of a fan-out together', async () => {
    const url = await following(async function* () {
      yield event('c1', {});
      for (let index = 0; index < 4; index++) {
        yield event(`c${index + 2}`, {
          taskRun: aTaskRun(index + 1, {
            taskKey: 'audit',
            mapIndex: index,
            state: index < 3 ? 'SUCCEEDED' : 'FAILED',
            attempt: index < 3 ? null : failedAttempt,
          }),
        });
      }
      yield event('c9', { run: aRun({ state: 'FAILED' }) });
    });
    const { stdout, exitCode } = await gantry(['show', ID, '--follow'], {
      env: { GANTRY_URL: url, NO_COLOR: '1' },
      isTTY: true,
    });
    const last = stdout
      .slice(stdout.lastIndexOf('\r') + 1)
      .replaceAll('\u001b[K', '')
      .replaceAll('\u001b[J', '')
      .trimEnd()
      .split('\n');
    expect(last[0]).toBe(`word-count v3  FAILED  3/3 tasks  1.5 s  ${ID}`);
    expect(last[1]).toMatch(/^ {2}● split +\d.* RUNNING$/);
    expect(last[2]).toMatch(/^ {2}✘ audit .*█{20} 4\/4 1 FAILED$/);
    expect(last[3]).toBe('  ✘ audit[3]  APPLICATION: exit code 3: It failed.');
    expect(exitCode).toBe(1);
  });

  it('shows how far a task is: on a terminal in its line, in a pipe tenth by tenth', async () => {
    const far = (done: number) =>
      event(`c${done}`, {
        type: 'taskRun.progressed',
        taskRun: aTaskRun(0, { progress: { fraction: done / 40, done, total: 40, message: `row\t${done}` } }),
      });
    const url = await following(async function* () {
      yield event('c1', {});
      for (let done = 0; done < 40; done++) yield far(done);
      yield event('c99', { run: aRun({ state: 'FAILED' }) });
    });
    const piped = await gantry(['show', ID, '--follow'], { env: { GANTRY_URL: url } });
    const lines = piped.stdout.split('\n').filter((line) => line.includes('/40'));
    expect(lines.map((line) => line.split('\t')[2])).toEqual(
      [4, 8, 12, 16, 20, 24, 28, 32, 36].map((done) => expect.stringMatching(`^${done}/40 row`)),
    );
    const drawn = await gantry(['show', ID, '--follow'], { env: { GANTRY_URL: url, NO_COLOR: '1' }, isTTY: true });
    expect(drawn.stdout.slice(drawn.stdout.lastIndexOf('\r'))).toMatch(/split .*█{19}░ 39\/40 row.*39/);
  });

  it('is never drawn taller than the screen', async () => {
    const url = await following(async function* () {
      yield event('c1', {});
      for (let index = 1; index < 40; index++) {
        const state = index < 30 ? 'SUCCEEDED' : 'FAILED';
        const attempt = index < 30 ? null : failedAttempt;
        yield event(`c${index + 1}`, { taskRun: aTaskRun(index, { taskKey: `task-${index}`, state, attempt }) });
      }
      yield event('c99', { run: aRun({ state: 'FAILED' }) });
    });
    const { stdout } = await gantry(['show', ID, '--follow'], { env: { GANTRY_URL: url }, isTTY: true });
    const heights = stdout.split('\r').map((drawing) => drawing.split('\n').length - 1);
    // The terminal of these tests has 24 rows, one of them for the cursor.
    expect(Math.max(...heights)).toBeLessThanOrEqual(23);
    expect(stdout).toContain('more tasks');
    expect(stdout).toContain('more failed');
  });

  it('ends at Ctrl-C, and says that the run goes on', async () => {
    const url = await following(async function* () {
      yield event('c1', {});
      await new Promise(() => undefined);
    });
    const { stderr, exitCode } = await gantry(['show', ID, '--follow'], {
      env: { GANTRY_URL: url },
      interruptWhen: (stdout) => stdout.includes('split'),
    });
    expect(stderr).toContain(`Cancel it: gantry cancel ${ID}`);
    expect(exitCode).toBe(130);
  });

  it('is one object per change with --json', async () => {
    const url = await following(async function* () {
      yield event('c1', {});
      yield event('c2', { run: aRun({ state: 'SUCCEEDED' }) });
    });
    const { stdout } = await gantry(['show', ID, '--follow', '--json'], { env: { GANTRY_URL: url } });
    const objects = stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(objects[0]).toMatchObject({ cursor: 'c1', run: { state: 'RUNNING' } });
    expect(objects.at(-1)).toMatchObject({ cursor: 'c2', run: { state: 'SUCCEEDED' } });
  });
});
