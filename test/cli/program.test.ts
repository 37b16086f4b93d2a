import { afterEach, describe, expect, it } from '@jest/globals';
import { stripVTControlCharacters } from 'node:util';
import { COMMANDS } from '../../server/cli/command-table.ts';
import { gantry } from './command-line.ts';
import { aRun, pageOf, startScriptedServer, type Script, type ScriptedServer } from './scripted-server.ts';

const ID = '019aa1c8-0000-7000-8000-000000000001';
let server: ScriptedServer | null = null;
afterEach(async () => {
  await server?.close();
  server = null;
});

async function against(script: Script): Promise<Readonly<Record<string, string>>> {
  server = await startScriptedServer(script);
  return { GANTRY_URL: server.url };
}

describe('a list', () => {
  const script: Script = {
    runs: () =>
      pageOf([
        aRun({ state: 'FAILED', counts: { total: 3, finished: 3, failed: 1 } }),
        aRun({ createdBy: 'ci\u001b[2J\nx' }),
      ]),
  };

  it('is a table with headings and colours on a terminal', async () => {
    const { stdout, exitCode } = await gantry(['runs'], { env: await against(script), isTTY: true });
    expect(exitCode).toBe(0);
    const [head = '', first = ''] = stdout.split('\n');
    expect(stripVTControlCharacters(head)).toMatch(/RUN +PIPELINE +STATE +TASKS +FAILED +TOOK +CREATED +BY/);
    expect(first).toContain('\u001b[31mFAILED');
    expect(first).toMatch(/1\.5 s.*2 s ago/);
  });

  it('has no colours where NO_COLOR is set', async () => {
    const env = { ...(await against(script)), NO_COLOR: '1' };
    const { stdout } = await gantry(['runs'], { env, isTTY: true });
    expect(stdout).not.toContain('\u001b');
    expect(stdout).toContain('FAILED');
  });

  it('is one line per row, fields between tabs, in a pipe, whatever a name holds', async () => {
    const { stdout } = await gantry(['runs'], { env: await against(script) });
    const lines = stdout.trimEnd().split('\n');
    expect(lines[0]).toBe(`${ID}\tword-count v3\tFAILED\t3/3\t1\t1.5 s\t2026-11-20T10:00:00.000Z\tadmin`);
    expect(lines).toHaveLength(2);
    expect(lines[1]).toMatch(/\tci x$/);
  });

  it('is one JSON document with --json, before or after the command', async () => {
    const env = await against(script);
    for (const words of [
      ['runs', '--json'],
      ['--json', 'runs'],
    ]) {
      const { stdout } = await gantry(words, { env, isTTY: true });
      expect(JSON.parse(stdout)).toEqual(
        expect.arrayContaining([expect.objectContaining({ id: ID, state: 'FAILED' })]),
      );
    }
  });

  it('hands its filters on', async () => {
    let asked: unknown;
    const env = await against({ runs: (args) => ((asked = args), pageOf([])) });
    await gantry(['runs', '--state', 'FAILED', '--state', 'RUNNING', '--pipeline', 'p', '--limit', '7'], { env });
    expect(asked).toMatchObject({ first: 7, filter: { pipeline: 'p', states: ['FAILED', 'RUNNING'] } });
  });
});

describe('applying a pipeline', () => {
  const yaml = 'name: word-count\ntasks:\n\t- key: count\n    needs: [splt]\n';
  const invalid: Script = {
    applyPipeline: () => ({
      __typename: 'InvalidPipeline',
      message: 'The pipeline is invalid.',
      problems: [
        {
          code: 'UNKNOWN_NEED',
          message: 'There is no task “splt”.',
          path: ['tasks', '0', 'needs', '0'],
          line: 4,
          column: 13,
          suggestion: 'Did you mean “split”?',
        },
      ],
    }),
  };

  it('shows each problem with its place, its line, a caret and a suggestion, and exits with 1', async () => {
    const { stdout, stderr, exitCode } = await gantry(['apply', '-f', '-'], {
      env: await against(invalid),
      stdin: yaml,
    });
    expect(exitCode).toBe(1);
    expect(stdout.split('\n')).toEqual([
      '(stdin):4:13 There is no task “splt”. [UNKNOWN_NEED]',
      '  4 |     needs: [splt]',
      '    |             ^',
      '  Did you mean “split”?',
      '',
    ]);
    expect(stderr).toBe('(stdin): one problem; nothing was stored\n');
  });

  it('is one document with --json', async () => {
    const { stdout, exitCode } = await gantry(['apply', '-f', '-', '--json'], {
      env: await against(invalid),
      stdin: yaml,
    });
    expect(exitCode).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject([{ outcome: 'INVALID', problems: [{ line: 4, column: 13 }] }]);
  });

  it('says what it did', async () => {
    let input: unknown;
    const env = await against({
      applyPipeline: (args: { input: unknown }) => {
        input = args.input;
        return {
          __typename: 'ApplyPipelinePayload',
          change: 'CREATED',
          version: { pipelineName: 'p', number: 1, hash: 'x' },
        };
      },
    });
    expect((await gantry(['apply', '-f', '-'], { env, stdin: 'name: p' })).stdout).toBe('p\tversion 1\tcreated\n');
    expect(input).toMatchObject({ yaml: 'name: p', dryRun: false });
    const { stdout } = await gantry(['apply', '-f', '-', '--dry-run'], { env, stdin: 'name: p', isTTY: true });
    expect(stdout).toBe('p version 1: valid, would be created\n');
  });

  it('of a file that is not there says so', async () => {
    const { stderr, exitCode } = await gantry(['apply', '-f', 'nowhere.yaml'], { env: await against({}) });
    expect(stderr).toContain('nowhere.yaml cannot be read: there is no such file.');
    expect(exitCode).toBe(2);
  });
});

describe('triggering a run', () => {
  const params = [
    { name: 'corpus', type: 'string' },
    { name: 'count', type: 'integer' },
  ];
  const pipeline = () => ({ version: { params } });

  it('reads params by the types of the pipeline and prints the id', async () => {
    let input: unknown;
    const env = await against({
      pipeline,
      triggerRun: (args: { input: unknown }) => {
        input = args.input;
        return { __typename: 'TriggerRunPayload', isRepeated: false, run: aRun() };
      },
    });
    const words = [
      'run',
      'word-count',
      '-p',
      'corpus=7',
      '-p',
      'count=7',
      '--priority',
      '-3',
      '--idempotency-key',
      'k',
    ];
    const { stdout, exitCode } = await gantry(words, { env });
    expect([stdout, exitCode]).toEqual([`${ID}\n`, 0]);
    expect(input).toEqual({
      pipeline: 'word-count',
      params: { corpus: '7', count: 7 },
      priority: -3,
      idempotencyKey: 'k',
    });
  });

  it('refuses a param of the wrong type before it asks', async () => {
    const { stderr, exitCode } = await gantry(['run', 'p', '-p', 'count=many'], { env: await against({ pipeline }) });
    expect(stderr).toContain('The param “count” is a number, and “many” is not.');
    expect(exitCode).toBe(2);
  });

  it('shows every param that the server refuses', async () => {
    const problem = {
      code: 'MISSING_PARAM',
      message: 'The param “corpus” is missing.',
      path: ['corpus'],
      remedy: 'Hand it in.',
    };
    const env = await against({
      triggerRun: () => ({ __typename: 'InvalidParams', message: 'The params are invalid.', problems: [problem] }),
    });
    const { stderr, exitCode } = await gantry(['run', 'p'], { env });
    expect(stderr).toBe('error: The params are invalid.\n  The param “corpus” is missing. Hand it in.\n');
    expect(exitCode).toBe(2);
  });
});

describe('what goes wrong', () => {
  it('is a server that is not there: 4, and what to do', async () => {
    const { stderr, exitCode } = await gantry(['runs'], { env: { GANTRY_URL: 'http://127.0.0.1:9' } });
    expect(stderr).toMatch(/Cannot reach Gantry at http:\/\/127\.0\.0\.1:9.*\nIs `gantry server` running there\?/);
    expect(exitCode).toBe(4);
  });

  it('is a token that the server does not know: 2, over HTTP and over WebSocket', async () => {
    const env = { ...(await against({})), GANTRY_TOKEN: 'another-token' };
    for (const words of [['runs'], ['show', ID, '--follow']]) {
      const { stderr, exitCode } = await gantry(words, { env });
      expect(stderr).toContain('does not accept this token.');
      expect(stderr).toContain('GANTRY_TOKEN');
      expect(stderr).not.toContain('another-token');
      expect(exitCode).toBe(2);
    }
  });

  it('is a command that is misspelt: 2, and the one that was meant', async () => {
    const { stderr, exitCode } = await gantry(['rnus']);
    expect(stderr).toContain("unknown command 'rnus'");
    expect(stderr).toContain('Did you mean');
    expect(exitCode).toBe(2);
  });

  it('is a setting that is wrong: 2, with its place', async () => {
    const { stderr, exitCode } = await gantry(['config', 'print'], { env: { GANTRY_PORT: 'x' } });
    expect(stderr).toContain('GANTRY_PORT: “x” is not a number.');
    expect(exitCode).toBe(2);
  });

  it('is an object for programs with --json', async () => {
    const { stdout, stderr, exitCode } = await gantry(['show', ID, '--json'], {
      env: await against({ run: () => null }),
    });
    expect(stdout).toBe('');
    expect(JSON.parse(stderr)).toMatchObject({ error: { code: 'RUN_NOT_FOUND', remedy: 'gantry runs lists them.' } });
    expect(exitCode).toBe(2);
  });
});

describe('the help', () => {
  it.each(COMMANDS.map(({ name }) => name))('of %s shows what it does and an example', async (name) => {
    const { stdout, exitCode } = await gantry([...name.split(' '), '--help']);
    expect(exitCode).toBe(0);
    expect(stdout).toContain(`Usage: gantry ${name}`);
    expect(stdout).toContain('Examples:');
  });

  it('completes every command', async () => {
    const { stdout } = await gantry(['completion', 'bash']);
    for (const { name } of COMMANDS) expect(stdout).toContain(name.split(' ')[0]);
  });
});

describe('config print', () => {
  it('shows the value, its source and no secret', async () => {
    const { stdout } = await gantry(['config', 'print', '--port', '4009'], {
      env: { GANTRY_ADMIN_TOKEN: 'a-secret-of-some-length' },
    });
    expect(stdout).toContain('port\t4009\t--port\tGANTRY_PORT');
    expect(stdout).not.toContain('a-secret');
  });
});

describe('every command', () => {
  it('has options that are not those of all commands', () => {
    const globals = ['--url', '--token', '--config', '--json', '--help', '--version'];
    const taken = COMMANDS.flatMap(({ name, options = [] }) =>
      options
        .flatMap(({ flags }) => flags.match(/--[a-z-]+/g) ?? [])
        .filter((flag) => globals.includes(flag))
        .map((flag) => `${name} ${flag}`),
    );
    expect(taken).toEqual([]);
  });
});
