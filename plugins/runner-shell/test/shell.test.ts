import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import type { Outcome } from '@gantry/plugin-kit/runner';
import shell from '../src/index.ts';
import { endEscapees } from '../src/process-tree.ts';
import { shellBench } from './harness.ts';

let bench: ReturnType<typeof shellBench>;
beforeAll(() => {
  bench = shellBench();
});
afterAll(async () => {
  await shell.close!();
  bench.end();
});
afterEach(() => {
  const state = join(bench.folder, 'state');
  // Nothing of an ended attempt is left on the disk.
  if (existsSync(state)) expect(readdirSync(state)).toEqual([]);
});

const reasonOf = (outcome: Outcome) => (outcome.ok ? null : outcome.reason.code);
/** A corpse is not: what its first process buries late is no matter of ours. */
const isRunning = (pid: number) => {
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
};

describe('a command', () => {
  it('succeeds with the outputs that it wrote, in every form', async () => {
    const attempt = bench.attempt({
      command: `echo "name=text with = signs" >> "$GANTRY_OUTPUT"
        echo 'count:=[1,{"a":2}]' >> "$GANTRY_OUTPUT"
        printf 'long<<END\\nline 1\\nline 2\\nEND\\n' >> "$GANTRY_OUTPUT"`,
    });
    expect(await attempt.run()).toEqual({
      ok: true,
      outputs: { name: 'text with = signs', count: [1, { a: 2 }], long: 'line 1\nline 2' },
    });
  });

  it('may write its outputs as one JSON object', async () => {
    const attempt = bench.attempt({ command: `echo '{"a": {"b": [true]}}' > "$GANTRY_OUTPUT"` });
    expect(await attempt.run()).toEqual({ ok: true, outputs: { a: { b: [true] } } });
  });

  it.each([
    ['nonsense', /line 1: "nonsense"/],
    ['a=1\nb:={', /line 2: the value of b is no JSON/],
    ['a<<END\nx', /has no line "END"/],
    ['{"a":', /begins like a JSON object/],
  ])('fails on malformed outputs and says where: %j', async (text, message) => {
    const outcome = await bench
      .attempt({ argv: ['/bin/sh', '-c', 'printf %s "$TEXT" > "$GANTRY_OUTPUT"'] }, { env: { TEXT: text } })
      .run();
    expect(outcome).toMatchObject({ ok: false, kind: 'APPLICATION', reason: { code: 'OUTPUT_MALFORMED' } });
    expect(outcome.ok ? '' : outcome.reason.message).toMatch(message);
  });

  it('prints on both streams', async () => {
    const attempt = bench.attempt({ command: 'echo out; echo err >&2' });
    await attempt.run();
    expect([attempt.printed, attempt.complained]).toEqual(['out\n', 'err\n']);
  });

  it('is heard while it runs, not only at its end', async () => {
    const gate = join(bench.folder, 'gate');
    spawnSync('mkfifo', [gate]);
    const attempt = bench.attempt({ command: `echo before; read -r _ < "${gate}"; echo after` });
    const ended = attempt.run();
    await once(attempt.stdout, 'data');
    expect(attempt.printed).toBe('before\n');
    writeFileSync(gate, 'go\n');
    await ended;
    expect(attempt.printed).toBe('before\nafter\n');
  });

  it('tells its exit code, and what shells mean by it', async () => {
    expect(await bench.attempt({ command: 'exit 3' }).run()).toMatchObject({
      ok: false,
      kind: 'APPLICATION',
      exitCode: 3,
      reason: { code: 'EXIT_CODE' },
    });
    const missing = await bench.attempt({ command: 'no-such-command-anywhere' }).run();
    expect(missing.ok ? '' : missing.reason.message).toMatch(/127: the command was not found/);
    expect(reasonOf(await bench.attempt({ argv: ['/no/such/program'] }).run())).toBe('COMMAND_NOT_FOUND');
    expect(reasonOf(await bench.attempt({ command: 'true', workingDirectory: '/no/such/folder' }).run())).toBe(
      'COMMAND_NOT_FOUND',
    );
  });

  it('that a signal ended is told apart from one that exited with 137', async () => {
    expect(await bench.attempt({ command: 'kill -KILL $$' }).run()).toMatchObject({
      signal: 'SIGKILL',
      reason: { code: 'SIGNAL' },
    });
    expect(await bench.attempt({ command: 'exit 137' }).run()).toMatchObject({
      exitCode: 137,
      reason: { code: 'EXIT_CODE' },
    });
  });

  it('sees hostile values as data', async () => {
    const value = 'x; echo PWNED; $(echo PWNED) `echo PWNED`\n"\'\\';
    const attempt = bench.attempt({ command: 'printf %s "$VALUE"' }, { env: { VALUE: value } });
    await attempt.run();
    expect(attempt.printed).toBe(value);
  });

  it('gets its own environment, and nothing of the server’s', async () => {
    process.env['GANTRY_ADMIN_TOKEN_OF_TEST'] = 'secret';
    const attempt = bench.attempt(
      { argv: ['/usr/bin/env'] },
      { env: { MINE: 'yes' }, inputs: { params: { a: 1 } }, id: 'run.900.1' },
    );
    await attempt.run();
    const env = Object.fromEntries(
      attempt.printed
        .trim()
        .split('\n')
        .map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]),
    );
    expect(env).toMatchObject({
      MINE: 'yes',
      GANTRY_RUN_ID: 'run',
      GANTRY_TASK: 'task',
      GANTRY_ATTEMPT: '1',
      GANTRY_ATTEMPT_ID: 'run.900.1',
    });
    expect(Object.keys(env).sort()).toEqual([
      'GANTRY_ATTEMPT',
      'GANTRY_ATTEMPT_ID',
      'GANTRY_INPUTS',
      'GANTRY_OUTPUT',
      'GANTRY_RUN_ID',
      'GANTRY_TASK',
      'GANTRY_WORKDIR',
      'HOME',
      'LANG',
      'MINE',
      'PATH',
      'TMPDIR',
    ]);
  });

  it('finds its inputs in a file, and is given its stdin', async () => {
    const attempt = bench.attempt(
      { command: 'cat "$GANTRY_INPUTS" -', stdin: 'typed' },
      { inputs: { params: { a: 1 } } },
    );
    await attempt.run();
    expect(attempt.printed).toBe('{"params":{"a":1}}typed');
  });

  it.each([
    ['a NUL', { env: { BAD: 'a\0b' } }, /BAD holds a NUL/],
    ['a huge value', { env: { BAD: 'x'.repeat(200_000) } }, /BAD has 200000 bytes/],
  ])('is refused with %s', async (_, extra, message) => {
    const outcome = await bench.attempt({ command: 'true' }, extra).run();
    expect(reasonOf(outcome)).toBe('BAD_SPEC');
    expect(outcome.ok ? '' : outcome.reason.message).toMatch(message);
  });

  it('may be a script for any interpreter', async () => {
    const attempt = bench.attempt({
      script: 'console.log(process.argv.length, 6 * 7)',
      interpreter: [process.execPath],
    });
    await attempt.run();
    expect(attempt.printed).toBe('2 42\n');
  });

  it('prints binary without harm', async () => {
    const attempt = bench.attempt({ command: 'head -c 100000 /dev/urandom; printf "\\033[31m"' });
    let bytes = 0;
    attempt.stdout.on('data', (piece: Buffer) => (bytes += piece.length));
    expect((await attempt.run()).ok).toBe(true);
    expect(bytes).toBe(100_005);
  });

  it('runs two hundred at once', async () => {
    const outcomes = await Promise.all(
      Array.from({ length: 200 }, (_, index) =>
        bench.attempt({ command: `echo "n:=${index}" > "$GANTRY_OUTPUT"` }).run(),
      ),
    );
    expect(outcomes.map((outcome) => (outcome.ok ? outcome.outputs['n'] : outcome))).toEqual(
      Array.from({ length: 200 }, (_, index) => index),
    );
  });
});

describe('a process tree', () => {
  const pidIn = (attempt: { printed: string }) => Number(attempt.printed.trim().split('\n').at(-1));

  it('that is left behind in the group is ended, and that is told', async () => {
    const attempt = bench.attempt({ command: 'sleep 1000 & echo $!' });
    expect((await attempt.run()).ok).toBe(true);
    expect(isRunning(pidIn(attempt))).toBe(false);
    expect(attempt.complained).toContain('1 process was left behind and ended');
  });

  it('ends with a soft stop', async () => {
    const attempt = bench.attempt({ command: 'sleep 1000 & echo $!; wait' });
    const ended = attempt.run();
    await once(attempt.stdout, 'data');
    attempt.stop.abort('CANCELLED');
    expect(await ended).toMatchObject({ ok: false, signal: 'SIGTERM' });
    expect(isRunning(pidIn(attempt))).toBe(false);
  });

  it('that ignores the soft stop ends with the hard one', async () => {
    const attempt = bench.attempt({ command: `trap '' TERM; echo ready; while :; do sleep 0.05; done` });
    const ended = attempt.run();
    await once(attempt.stdout, 'data');
    attempt.stop.abort('CANCELLED');
    attempt.kill.abort('CANCELLED');
    expect(await ended).toMatchObject({ ok: false, signal: 'SIGKILL' });
  });

  it('that left its group for a session of its own is found by its environment', async () => {
    const attempt = bench.attempt({ command: `setsid sh -c 'echo $$; exec sleep 1000' & wait` });
    const ended = attempt.run();
    await once(attempt.stdout, 'data');
    const pid = pidIn(attempt);
    attempt.stop.abort('CANCELLED');
    attempt.kill.abort('CANCELLED');
    await ended;
    expect(isRunning(pid)).toBe(false);
    expect(endEscapees(attempt.attempt.id)).toBe(0);
  });
});

describe('a flood', () => {
  it('is bounded on the disk and marked in the log', async () => {
    const attempt = bench.attempt({ command: 'head -c 300000000 /dev/zero | tr "\\0" "y"' });
    let bytes = 0;
    attempt.stdout.removeAllListeners('data');
    let tail = '';
    attempt.stdout.on('data', (piece: Buffer) => {
      bytes += piece.length;
      tail = (tail + piece.toString('latin1')).slice(-200);
    });
    const folder = join(attempt.node.stateDirectory, attempt.attempt.id);
    expect((await attempt.run()).ok).toBe(true);
    expect(existsSync(folder)).toBe(false);
    expect(bytes).toBeLessThanOrEqual(300_001_000);
    expect(tail.endsWith('y')).toBe(true);
  }, 60_000);
});

describe('a restarted agent', () => {
  it('follows a command that outlived the one before: it ran once, and its whole output and exit code arrive', async () => {
    const gate = join(bench.folder, 'second-gate');
    const witness = join(bench.folder, 'witness');
    spawnSync('mkfifo', [gate]);
    const fixture = new URL('./first-agent.ts', import.meta.url).pathname;
    const command = `echo started >> "${witness}"; echo before; read -r _ < "${gate}"; echo after; exit 7`;
    // The first agent is a process of its own, and is killed as soon as it has told its checkpoint.
    const first = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', fixture, bench.folder, command], {
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    const [told] = (await once(first.stdout, 'data')) as [Buffer];
    if (first.signalCode === null) await once(first, 'exit');
    const handle = JSON.parse(told.toString()) as { folder: string };
    const attempt = bench.attempt({ command: 'true' }, { id: 'run.999.1' });
    const ended = attempt.reattach(handle as never);
    writeFileSync(gate, 'go\n');
    expect(await ended).toMatchObject({ ok: false, exitCode: 7 });
    expect(attempt.printed).toBe('before\nafter\n');
    expect(readFileSync(witness, 'utf8')).toBe('started\n');
  });

  it('says honestly when nobody knows how a command ended', async () => {
    const attempt = bench.attempt({ command: 'true' });
    const handle = { folder: join(bench.folder, 'state', 'gone'), pid: 2 ** 22 - 1, startTicks: 1, bootId: null };
    expect(await attempt.reattach(handle)).toMatchObject({
      ok: false,
      kind: 'INFRASTRUCTURE',
      reason: { code: 'EXIT_STATUS_UNKNOWN' },
    });
  });
});
