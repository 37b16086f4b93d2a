import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { AttemptHarness } from '@gantry/plugin-kit/testing';
import plugin from '../src/index.ts';

let harness: AttemptHarness;
beforeAll(() => {
  harness = new AttemptHarness(plugin);
});
afterAll(() => harness.close());

describe('the mock runner', () => {
  it.each([
    ['fail', { ok: false, kind: 'APPLICATION', exitCode: 1 }],
    ['reject', { ok: false, kind: 'REJECTED' }],
    ['oom', { ok: false, kind: 'OOM', exitCode: 137, signal: 'SIGKILL' }],
    ['lose', { ok: false, kind: 'INFRASTRUCTURE' }],
  ])('ends as it is ordered to: %s', async (outcome, expected) => {
    expect(await harness.attempt({ outcome }).run()).toMatchObject(expected);
  });

  it('throws, and returns nonsense, when it is ordered to', async () => {
    await expect(harness.attempt({ outcome: 'throw' }).run()).rejects.toThrow('ordered to throw');
    expect(await harness.attempt({ outcome: 'nonsense' }).run()).toBe('nonsense');
  });

  it('fails the first tries only, by the number of the attempt', async () => {
    const oks: boolean[] = [];
    for (let number = 1; number <= 4; number++) {
      oks.push((await harness.attempt({ failFirst: 2 }, { number }).run()).ok);
    }
    expect(oks).toEqual([false, false, true, true]);
  });

  it('says that work which it rejects never began', async () => {
    const attempt = harness.attempt({ outcome: 'reject' });
    await attempt.run();
    expect(attempt.hasStarted).toBe(false);
  });

  it('ignores the soft stop when it is ordered to, and ends by the hard one', async () => {
    const attempt = harness.attempt({ outcome: 'hang', ignoreStop: true });
    let hasEnded = false;
    const ended = attempt.run().finally(() => (hasEnded = true));
    attempt.requestStop();
    await new Promise((resolve) => setImmediate(resolve));
    expect(hasEnded).toBe(false);
    attempt.requestKill();
    expect(await ended).toMatchObject({ ok: false });
  });

  it('never settles when it is ordered to forget, whatever it is told', async () => {
    const attempt = harness.attempt({ outcome: 'forget' });
    let hasEnded = false;
    void attempt.run().finally(() => (hasEnded = true));
    attempt.requestKill();
    await new Promise((resolve) => setImmediate(resolve));
    expect(hasEnded).toBe(false);
  });

  it('ends when it is stopped in the middle of printing, though nobody reads', async () => {
    const attempt = harness.attempt({ logLines: 10_000_000 });
    // A reader that never takes the first piece: the stream fills up and stays full.
    attempt.stdout._write = () => undefined;
    const ended = attempt.run();
    await new Promise((resolve) => setImmediate(resolve));
    attempt.requestStop();
    expect(await ended).toMatchObject({ ok: false, reason: { code: 'STOPPED' } });
  });

  it('does again after a restart what it was ordered to', async () => {
    const attempt = harness.attempt({ checkpoint: true, outcome: 'fail', exitCode: 9 });
    await attempt.run();
    expect(await harness.attempt({}).reattach(attempt.checkpoints[0]!)).toMatchObject({ ok: false, exitCode: 9 });
    expect(await harness.attempt({}).reattach({ order: 'of nobody' })).toMatchObject({
      ok: false,
      kind: 'UNKNOWN',
      reason: { code: 'HANDLE_UNKNOWN' },
    });
  });
});
