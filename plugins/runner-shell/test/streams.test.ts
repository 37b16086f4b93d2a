import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import plugin from '../src/index.ts';
import { gone, NODES, NodeUnderTest, outputsOf } from './node-under-test.ts';

// A command that prints nothing leaves its empty files to the next one, unless anybody could have them open.

describe.each(NODES)('the output of a command, after silent ones, on a node with %s', (_kind, settings) => {
  let node: NodeUnderTest;
  beforeAll(() => {
    node = new NodeUnderTest(settings);
  });
  afterAll(async () => {
    expect(await node.close()).toEqual({ files: [], processes: [] });
  });

  it('is its own, and only its own', async () => {
    for (let round = 0; round < 10; round++) {
      for (const [command, expected] of [
        ['exit 0', ['', '']],
        [`echo out ${round}`, [`out ${round}\n`, '']],
        ['exit 0', ['', '']],
        [`echo err ${round} >&2`, ['', `err ${round}\n`]],
      ] as const) {
        const { stdout, stderr } = await node.run({ command });
        expect([stdout, stderr]).toEqual(expected);
      }
    }
  });

  it('is not told as that of a silent one that is asked for once more', async () => {
    const silent = node.attempt({ command: 'echo answer=42 > "$GANTRY_OUTPUT"' });
    await silent.run();
    const { stdout } = await node.run({ command: 'echo mine' });
    expect(stdout).toBe('mine\n');
    const outcome = await silent.reattach(plugin.handleOf!(silent.id));
    expect(outputsOf(outcome)).toEqual({ answer: '42' });
    expect(silent.text).toBe('');
  });
});

// A control group would have found it.
describe('the output of a command, where one before has hidden a process', () => {
  it('has nothing of what that prints when its command has long ended', async () => {
    const node = new NodeUnderTest();
    const hidden = node.gate();
    const witness = join(node.stateDirectory, 'gate-witness');
    // The command ends when its child has forgotten all that it could be known by.
    const child = `echo $$ > "${witness}"; echo > up; read -r _ < "${hidden.path}"; echo forged`;
    const { outcome } = await node.run({
      command: `mkfifo up; (env -i setsid /bin/sh -c '${child}' &); read -r _ < up`,
    });
    expect(outcome.ok).toBe(true);
    const gate = node.gate();
    const attempt = node.attempt({ command: `read -r _ < "${gate.path}"; echo mine` });
    const ended = attempt.run();
    hidden.open();
    await gone(Number(readFileSync(witness, 'utf8')));
    gate.open();
    await ended;
    expect(attempt.text).toBe('mine\n');
    expect((await node.close()).processes).toEqual([]);
  });
});
