import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { hold, keep, isRunning, NODES, NodeUnderTest, printed, reasonOf } from './node-under-test.ts';

const MEBIBYTE = 1_048_576;

describe.each(NODES)('a command on a node whose limits are kept by %s', (kind, settings) => {
  let node: NodeUnderTest;
  beforeAll(() => {
    node = new NodeUnderTest(settings);
  });
  afterAll(async () => {
    expect(await node.close()).toEqual({ files: [], processes: [] });
  });

  it('that needs more memory than it asked for is ended, and its end is told from every other', async () => {
    const resources = { memory: 100 * MEBIBYTE };
    const { outcome } = await node.run({ command: keep(200) }, { resources });
    expect(outcome).toMatchObject({ ok: false, kind: 'OOM', reason: { code: 'OUT_OF_MEMORY' } });
    const killed = await node.run({ command: 'kill -KILL $$' }, { resources });
    expect(killed.outcome).toMatchObject({ kind: 'APPLICATION', reason: { code: 'SIGNAL' }, signal: 'SIGKILL' });
    const exited = await node.run({ command: 'exit 137' }, { resources });
    expect(exited.outcome).toMatchObject({ kind: 'APPLICATION', reason: { code: 'EXIT_CODE' }, exitCode: 137 });
  });

  it('is ended for the memory of all its processes together', async () => {
    const { outcome } = await node.run(
      { command: `${keep(70)} & ${keep(70)} & ${keep(70)} & wait; exit 1` },
      { resources: { memory: 200 * MEBIBYTE } },
    );
    expect(outcome).toMatchObject({ ok: false, kind: 'OOM' });
  });

  it('that stays below its limits hears nothing of them', async () => {
    const { outcome } = await node.run(
      { command: hold(40), pids: 100, maxOutputBytes: 1_000 },
      { resources: { memory: 300 * MEBIBYTE, cpu: 2_000 } },
    );
    expect(outcome).toMatchObject({ ok: true });
    expect(outcome.usage?.peakMemoryBytes).toBeLessThan(300 * MEBIBYTE);
  });

  it('has no process that may have very much more at once, where memory is only looked at', async () => {
    const { stdout } = await node.run({ command: 'ulimit -d' }, { resources: { memory: 100 * MEBIBYTE } });
    expect(stdout).toBe(kind === 'rlimit' ? `${(100 + 2_048) * 1_024}\n` : 'unlimited\n');
  });

  it('does not get more processes than it may have', async () => {
    const { outcome } = await node.run({
      command: 'for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do sleep 1000 & done; wait',
      pids: 10,
    });
    expect(outcome).toMatchObject({ ok: false, kind: 'APPLICATION' });
    if (kind === 'rlimit') expect(reasonOf(outcome)).toBe('PROCESS_LIMIT');
    else expect(outcome.ok ? '' : outcome.reason.message).toMatch(/refused it a process or thread \d+ times/);
  });

  it('that prints more than it may is ended, in the middle or just at its end', async () => {
    const endless = await node.run({ command: 'yes', maxOutputBytes: 100_000 });
    expect(endless.outcome).toMatchObject({ kind: 'APPLICATION', reason: { code: 'OUTPUT_LIMIT' } });
    const short = await node.run({
      command: 'head -c 700 /dev/zero; head -c 301 /dev/zero >&2',
      maxOutputBytes: 1_000,
    });
    expect(reasonOf(short.outcome)).toBe('OUTPUT_LIMIT');
    const exact = await node.run({ command: 'head -c 1000 /dev/zero', maxOutputBytes: 1_000 });
    expect(exact.outcome).toMatchObject({ ok: true });
  });

  it('leaves none of its processes behind when a limit has ended it', async () => {
    const { attempt, outcome } = await node.run({
      command: `setsid sh -c 'echo $$; trap "" TERM; while :; do sleep 1; done' & sleep 0.1; yes`,
      maxOutputBytes: 100_000,
    });
    expect(reasonOf(outcome)).toBe('OUTPUT_LIMIT');
    expect(isRunning(Number(attempt.text.split('\n')[0]))).toBe(false);
  });

  it('ends by the hard stop with limits as without', async () => {
    const attempt = node.attempt(
      { command: `trap '' TERM; echo up; while :; do sleep 1; done`, pids: 50 },
      { resources: { memory: 200 * MEBIBYTE } },
    );
    const ended = attempt.run();
    await printed(attempt, 'up');
    attempt.requestKill();
    expect(await ended).toMatchObject({ ok: false, kind: 'APPLICATION', signal: 'SIGKILL' });
  });

  it('runs on a node that says how limits are kept', async () => {
    const { plugin, node: described } = node.harness;
    const detection = await plugin.detect!(AbortSignal.timeout(5_000), described);
    expect(detection).toMatchObject({ health: 'HEALTHY', attributes: { limits: kind } });
    expect(detection.enforces).toEqual(expect.arrayContaining(['memory', 'pids']));
    expect(detection.enforces?.includes('cpu')).toBe(kind !== 'rlimit');
  });
});

describe('a node with settings that cannot be', () => {
  it.each([
    [{ helperShell: 'dash' }, 'BAD_SETTINGS'],
    [{ cgroup: '../other' }, 'BAD_SETTINGS'],
    [{ nonsense: true }, 'BAD_SETTINGS'],
    [{ cgroup: '/' }, 'BAD_SETTINGS'],
  ])('says so, and takes no attempts: %j', async (settings, code) => {
    const node = new NodeUnderTest(settings);
    const { plugin, node: described } = node.harness;
    const detection = await plugin.detect!(AbortSignal.timeout(5_000), described);
    expect(detection).toMatchObject({ health: 'UNHEALTHY', reason: { code } });
    await node.close();
  });
});
