import { appendFileSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { followCommand, restoreCheckpoint } from '@gantry/plugin-kit/command-files';
import { defineRunner } from '@gantry/plugin-kit/runner';
import { AttemptHarness, type TestAttempt } from '@gantry/plugin-kit/testing';
import type { Json } from '@gantry/plugin-kit/vocabulary';

let folder: string;
let progress: string;
let checkpoint: string;
let harness: AttemptHarness;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'gantry-command-'));
  progress = join(folder, 'progress');
  checkpoint = join(folder, 'checkpoint');
  const config = { check: (value: unknown) => ({ ok: true as const, config: value }), jsonSchema: {} };
  const run = () => Promise.resolve({ ok: true as const, outputs: {} });
  harness = new AttemptHarness(defineRunner({ name: 'none', version: '1.0.0', summary: 'Does nothing.', config, run }));
});
afterEach(async () => {
  await harness.close();
  rmSync(folder, { recursive: true, force: true });
});

const attemptAfter = (previousState: Json = null) => harness.attempt({}, { number: 2, previousState });
const follow = (attempt: TestAttempt) => followCommand({ progress, checkpoint }, attempt);
/** What a command that runs while it is followed leaves behind. */
function told(write: () => void, previousState: Json = null): TestAttempt {
  const attempt = attemptAfter(previousState);
  const end = follow(attempt);
  write();
  end();
  return attempt;
}

describe('the file of a command’s progress', () => {
  it('is followed while it grows, by its last whole line', async () => {
    const attempt = attemptAfter();
    const end = follow(attempt);
    writeFileSync(progress, '1/4 first\n2/4 second\n3/4 thi');
    await attempt.untilProgressed(1);
    appendFileSync(progress, 'rd\nno progress\n');
    await attempt.untilProgressed(2);
    end();
    expect(attempt.progressed.map(({ message }) => message)).toEqual(['second', 'third']);
  });

  it('is looked at once more when the command has ended', () => {
    const { progressed } = told(() => writeFileSync(progress, '100%\n'));
    expect(progressed).toEqual([{ fraction: 1, done: null, total: null, message: null }]);
  });

  it('may be of any length: its end is read', () => {
    const { progressed } = told(() => writeFileSync(progress, `${'9/9 '.repeat(1_000_000)}\n5/9 here\n`));
    expect(progressed).toEqual([{ fraction: 5 / 9, done: 5, total: 9, message: 'here' }]);
    expect(told(() => writeFileSync(progress, `${'9/9 '.repeat(1_000_000)}\n`)).progressed).toEqual([]);
  });
});

describe('the file of a command’s checkpoint', () => {
  it('is saved when it is written, and as it is when the command ends', async () => {
    const attempt = attemptAfter();
    const end = follow(attempt);
    writeFileSync(checkpoint, 'page=1');
    await attempt.untilSaved(1);
    writeFileSync(checkpoint, 'page=2');
    writeFileSync(checkpoint, 'page=3');
    end();
    expect(attempt.saved).toEqual(['page=1', 'page=3']);
  });

  it('holds what the attempt before saved: text as it was, anything else as JSON', () => {
    const texts = (['page=2\n', { page: 2 }] as Json[]).map((state, index) => {
      restoreCheckpoint(`${checkpoint}${index}`, attemptAfter(state));
      return readFileSync(`${checkpoint}${index}`, 'utf8');
    });
    expect(texts).toEqual(['page=2\n', '{"page":2}']);
    expect(restoreCheckpoint(checkpoint, attemptAfter(null))).toBe(false);
  });

  it('that is left as it was is not saved again', () => {
    writeFileSync(checkpoint, 'page=2');
    expect(told(() => undefined, 'page=2').saved).toEqual([]);
  });

  it.each([
    ['is too large', () => writeFileSync(checkpoint, 'x'.repeat(65_537)), 'more than 65536 bytes'],
    ['is not UTF-8', () => writeFileSync(checkpoint, Buffer.from([0xff])), 'not UTF-8'],
  ])('that %s is not saved, and the command is told', (_, write, message) => {
    const attempt = told(write);
    expect(attempt.saved).toEqual([]);
    expect(Buffer.concat(attempt.printed.stderr).toString()).toContain(message);
  });

  it('is a plain file: a link is not followed', () => {
    writeFileSync(join(folder, 'other'), '1/1\n');
    const attempt = told(() => {
      for (const path of [progress, checkpoint]) symlinkSync(join(folder, 'other'), path);
    });
    expect([attempt.saved, attempt.progressed]).toEqual([[], []]);
  });
});
