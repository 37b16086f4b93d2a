import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import plugin from '../src/index.ts';
import { killedAgent } from './killed-agent.ts';
import {
  complaintsOf,
  gone,
  groupKind,
  hold,
  isRunning,
  NodeUnderTest,
  printed,
  testGroup,
} from './node-under-test.ts';

const describeWithGroups = testGroup === null ? describe.skip : describe;
const MEBIBYTE = 1_048_576;

/** Where the groups of attempts are, in one hierarchy that has them. */
const base = (): string => join('/sys/fs/cgroup', groupKind === 'cgroup2' ? '' : 'pids', testGroup!);
const groups = (): readonly string[] => readdirSync(base()).filter((name) => name.startsWith('attempt-'));

describeWithGroups('a command in a control group', () => {
  let node: NodeUnderTest;
  beforeAll(() => {
    node = new NodeUnderTest({ cgroup: testGroup! });
  });
  afterAll(async () => {
    // The folder of the killed agent's helper is kept for a day.
    expect((await node.close()).processes).toEqual([]);
    expect(groups()).toEqual([]);
  });

  it('has as much of a processor as it asked for', async () => {
    const file = groupKind === 'cgroup2' ? 'cpu.max' : 'cpu.cfs_quota_us';
    const hierarchy = groupKind === 'cgroup2' ? '' : 'cpu';
    const path = join('/sys/fs/cgroup', hierarchy, testGroup!);
    const { stdout } = await node.run(
      { command: `cat "${path}/attempt-$GANTRY_ATTEMPT_ID/${file}"` },
      { resources: { cpu: 250 } },
    );
    expect(stdout.trim()).toBe(groupKind === 'cgroup2' ? '25000 100000' : '25000');
  });

  it('is measured to its end however short it is', async () => {
    const { outcome } = await node.run({ command: 'exit 0' });
    expect(outcome.usage?.peakMemoryBytes).toBeGreaterThan(0);
    expect(outcome.usage?.cpuMs).toBeGreaterThanOrEqual(0);
  });

  it('cannot leave a process behind that hides from everything else', async () => {
    const { attempt, outcome } = await node.run({
      command: `env -i setsid /bin/sh -c 'trap "" TERM; echo $$; while :; do sleep 1; done' & read -r _ < /dev/null; sleep 0.2`,
    });
    expect(outcome.ok).toBe(true);
    expect(isRunning(Number(attempt.text.trim()))).toBe(false);
    expect(complaintsOf(attempt)).toMatch(/left behind/);
  });

  it('that forks as fast as it can is kept small, and ends whole', async () => {
    const attempt = node.attempt({
      command: `trap "" TERM; bomb() { bomb | bomb & }; bomb 2>/dev/null; echo up; while :; do sleep 1; done`,
      pids: 40,
    });
    const ended = attempt.run();
    await printed(attempt, 'up');
    expect(Number(readFileSync(join(base(), `attempt-${attempt.id}`, 'pids.current')))).toBeLessThanOrEqual(40);
    attempt.requestKill();
    expect(await ended).toMatchObject({ ok: false, signal: 'SIGKILL' });
  });

  it('that ran out of memory while there was no agent is told as such', async () => {
    const gate = node.gate();
    const attempt = node.attempt({ command: 'true' }, { resources: { memory: 100 * MEBIBYTE } });
    const command = `echo $$; read -r _ < "${gate.path}"; ${hold(200)}; exit $?`;
    const said = await killedAgent(node, attempt, { command }, (line) => 'printed' in line);
    const pid = Number((said.at(-1)!['printed'] as string).trim());
    gate.open();
    await gone(pid);
    const outcome = await attempt.reattach(plugin.handleOf!(attempt.id));
    expect(outcome).toMatchObject({ ok: false, kind: 'OOM', reason: { code: 'OUT_OF_MEMORY' } });
    expect(outcome.usage?.peakMemoryBytes).toBeGreaterThan(90 * MEBIBYTE);
  });
});
