import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { TestAttempt } from '@gantry/plugin-kit/testing';
import { killMembers, membersOf } from '../src/process-tree.ts';
import { complaintsOf, gone, isRunning, NODES_BY_SHELL, NodeUnderTest, printed, reasonOf } from './node-under-test.ts';

const lastNumber = (attempt: TestAttempt) => Number(attempt.text.trim().split('\n').at(-1));

describe.each(NODES_BY_SHELL)(
  'the processes of a command, with helpers in %s, on a node with %s',
  (_shell, _kind, settings) => {
    let node: NodeUnderTest;
    beforeAll(() => {
      node = new NodeUnderTest(settings);
    });
    afterAll(async () => {
      expect(await node.close()).toEqual({ files: [], processes: [] });
    });

    it('that it leaves behind are ended, and that is told', async () => {
      const { attempt, outcome } = await node.run({ command: 'sleep 1000 & sleep 1000 & echo $!' });
      expect(outcome.ok).toBe(true);
      expect(isRunning(lastNumber(attempt))).toBe(false);
      expect(complaintsOf(attempt)).toContain('2 processes were left behind');
    });

    it('that it leaves behind in a session of their own, deaf to SIGTERM, are ended too', async () => {
      const daemon = `trap "" TERM; echo $$; exec 1>&- 2>&-; while :; do sleep 1; done`;
      const { attempt, outcome } = await node.run({ command: `setsid sh -c '${daemon}' & sleep 0.1` });
      expect(outcome.ok).toBe(true);
      expect(isRunning(lastNumber(attempt))).toBe(false);
      expect(complaintsOf(attempt)).toContain('left behind');
    });

    it('that have left their group are no stranger’s business: nothing else is ended', async () => {
      const gate = node.gate();
      const other = node.attempt({ command: `echo up; read -r _ < "${gate.path}"` });
      const ended = other.run();
      await printed(other, 'up');
      await node.run({ command: 'sleep 1000 &' });
      gate.open();
      expect((await ended).ok).toBe(true);
    });

    it('end with a soft stop', async () => {
      const attempt = node.attempt({ command: 'sleep 1000 & echo $!; wait' });
      const ended = attempt.run();
      await printed(attempt, '\n');
      attempt.requestStop();
      expect(await ended).toMatchObject({ ok: false, exitCode: 143 });
      expect(isRunning(lastNumber(attempt))).toBe(false);
    });

    it('end with a soft stop that comes at any moment of their beginning', async () => {
      const attempts = Array.from({ length: 30 }, () => node.attempt({ command: 'exec sleep 1000' }));
      const ended = attempts.map(async (attempt, index) => {
        const outcome = attempt.run();
        for (let turns = 0; turns < index * 3; turns++) await new Promise((resolve) => setImmediate(resolve));
        attempt.requestStop();
        return outcome;
      });
      for (const outcome of await Promise.all(ended)) expect(outcome.ok).toBe(false);
    });

    it('may use a soft stop to end in good order', async () => {
      const attempt = node.attempt({ command: `trap 'echo tidied; exit 0' TERM; echo up; sleep 1000 & wait` });
      const ended = attempt.run();
      await printed(attempt, 'up');
      attempt.requestStop();
      expect((await ended).ok).toBe(true);
      expect(attempt.text).toContain('tidied');
    });

    it('that ignore the soft stop end with the hard one, and the next command runs as ever', async () => {
      const attempt = node.attempt({ command: `trap '' TERM; echo up; while :; do sleep 1; done` });
      const ended = attempt.run();
      await printed(attempt, 'up');
      attempt.requestKill();
      expect(await ended).toMatchObject({ ok: false, signal: 'SIGKILL' });
      expect((await node.run({ command: 'echo again' })).stdout).toBe('again\n');
    });

    it('that left for a session of their own end with the hard stop', async () => {
      const attempt = node.attempt({ command: `setsid sh -c 'echo $$; exec sleep 1000' & wait` });
      const ended = attempt.run();
      await printed(attempt, '\n');
      attempt.requestKill();
      await ended;
      expect(isRunning(lastNumber(attempt))).toBe(false);
    });

    it('may signal their own group without harm to anything else', async () => {
      const { outcome } = await node.run({ command: `trap : TERM; kill -TERM 0; kill -USR1 0` });
      expect(outcome).toMatchObject({ ok: false, signal: 'SIGUSR1' });
      expect((await node.run({ command: 'echo again' })).stdout).toBe('again\n');
    });

    it('that kill their own group tell honestly that nobody heard their end', async () => {
      const { outcome } = await node.run({ command: 'kill -KILL 0' });
      expect(outcome).toMatchObject({ ok: false, kind: 'UNKNOWN', reason: { code: 'EXIT_STATUS_UNKNOWN' } });
    });

    it('are followed to their end when their helper is killed, and the end is told as unknown', async () => {
      const gate = node.gate();
      const attempt = node.attempt({
        command: `ps -o ppid= -p $$; echo up; read -r _ < "${gate.path}"; echo down; exit 5`,
      });
      const ended = attempt.run();
      await printed(attempt, 'up');
      const helper = Number(attempt.text.split('\n')[0]);
      process.kill(helper, 'SIGKILL');
      await gone(helper);
      gate.open();
      const outcome = await ended;
      expect([reasonOf(outcome), attempt.text.includes('down')]).toEqual(['EXIT_STATUS_UNKNOWN', true]);
      expect((await node.run({ command: 'echo again' })).stdout).toBe('again\n');
    });

    it('end with the hard stop after their helper was killed', async () => {
      const attempt = node.attempt({ command: `ps -o ppid= -p $$; echo up; trap '' TERM; while :; do sleep 1; done` });
      const ended = attempt.run();
      await printed(attempt, 'up');
      const helper = Number(attempt.text.split('\n')[0]);
      process.kill(helper, 'SIGKILL');
      await gone(helper);
      attempt.requestKill();
      expect(await ended).toMatchObject({ ok: false, signal: 'SIGKILL' });
    });
  },
);

describe('the processes of an attempt', () => {
  it('are found whatever their pid is, once pids may have gone round', async () => {
    const marks = [`GANTRY_ATTEMPT_ID=${randomUUID()}`];
    const stray = spawn('sleep', ['1000'], { env: { GANTRY_ATTEMPT_ID: marks[0]!.split('=')[1]! }, detached: true });
    await once(stray, 'spawn');
    // As if it had got a pid below the one from which the attempt's were counted.
    const since = stray.pid! + 1;
    const tree = { marks, session: -1, since, group: null };
    expect(membersOf({ ...tree, sinceMs: performance.now() - 2_000 })).toEqual([stray.pid]);
    await killMembers({ ...tree, sinceMs: performance.now() - 2_000 });
    await gone(stray.pid!);
  });
});

describe('the session of a helper that an agent before has left', () => {
  it('is another attempt’s once that has been begun in it: only what bears the marks is still of the first', async () => {
    const [first, second] = [randomUUID(), randomUUID()];
    const script = `MARK=${first} sleep 1000 & echo $!; MARK=${second} sleep 1000 & echo $!; wait`;
    const helper = spawn('/bin/sh', ['-c', script], { detached: true, stdio: ['ignore', 'pipe', 'ignore'] });
    const ended = once(helper, 'exit');
    let said = '';
    while (said.trim().split('\n').length < 2) said += String((await once(helper.stdout, 'data'))[0]);
    const pids = said.trim().split('\n').map(Number);
    const tree = { marks: [`MARK=${first}`], session: helper.pid!, since: null, sinceMs: 0, group: null };
    expect(membersOf(tree)).toEqual(expect.arrayContaining(pids));
    expect(membersOf({ ...tree, ownsSession: () => true })).toEqual(expect.arrayContaining(pids));
    const others = { ...tree, ownsSession: () => false };
    while (membersOf(others).length === 0) await new Promise((resolve) => setImmediate(resolve));
    expect(membersOf(others)).toEqual([pids[0]]);
    await killMembers(tree);
    await ended;
  });
});
