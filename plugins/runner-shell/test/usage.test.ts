import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { burn, keep, NODES, NodeUnderTest, printed } from './node-under-test.ts';

const MEBIBYTE = 1_048_576;
describe.each(NODES)('what an attempt took on a node with %s', (_kind, settings) => {
  let node: NodeUnderTest;
  beforeAll(() => {
    node = new NodeUnderTest(settings);
  });
  afterAll(async () => {
    expect(await node.close()).toEqual({ files: [], processes: [] });
  });

  it('is the memory of all its processes at the worst moment', async () => {
    const attempt = node.attempt({
      command: `${keep(80, 'a')} & ${keep(80, 'b')} & until [ -e a ] && [ -e b ]; do sleep 0.02; done; echo up; wait`,
    });
    const ended = attempt.run();
    await printed(attempt, 'up');
    attempt.requestStop();
    const outcome = await ended;
    expect(outcome.usage?.peakMemoryBytes).toBeGreaterThan(160 * MEBIBYTE);
    expect(outcome.usage?.peakMemoryBytes).toBeLessThan(1_000 * MEBIBYTE);
  });

  it('is the processor time of all that were waited for', async () => {
    const { outcome } = await node.run({ command: `(${burn(150)}); ${burn(150)} & wait` });
    expect(outcome.usage?.cpuMs).toBeGreaterThanOrEqual(300);
  });

  it('is not what the attempt before has taken with the same helper', async () => {
    await node.run({ command: burn(500) });
    const { outcome } = await node.run({ command: 'true' });
    expect(outcome.usage?.cpuMs).toBeLessThan(500);
  });

  it('has what a process left behind has taken', async () => {
    const { outcome } = await node.run({
      command: `setsid sh -c '${burn(200).replaceAll("'", '"')}; echo done > done; sleep 1000' & until [ -e done ]; do sleep 0.01; done`,
    });
    expect(outcome).toMatchObject({ ok: true });
    expect(outcome.usage?.cpuMs).toBeGreaterThanOrEqual(200);
  });

  it('is told of a failure, and of a command that was killed', async () => {
    const failed = await node.run({ command: `${burn(100)}; exit 3` });
    expect(failed.outcome).toMatchObject({ ok: false, exitCode: 3 });
    expect(failed.outcome.usage?.cpuMs).toBeGreaterThanOrEqual(100);
    const attempt = node.attempt({
      argv: [
        'node',
        '-e',
        'process.on("SIGTERM", () => {}); const held = Buffer.alloc(30 << 20, 1); while (process.cpuUsage().user < 3e5); console.log("up"); setInterval(() => held.fill(2), 1000);',
      ],
    });
    const ended = attempt.run();
    await printed(attempt, 'up');
    attempt.requestKill();
    const killed = await ended;
    expect(killed).toMatchObject({ ok: false, signal: 'SIGKILL' });
    expect(killed.usage?.cpuMs).toBeGreaterThan(0);
    expect(killed.usage?.peakMemoryBytes).toBeGreaterThan(20 * MEBIBYTE);
  });
});
