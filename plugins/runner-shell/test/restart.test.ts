import { readFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { JsonObject } from '@gantry/plugin-kit/runner';
import plugin from '../src/index.ts';
import { killedAgent } from './killed-agent.ts';
import {
  burn,
  gone,
  isRunning,
  NodeUnderTest,
  outputsOf,
  printed,
  processesWith,
  reasonOf,
} from './node-under-test.ts';

let node: NodeUnderTest;
beforeEach(() => {
  node = new NodeUnderTest();
});
afterEach(async () => {
  expect((await node.close()).processes).toEqual([]);
});

const hasHandle = (line: JsonObject) => 'handle' in line;

describe('a restarted agent', () => {
  it('follows a command that outlived the one before: it ran once, and its output and exit code arrive', async () => {
    const gate = node.gate();
    const attempt = node.attempt({ command: 'true' });
    const witness = `${node.stateDirectory}/gate-witness`;
    const command = `echo started >> "${witness}"; echo before; read -r _ < "${gate.path}"; echo after; echo 'a=b' > "$GANTRY_OUTPUT"; exit 7`;
    const [handle] = (await killedAgent(node, attempt, { command }, hasHandle)).filter(hasHandle);
    const ended = attempt.reattach(handle!['handle']!);
    await printed(attempt, 'before');
    gate.open();
    expect(await ended).toMatchObject({ ok: false, kind: 'APPLICATION', exitCode: 7 });
    expect(attempt.text).toBe('before\nafter\n');
    expect(readFileSync(witness, 'utf8')).toBe('started\n');
  });

  it('learns how a command ended while there was no agent', async () => {
    const gate = node.gate();
    const attempt = node.attempt({ command: 'true' });
    const command = `echo $$; read -r _ < "${gate.path}"; ${burn(200)}; echo 'answer:=42' > "$GANTRY_OUTPUT"`;
    const said = await killedAgent(node, attempt, { command }, (line) => 'printed' in line);
    const pid = Number((said.at(-1)!['printed'] as string).trim());
    const [helper] = processesWith(`${node.stateDirectory}/helper-`).filter((other) => other !== pid);
    gate.open();
    await gone(pid);
    await gone(helper!);
    // There was no checkpoint: the handle is made up from the attempt's id.
    const outcome = await attempt.reattach(plugin.handleOf!(attempt.id));
    expect(outputsOf(outcome)).toEqual({ answer: 42 });
    expect(outcome.usage?.cpuMs).toBeGreaterThanOrEqual(200);
    expect(attempt.text).toBe(`${pid}\n`);
  });

  it('can stop what it found again', async () => {
    const attempt = node.attempt({ command: 'true' });
    const command = `trap '' TERM; echo $$; setsid sleep 1000 & while :; do sleep 1; done`;
    const said = await killedAgent(node, attempt, { command }, (line) => 'printed' in line);
    const pid = Number((said.at(-1)!['printed'] as string).trim());
    const ended = attempt.reattach(plugin.handleOf!(attempt.id));
    await printed(attempt, `${pid}`);
    attempt.requestKill();
    expect(await ended).toMatchObject({ ok: false, signal: 'SIGKILL' });
    expect(isRunning(pid)).toBe(false);
  });

  it('says honestly when helper and command are both gone, and nobody knows how it ended', async () => {
    const attempt = node.attempt({ command: 'true' });
    const said = await killedAgent(node, attempt, { command: 'echo $$; exec sleep 1000' }, (line) => 'printed' in line);
    const pid = Number((said.at(-1)!['printed'] as string).trim());
    for (const pid of processesWith(`${node.stateDirectory}/helper-`)) process.kill(pid, 'SIGKILL');
    await gone(pid);
    const outcome = await attempt.reattach(plugin.handleOf!(attempt.id));
    expect(outcome).toMatchObject({ ok: false, kind: 'UNKNOWN', reason: { code: 'EXIT_STATUS_UNKNOWN' } });
  });

  it('says honestly when there is no trace of an attempt', async () => {
    const attempt = node.attempt({ command: 'true' });
    expect(reasonOf(await attempt.reattach(plugin.handleOf!(attempt.id)))).toBe('ATTEMPT_NOT_FOUND');
  });

  it('that was closed in good order leaves its commands running, to be found again', async () => {
    const gate = node.gate();
    const config = { command: `echo up; read -r _ < "${gate.path}"; echo down` };
    const attempt = node.attempt(config);
    void attempt.run();
    await printed(attempt, 'up');
    await plugin.close!();
    const again = node.attempt(config, { id: attempt.id });
    const ended = again.reattach(plugin.handleOf!(attempt.id));
    gate.open();
    expect(outputsOf(await ended)).toEqual({});
    expect(again.text).toBe('up\ndown\n');
  });
});
