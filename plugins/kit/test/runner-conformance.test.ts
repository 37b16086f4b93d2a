import { spawn } from 'node:child_process';
import { describe, expect, it } from '@jest/globals';
import { defineRunner, type Outcome, type RunnerPlugin } from '@gantry/plugin-kit/runner';
import { AttemptHarness, leftProcesses, runnerChecks, type RunnerFixtures } from '@gantry/plugin-kit/testing';

// A check that no runner can fail is worth nothing: each of these runners is wrong in one way.

const DONE: Outcome = { ok: true, outputs: {} };
const fixtures: RunnerFixtures = {
  succeeds: { do: 'succeed' },
  fails: { do: 'fail' },
  endless: { do: 'hang' },
  stubborn: { do: 'hang' },
  signalled: { config: { do: 'fail' }, signal: 'SIGSEGV' },
  counts: { config: { do: 'count' }, upTo: 3 },
  binary: { config: { do: 'binary' }, bytes: Buffer.from([255]) },
  echoes: { do: 'echo' },
  mistakes: [{ config: { do: 'mistake' }, code: 'NO_SUCH_THING' }],
  atOnce: 5,
};
function runnerThat(run: RunnerPlugin['run']): RunnerPlugin {
  const config = { check: (value: unknown) => ({ ok: true as const, config: value }), jsonSchema: {} };
  return defineRunner({ name: 'wrong', version: '1.0.0', summary: 'Does something wrong.', config, run });
}
async function problemOf(name: string, run: RunnerPlugin['run'], after?: (harness: AttemptHarness) => void) {
  const harness = new AttemptHarness(runnerThat(run));
  try {
    return await runnerChecks.find((check) => check.name.startsWith(name))!.run(harness, fixtures);
  } finally {
    after?.(harness);
    await harness.close();
  }
}

describe('a runner is found out', () => {
  it.each<[what: string, check: string, run: RunnerPlugin['run'], problem: string]>([
    ['throws for NUL', 'does its work, or says why not', ({ env }) => {
      if (env['HOSTILE']?.includes('\0')) throw new TypeError('no NUL');
      return Promise.resolve(DONE);
    }, 'with NUL in the environment it threw'],
    ['splices text into a script', 'hands text on as it is', async ({ env, stdout }) => {
      stdout.write(env['TEXT']!.replaceAll('\\', ''));
      return Promise.resolve(DONE);
    }, 'it made'],
    ['takes bytes for text', 'hands bytes on', async ({ stdout }) => {
      stdout.write('\u{fffd}');
      return Promise.resolve(DONE);
    }, 'efbfbd'],
    ['prints out of order', 'prints in the order', async ({ stdout }) => {
      stdout.write('1\n3\n2\n');
      return Promise.resolve(DONE);
    }, 'line 2 is "3"'],
    ['loses lines', 'prints in the order', async ({ stdout }) => {
      stdout.write('1\n2\n');
      return Promise.resolve(DONE);
    }, '2 of 3 lines'],
    ['blames the node', 'lets a task pay', () => Promise.resolve({ ok: false, kind: 'REJECTED', reason: { code: 'NO_SUCH_THING', message: 'x' } }), 'is told as REJECTED'],
    ['names no field', 'lets a task pay', () => Promise.resolve({ ok: false, kind: 'APPLICATION', reason: { code: 'FAILED', message: 'x' } }), 'and not as NO_SUCH_THING'],
    ['fails for a large item', 'does its work however large', ({ env }) => Promise.resolve((env['GANTRY_ITEM']?.length ?? 0) > 131_072 ? { ok: false, kind: 'APPLICATION', reason: { code: 'BAD_SPEC', message: 'x' } } : DONE), 'GANTRY_ITEM made it fail'],
    ['starts when it was stopped', 'ends when it was asked to before', (attempt) => {
      attempt.started();
      return Promise.resolve(DONE);
    }, 'it said that it had started'],
    ['forgets the signal', 'names the signal', () => Promise.resolve({ ok: false, kind: 'APPLICATION', reason: { code: 'X', message: 'x' } }), 'its outcome is'],
    ['cannot have five at once', 'can have 200', ({ id }) => Promise.resolve(id.endsWith('.4.1') ? { ok: false, kind: 'INFRASTRUCTURE', reason: { code: 'BUSY', message: 'Busy.' } } : DONE), '1 of 5 failed'],
    ['says nonsense of a preemption', 'ends for whatever reason', ({ stop }) => new Promise((resolve) => {
      stop.addEventListener('abort', () => resolve(stop.reason === 'PREEMPTED' ? (null as never) : DONE));
    }), 'PREEMPTED: its outcome is null'],
  ])('that %s', async (_, check, run, problem) => {
    expect(await problemOf(check, run)).toContain(problem);
  }); // prettier-ignore

  it('that leaves a process behind', async () => {
    const problem = await problemOf(
      'leaves no process behind',
      async ({ id }) => {
        const child = spawn('sleep', ['60'], { env: { GANTRY_ATTEMPT_ID: id }, detached: true, stdio: 'ignore' });
        await new Promise((resolve) => child.on('spawn', resolve));
        return DONE;
      },
      ({ attemptIds }) => leftProcesses(attemptIds).forEach((pid) => process.kill(pid, 'SIGKILL')),
    );
    expect(problem).toMatch(/^the processes \d+(, \d+)* are still there$/);
  });
});
