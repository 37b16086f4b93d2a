import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { NODES_BY_SHELL, NodeUnderTest, outputsOf, printed, reasonOf } from './node-under-test.ts';

describe.each(NODES_BY_SHELL)('a command, with helpers in %s, on a node with %s', (_shell, _kind, settings) => {
  let node: NodeUnderTest;
  beforeAll(() => {
    node = new NodeUnderTest(settings);
  });
  afterAll(async () => {
    expect(await node.close()).toEqual({ files: [], processes: [] });
  });

  it('hands on its outputs in every form', async () => {
    const { outcome } = await node.run({
      command: `echo "name=text with = signs" >> "$GANTRY_OUTPUT"
        echo 'count:=[1,{"a":2}]' >> "$GANTRY_OUTPUT"
        printf 'long<<END\\nline 1\\nline 2\\nEND\\n' >> "$GANTRY_OUTPUT"`,
    });
    const outputs = { name: 'text with = signs', count: [1, { a: 2 }], long: 'line 1\nline 2' };
    expect(outputsOf(outcome)).toEqual(outputs);
  });

  it('may write its outputs as one JSON object', async () => {
    const { outcome } = await node.run({ command: `echo '{"a": {"b": [true]}}' > "$GANTRY_OUTPUT"` });
    expect(outputsOf(outcome)).toEqual({ a: { b: [true] } });
  });

  it.each([
    ['nonsense', /line 1: "nonsense"/],
    ['a=1\nb:={', /line 2: the value of b is no JSON/],
    ['a<<END\nx', /line 1: a<<END has no line "END"/],
    ['{"a":', /begins like a JSON object/],
    ['\xff=1', /line 1/],
  ])('fails on malformed outputs and says where: %j', async (text, message) => {
    const { outcome } = await node.run({ command: 'printf %s "$TEXT" > "$GANTRY_OUTPUT"' }, { env: { TEXT: text } });
    expect(outcome).toMatchObject({
      ok: false,
      kind: 'APPLICATION',
      reason: { code: 'OUTPUT_MALFORMED' },
      exitCode: 0,
    });
    expect(outcome.ok ? '' : outcome.reason.message).toMatch(message);
  });

  it.each([
    [
      'id:=9007199254740993',
      'INEXACT_NUMBER',
      /line 1: the value of id cannot be taken: line 1, column 5: 9007199254740993 .*would become 9007199254740992/,
    ],
    ['ok:=1\nlist:=[{"big": 1e400}]', 'INEXACT_NUMBER', /line 2: the value of list .*\[0\]\.big \(line 2, column 16\)/],
    ['{"a": 1,\n "b": 0.1234567890123456789}', 'INEXACT_NUMBER', /b \(line 2, column 7\)/],
    ['{"a": 1, "a": 2}', 'DUPLICATE_KEY', /a \(line 1, column 10\): The key “a” is written twice/],
  ])('fails on outputs that would be changed, with the place: %j', async (text, code, message) => {
    const { outcome } = await node.run({ command: 'printf %s "$TEXT" > "$GANTRY_OUTPUT"' }, { env: { TEXT: text } });
    expect(outcome).toMatchObject({
      ok: false,
      kind: 'APPLICATION',
      reason: { code, remedy: expect.stringMatching(/^(Write it as a string|Leave one of them out)/) },
    });
    expect(outcome.ok ? '' : outcome.reason.message).toMatch(message);
  });

  it('hands on what is written as text as it is, and numbers that survive', async () => {
    const text =
      '\uFEFFid=9007199254740993\nversion=3.10\nmean:=0.50\nmost:=9007199254740992\nids:=["9007199254740993"]';
    const { outcome } = await node.run({ command: 'printf %s "$TEXT" > "$GANTRY_OUTPUT"' }, { env: { TEXT: text } });
    expect(outputsOf(outcome)).toEqual({
      id: '9007199254740993',
      version: '3.10',
      mean: 0.5,
      most: 9007199254740992,
      ids: ['9007199254740993'],
    });
  });

  it('fails on outputs that are not text, or too many', async () => {
    const binary = await node.run({ command: `printf 'a=\\377' > "$GANTRY_OUTPUT"` });
    expect(reasonOf(binary.outcome)).toBe('OUTPUT_MALFORMED');
    const large = await node.run({ command: 'head -c 1048577 /dev/zero > "$GANTRY_OUTPUT"' });
    expect(reasonOf(large.outcome)).toBe('OUTPUTS_TOO_LARGE');
  });

  it('prints on both streams, each in its own order', async () => {
    const { stdout, stderr } = await node.run({
      command: 'for i in 1 2 3; do echo out $i; echo err $i >&2; done',
    });
    expect([stdout, stderr]).toEqual(['out 1\nout 2\nout 3\n', 'err 1\nerr 2\nerr 3\n']);
  });

  it('is heard while it runs, not only at its end', async () => {
    const gate = node.gate();
    const attempt = node.attempt({ command: `echo before; read -r _ < "${gate.path}"; echo after` });
    const ended = attempt.run();
    await printed(attempt, 'before\n');
    expect(attempt.text).toBe('before\n');
    gate.open();
    await ended;
    expect(attempt.text).toBe('before\nafter\n');
  });

  it('prints binary without harm', async () => {
    const { attempt } = await node.run({ command: 'head -c 100000 /dev/urandom; printf "\\033[31m"' });
    expect(Buffer.concat(attempt.printed.stdout).length).toBe(100_005);
  });

  it('tells its exit code, and what shells mean by some', async () => {
    const three = await node.run({ command: 'exit 3' });
    expect(three.outcome).toMatchObject({ kind: 'APPLICATION', exitCode: 3, reason: { code: 'EXIT_CODE' } });
    const missing = await node.run({ command: 'no-such-command-anywhere' });
    expect(missing.outcome.ok ? '' : missing.outcome.reason.message).toMatch(/127: a command was not found/);
    expect(missing.stderr).toContain('no-such-command-anywhere');
  });

  it.each(['KILL', 'TERM', 'SEGV', 'HUP'])(
    'that SIG%s ended is told apart from one that exits like that',
    async (name) => {
      const killed = await node.run({ argv: ['/bin/sh', '-c', `kill -${name} $$`] });
      expect(killed.outcome).toMatchObject({ signal: `SIG${name}`, reason: { code: 'SIGNAL' } });
      const number = { KILL: 137, TERM: 143, SEGV: 139, HUP: 129 }[name]!;
      const exited = await node.run({ command: `exit ${number}` });
      expect(exited.outcome).toMatchObject({ exitCode: number, reason: { code: 'EXIT_CODE' } });
      expect(exited.outcome).not.toHaveProperty('signal');
      expect(exited.outcome.ok ? '' : exited.outcome.reason.message).toContain(`as shells do after SIG${name}`);
    },
  );

  it('that is not there, or may not be executed, is not started', async () => {
    expect(reasonOf((await node.run({ argv: ['/no/such/program'] })).outcome)).toBe('COMMAND_NOT_FOUND');
    expect(reasonOf((await node.run({ argv: ['no-such-program'] })).outcome)).toBe('COMMAND_NOT_FOUND');
    const text = join(node.stateDirectory, 'gate-no-program');
    writeFileSync(text, 'text', { mode: 0o600 });
    expect(reasonOf((await node.run({ argv: [text] })).outcome)).toBe('COMMAND_NOT_EXECUTABLE');
    expect(reasonOf((await node.run({ command: 'true', workdir: '/no/such' })).outcome)).toBe('WORKDIR_NOT_FOUND');
  });

  it('given by its words alone is never one of the shell’s own commands', async () => {
    for (const word of ['exit', 'eval', 'trap', 'exec'])
      expect(reasonOf((await node.run({ argv: [word, '0'] })).outcome)).toBe('COMMAND_NOT_FOUND');
    const { stdout } = await node.run({ argv: ['printf', '%s|', 'a b', '$(echo x)', '', "it's"] });
    expect(stdout).toBe("a b|$(echo x)||it's|");
  });

  it('sees hostile values as data', async () => {
    const control = Array.from({ length: 255 }, (_, index) => String.fromCodePoint(index + 1)).join('');
    const hostile = [
      `x; echo PWNED; $(echo PWNED) \`echo PWNED\`\n"'\\'\\''`,
      `'; end x 0; begin y; '`,
      control,
      'é漢字🙂\u2028',
      'x'.repeat(100_000),
      '-n',
      '',
    ];
    for (const value of hostile) {
      const { stdout } = await node.run(
        { argv: ['/usr/bin/printf', '%s|%s', value, value] },
        { env: { VALUE: value } },
      );
      expect(stdout).toBe(`${value}|${value}`);
      expect((await node.run({ command: 'printf %s "$VALUE"' }, { env: { VALUE: value } })).stdout).toBe(value);
    }
  });

  it('gets variables whatever a shell would make of their names', async () => {
    const env = {
      UID: '77',
      PPID: 'x',
      OPTIND: 'no number',
      LC_ALL: 'nowhere',
      'with-dash': '1',
      IFS: 'a',
      PATH: '/bin',
    };
    const { stdout, outcome } = await node.run({ argv: ['/usr/bin/env'] }, { env });
    expect(outcome.ok).toBe(true);
    for (const [name, value] of Object.entries(env)) expect(`\n${stdout}`).toContain(`\n${name}=${value}\n`);
  });

  it('gets its own environment, and nothing of the server’s or of the command before', async () => {
    process.env['GANTRY_ADMIN_TOKEN_OF_TEST'] = 'secret';
    await node.run({ command: 'true' }, { env: { OF_THE_ONE_BEFORE: 'x' } });
    const { attempt, stdout } = await node.run(
      { argv: ['/usr/bin/env'] },
      { env: { MINE: 'yes' }, inputs: { params: { a: 1 } } },
    );
    delete process.env['GANTRY_ADMIN_TOKEN_OF_TEST'];
    const env = Object.fromEntries(
      stdout
        .trim()
        .split('\n')
        .map((line) => line.split(/=(.*)/s).slice(0, 2)),
    );
    expect(env).toMatchObject({
      MINE: 'yes',
      HOME: attempt.workdir,
      TMPDIR: attempt.workdir,
      GANTRY_RUN_ID: attempt.runId,
      GANTRY_TASK: 'task',
      GANTRY_ATTEMPT: '1',
      GANTRY_ATTEMPT_ID: attempt.id,
      GANTRY_WORKDIR: attempt.workdir,
    });
    const ofTheShell = ['PWD', 'SHLVL', '_'];
    expect(
      Object.keys(env)
        .filter((name) => !ofTheShell.includes(name))
        .sort(),
    ).toEqual([
      'GANTRY_ATTEMPT',
      'GANTRY_ATTEMPT_ID',
      'GANTRY_CHECKPOINT',
      'GANTRY_INPUTS',
      'GANTRY_OUTPUT',
      'GANTRY_PROGRESS',
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

  it('tells how far it is, and goes on from what the attempt before left', async () => {
    const command = 'cat "$GANTRY_CHECKPOINT"; echo 2/3 rows >> "$GANTRY_PROGRESS"; echo page=3 > "$GANTRY_CHECKPOINT"';
    const { attempt, outcome } = await node.run({ command }, { number: 2, previousState: 'page=2\n' });
    expect(outcome).toMatchObject({ ok: true });
    expect(attempt.text).toBe('page=2\n');
    expect(attempt.progressed).toEqual([{ fraction: 2 / 3, done: 2, total: 3, message: 'rows' }]);
    expect(attempt.saved).toEqual(['page=3\n']);
    const first = await node.run({ command: 'test -e "$GANTRY_CHECKPOINT"' });
    expect(first.outcome).toMatchObject({ exitCode: 1 });
    expect(first.attempt.saved).toEqual([]);
  });

  it('inherits no open files, and signals as they are by default', async () => {
    const { stdout } = await node.run({ command: 'ls /proc/$$/fd; exec grep -E "Sig(Ign|Blk)" /proc/self/status' });
    const lines = stdout.trim().split('\n');
    const [ignored, blocked] = [/SigIgn:\s*(\w+)/.exec(stdout)?.[1], /SigBlk:\s*(\w+)/.exec(stdout)?.[1]];
    // What the test's own starter has left open above 9 is not ours.
    expect(lines.filter((line) => /^[0-9]$/.test(line))).toEqual(['0', '1', '2']);
    expect([ignored, blocked]).toEqual(['0000000000000000', '0000000000000000']);
  });

  it('starts in its own folder, or where it is told', async () => {
    const { attempt, stdout } = await node.run({ command: 'pwd' });
    expect(stdout).toBe(`${attempt.workdir}\n`);
    expect((await node.run({ command: 'pwd', workdir: '/usr' })).stdout).toBe('/usr\n');
  });

  it('finds its inputs in a file, and is given its stdin', async () => {
    const config = { command: 'cat "$GANTRY_INPUTS" -', stdin: 'typed' };
    expect((await node.run(config, { inputs: { params: { a: 1 } } })).stdout).toBe('{"params":{"a":1}}typed');
    expect((await node.run({ command: 'cat; echo "${GANTRY_INPUTS-none}"' })).stdout).toBe('none\n');
  });

  it.each([
    ['a NUL', { BAD: 'a\0b' }, /BAD holds a NUL/],
    ['a huge value', { BAD: 'x'.repeat(200_000) }, /BAD takes 2000\d\d bytes/],
    ['a nameless variable', { '': 'x' }, /cannot be the name/],
    [
      'more than the kernel takes',
      Object.fromEntries(Array.from({ length: 60 }, (_, i) => [`V${i}`, 'x'.repeat(120_000)])),
      /together/,
    ],
  ])('is refused with %s', async (_, env, message) => {
    const { outcome } = await node.run({ command: 'true' }, { env });
    expect(reasonOf(outcome)).toBe('BAD_SPEC');
    expect(outcome.ok ? '' : outcome.reason.message).toMatch(message);
  });

  it('may be a script for any interpreter', async () => {
    const script = 'console.log(process.argv.length, 6 * 7)';
    expect((await node.run({ script, interpreter: [process.execPath, '--no-warnings'] })).stdout).toBe('2 42\n');
    expect((await node.run({ script: 'echo "$0" | tail -c 8', interpreter: 'sh' })).stdout).toBe('.script\n'.slice(-8));
  });

  it('runs beside two hundred others', async () => {
    const results = await Promise.all(
      Array.from({ length: 200 }, (_, index) =>
        node.run({ command: `echo "n:=${index}" > "$GANTRY_OUTPUT"; echo ${index}` }),
      ),
    );
    expect(results.map(({ outcome }) => outputsOf(outcome))).toEqual(results.map((_, n) => ({ n })));
    expect(results.map(({ stdout }) => stdout)).toEqual(results.map((_, n) => `${n}\n`));
  });
});
