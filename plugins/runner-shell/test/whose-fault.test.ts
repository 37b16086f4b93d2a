import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { JsonObject, Outcome } from '@gantry/plugin-kit/runner';
import { nodeFault } from '../src/node-fault.ts';
import { outcomeOf } from '../src/outcome.ts';
import { NodeUnderTest, outputsOf } from './node-under-test.ts';

const codeOf = (outcome: Outcome): string => (outcome.ok ? 'ok' : `${outcome.kind} ${outcome.reason.code}`);

describe('a command that cannot be started', () => {
  let node: NodeUnderTest;
  const folder = mkdtempSync(join(tmpdir(), 'gantry-fault-'));
  beforeAll(() => {
    node = new NodeUnderTest();
    writeFileSync(join(folder, 'file'), '');
    writeFileSync(join(folder, 'no-interpreter'), '#!/no/such/interpreter\n', { mode: 0o755 });
    chmodSync(join(folder, 'no-interpreter'), 0o755);
  });
  afterAll(async () => {
    expect(await node.close()).toEqual({ files: [], processes: [] });
    rmSync(folder, { recursive: true });
  });

  it.each<[string, () => JsonObject, string, string]>([
    [
      'a user that the node does not allow',
      () => ({ command: 'true', user: 'nosuchuser' }),
      'USER_NOT_ALLOWED',
      'nosuchuser',
    ],
    [
      'no working folder',
      () => ({ command: 'true', workdir: join(folder, 'none') }),
      'WORKDIR_NOT_FOUND',
      'does not exist',
    ],
    [
      'a file as its working folder',
      () => ({ command: 'true', workdir: join(folder, 'file') }),
      'WORKDIR_NOT_FOUND',
      'is no folder',
    ],
    [
      'a working folder below a file',
      () => ({ command: 'true', workdir: join(folder, 'file/x') }),
      'WORKDIR_NOT_FOUND',
      join(folder, 'file/x'),
    ],
    [
      'a working folder with a name too long',
      () => ({ command: 'true', workdir: join(folder, 'x'.repeat(300)) }),
      'WORKDIR_NOT_FOUND',
      'ENAMETOOLONG',
    ],
    ['a working folder that no system has', () => ({ command: 'true', workdir: 'a\0b' }), 'WORKDIR_NOT_FOUND', 'a\\0b'],
    ['no such shell', () => ({ command: 'true && true', shell: '/no/shell' }), 'COMMAND_NOT_FOUND', 'shell: /no/shell'],
    [
      'no such interpreter',
      () => ({ script: 'true', interpreter: 'nosuchinterpreter' }),
      'COMMAND_NOT_FOUND',
      'interpreter: nosuchinterpreter',
    ],
    ['none that its first line names', () => ({ command: '#!/no/such\ntrue' }), 'COMMAND_NOT_FOUND', '#!: /no/such'],
    ['no such program', () => ({ argv: ['nosuchprogram'] }), 'COMMAND_NOT_FOUND', 'argv: nosuchprogram'],
    ['a file that may not be run', () => ({ argv: [join(folder, 'file')] }), 'COMMAND_NOT_EXECUTABLE', 'argv: '],
    ['a word that is too large', () => ({ argv: ['true', 'x'.repeat(140_000)] }), 'BAD_SPEC', '140001 bytes'],
  ])('for %s is the task’s failure, by the field', async (_, config, code, words) => {
    const { outcome } = await node.run(config());
    expect(codeOf(outcome)).toBe(`APPLICATION ${code}`);
    expect(outcome).toMatchObject({ reason: { message: expect.stringContaining(words) } });
  });

  it('for want of what the machine gives is not begun, and says nothing against the task', () => {
    for (const [code, told] of [
      ['ENOSPC', 'REJECTED DISK_FULL'],
      ['EDQUOT', 'REJECTED DISK_FULL'],
      ['EMFILE', 'REJECTED TOO_MANY_FILES'],
      ['ENFILE', 'REJECTED TOO_MANY_FILES'],
      ['EAGAIN', 'REJECTED NO_PROCESS'],
      ['ENOMEM', 'REJECTED NO_PROCESS'],
    ] as const) {
      const error = Object.assign(new Error(code), { code });
      expect(codeOf(nodeFault(error, false))).toBe(told);
      expect(codeOf(nodeFault(new Error('the agent’s', { cause: error }), false))).toBe(told);
      // What was handed over goes on, and nobody learns how it ends.
      expect(codeOf(nodeFault(error, true))).toBe(told.replace('REJECTED', 'UNKNOWN'));
    }
  });

  it('for want of a process is known by what the helper’s shell says', () => {
    // Real ones: of a shell that may have no child.
    for (const shell of ['dash']) {
      const options = { uid: 65_534, gid: 65_534, encoding: 'utf8' } as const;
      const { stderr } = spawnSync('prlimit', ['--nproc=0:0', shell, '-c', '(exec /bin/true); :'], options);
      expect(stderr).not.toBe('');
      const end = { type: 'UNKNOWN', remark: stderr } as const;
      expect(codeOf(outcomeOf(end, null as never, null as never))).toBe('REJECTED NO_PROCESS');
    }
  }, 60_000);
});

describe('the files of a command', () => {
  let node: NodeUnderTest;
  beforeAll(() => {
    node = new NodeUnderTest();
  });
  afterAll(async () => {
    expect(await node.close()).toEqual({ files: [], processes: [] });
  });

  it('are there before its program is looked for, and may be run', async () => {
    const files = { 'run.sh': '#!/bin/sh\necho "run $1"\n' };
    expect((await node.run({ argv: ['./run.sh', 'so'], files })).stdout).toBe('run so\n');
    expect((await node.run({ command: './run.sh there', files })).stdout).toBe('run there\n');
    const plain = {
      'tool.txt': { text: '#!/bin/cat\n', executable: false },
      tool: { text: 'echo by its word', executable: true },
    };
    expect((await node.run({ command: './tool; stat -c %a tool tool.txt', files: plain })).stdout).toBe(
      'by its word\n700\n600\n',
    );
  });

  it('that cannot be run are told by why', async () => {
    const plain = await node.run({ argv: ['./data'], files: { data: 'x' } });
    expect(plain.outcome).toMatchObject({
      kind: 'APPLICATION',
      reason: { code: 'COMMAND_NOT_EXECUTABLE', remedy: expect.stringContaining('begins with #!') },
    });
    const bare = await node.run({ argv: ['run.sh'], files: { 'run.sh': '#!/bin/sh\n' } });
    expect(bare.outcome).toMatchObject({
      reason: { code: 'COMMAND_NOT_FOUND', remedy: expect.stringContaining('./run.sh') },
    });
  });

  it('begin with the line that says who runs them: so do a command and a script', async () => {
    const program = '#!/usr/bin/env node\nconsole.log("node", process.argv.length)';
    expect((await node.run({ command: program })).stdout).toBe('node 2\n');
    expect((await node.run({ script: program })).stdout).toBe('node 2\n');
    expect(
      (await node.run({ command: '#! /usr/bin/env -S node --no-warnings\r\nconsole.log(process.execArgv[0])' })).stdout,
    ).toBe('--no-warnings\n');
    expect((await node.run({ command: '#!/bin/cat\ntext' })).stdout).toBe('#!/bin/cat\ntext');
    // Who names a shell or an interpreter has said it.
    expect((await node.run({ command: '#!/usr/bin/env node\necho sh', shell: '/bin/sh' })).stdout).toBe('sh\n');
    expect((await node.run({ script: '#!/usr/bin/env node\necho sh', interpreter: '/bin/sh' })).stdout).toBe('sh\n');
    expect((await node.run({ command: '# no such line\necho sh' })).stdout).toBe('sh\n');
  });
});

describe('variables that Gantry adds', () => {
  let node: NodeUnderTest;
  beforeAll(() => {
    node = new NodeUnderTest();
  });
  afterAll(async () => {
    expect(await node.close()).toEqual({ files: [], processes: [] });
  });

  it('step aside where no command can have them, into a file', async () => {
    const env = { GANTRY_ITEM: 'i'.repeat(200_000), GANTRY_PARAM_LOG: 'a\0b', GANTRY_PARAM_SMALL: 'small' };
    const command =
      'echo "${GANTRY_ITEM-none} ${GANTRY_PARAM_LOG-none} $GANTRY_PARAM_SMALL"; wc -c < "$GANTRY_ITEM_FILE"; wc -c < "$GANTRY_PARAM_LOG_FILE"';
    const { outcome, stdout, stderr } = await node.run({ command }, { env });
    expect(codeOf(outcome)).toBe('ok');
    expect(stdout).toBe('none none small\n200000\n3\n');
    expect(stderr).toContain(
      '$GANTRY_ITEM cannot be a variable, with its 200000 bytes: it is in the file $GANTRY_ITEM_FILE.',
    );
  });

  it('step aside, the largest first, until all others fit', async () => {
    const sizes = Array.from({ length: 30 }, (_, at) => [`GANTRY_PARAM_P${at}`, 'p'.repeat(90_000 + at)] as const);
    const own = { OWN: 'o'.repeat(50_000) };
    const command = 'echo "${#OWN} ${#GANTRY_PARAM_P0} ${GANTRY_PARAM_P29-none}"; wc -c < "$GANTRY_PARAM_P29_FILE"';
    const { outcome, stdout } = await node.run({ command }, { env: { ...Object.fromEntries(sizes), ...own } });
    expect(codeOf(outcome)).toBe('ok');
    expect(stdout).toBe('50000 90000 none\n90029\n');
  });

  it('never make way for what the task gave itself, which is refused by its name with what helps', async () => {
    const large = 'x'.repeat(200_000);
    const named = await node.run({ command: 'true' }, { env: { LOG: large, GANTRY_ITEM: large }, inputs: { item: 1 } });
    expect(named.outcome).toMatchObject({
      kind: 'APPLICATION',
      reason: {
        code: 'BAD_SPEC',
        message: expect.stringContaining('The variable LOG'),
        remedy: expect.stringContaining('$GANTRY_INPUTS'),
      },
    });
    // Nothing that is not there is advised.
    const without = await node.run({ command: 'true' }, { env: { LOG: large } });
    expect(JSON.stringify(without.outcome)).not.toContain('GANTRY_INPUTS');
    const word = await node.run({ argv: ['echo', large] }, { inputs: { item: 1 } });
    expect(JSON.stringify(word.outcome)).not.toContain('GANTRY_INPUTS');
  });
});

describe('a soft stop', () => {
  it('reaches a command that is stopped: it goes on, and takes the signal', async () => {
    const node = new NodeUnderTest();
    for (const command of [
      'trap "echo told; exit 3" TERM; echo begun; kill -STOP $$; sleep 60',
      'sh -c \'trap "echo told; exit 3" TERM; echo begun; kill -STOP $$; sleep 60\'; exit $?',
    ]) {
      const attempt = node.attempt({ command });
      const ended = attempt.run();
      while (!attempt.text.includes('begun')) await new Promise((resolve) => setTimeout(resolve, 5));
      attempt.requestStop();
      await ended;
      expect(attempt.text).toBe('begun\ntold\n');
    }
    expect(await node.close()).toEqual({ files: [], processes: [] });
  });
});

const isRoot = process.getuid?.() === 0;
(isRoot ? describe : describe.skip)('on a disk that is full,', () => {
  const mount = mkdtempSync(join(tmpdir(), 'gantry-full-'));
  let node: NodeUnderTest;

  /** Leaves nothing, or so many bytes, to be written. */
  const fill = (left = 0) => {
    const { bavail, bsize } = statfsSync(mount);
    writeFileSync(join(mount, 'filler'), Buffer.alloc(Math.max(0, bavail * bsize - left)));
  };
  const empty = () => rmSync(join(mount, 'filler'), { force: true });

  beforeAll(() => {
    const made = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=8m', 'tmpfs', mount], { encoding: 'utf8' });
    if (made.status !== 0) throw new Error(made.stderr);
    // The node's data and the attempts' own are on the small disk.
    node = new NodeUnderTest({}, mount);
  });
  afterAll(async () => {
    empty();
    expect(await node.close()).toEqual({ files: [], processes: [] });
    spawnSync('umount', ['-l', mount]);
    rmSync(mount, { recursive: true });
  });

  it('a command that fails for want of space is told as that, with its exit code', async () => {
    const { outcome } = await node.run({ command: 'dd if=/dev/zero of=big bs=64k count=400 2>/dev/null || exit 28' });
    expect(codeOf(outcome)).toBe('INFRASTRUCTURE DISK_FULL');
    expect(outcome).toMatchObject({
      exitCode: 28,
      reason: { message: expect.stringMatching(/^It exited with code 28, and the disk that holds .* is full\.$/) },
    });
  });

  it('it is told as that by its own words where it has cleared up behind it, and then it is the task’s', async () => {
    rmSync(join(node.harness.node.stateDirectory, '..', 'work'), { recursive: true, force: true });
    const other = new NodeUnderTest();
    const command = `cd ${mount} && dd if=/dev/zero of=big bs=64k count=400 || { rm big; exit 1; }`;
    expect(codeOf((await other.run({ command })).outcome)).toBe('APPLICATION DISK_FULL');
    expect(codeOf((await other.run({ command: 'exit 28' })).outcome)).toBe('APPLICATION EXIT_CODE');
    expect(await other.close()).toEqual({ files: [], processes: [] });
  });

  it('outputs that can have been cut short are not handed on as if they were whole', async () => {
    const wide = await node.run({ command: 'echo a=1 >> "$GANTRY_OUTPUT"' });
    expect(outputsOf(wide.outcome)).toEqual({ a: '1' });
    const command = 'dd if=/dev/zero of=big bs=64k count=400 2>/dev/null; echo a=1 >> "$GANTRY_OUTPUT"; exit 0';
    const { outcome } = await node.run({ command });
    expect(codeOf(outcome)).toBe('APPLICATION DISK_FULL');
    expect(outcome).toMatchObject({ exitCode: 0, reason: { message: expect.stringContaining('may be cut short') } });
    rmSync(join(node.harness.node.stateDirectory, '..', 'work'), { recursive: true, force: true });
  });

  it('a command is not begun of which nothing could be written down, and it costs its task nothing', async () => {
    expect(codeOf((await node.run({ command: 'true' })).outcome)).toBe('ok');
    const mark = join(tmpdir(), `gantry-began-${process.pid}`);
    fill();
    try {
      const large = await node.run({ command: `touch ${mark}`, files: { a: 'x'.repeat(100_000) } });
      expect(codeOf(large.outcome)).toBe('REJECTED DISK_FULL');
      // Its journal has a page that is not full yet: commands go on until a line of theirs does not fit.
      const codes = new Set<string>();
      for (let tries = 0; tries < 200 && !codes.has('REJECTED DISK_FULL'); tries++)
        codes.add(codeOf((await node.run({ command: `exit 3` })).outcome));
      expect([...codes]).toContain('REJECTED DISK_FULL');
      expect([...codes].every((code) => code.endsWith('DISK_FULL'))).toBe(true);
    } finally {
      empty();
    }
    expect(spawnSync('test', ['-e', mark]).status).toBe(1);
    expect(codeOf((await node.run({ command: 'true' })).outcome)).toBe('ok');
  }, 60_000);

  it('and one that is only small fails nobody', async () => {
    mkdirSync(join(mount, 'other'), { recursive: true });
    fill(3 << 20);
    try {
      expect(codeOf((await node.run({ command: 'exit 3' })).outcome)).toBe('APPLICATION EXIT_CODE');
      expect(codeOf((await node.run({ command: 'true' })).outcome)).toBe('ok');
    } finally {
      empty();
    }
  });
});
