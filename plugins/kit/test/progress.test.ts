import { appendFileSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { followCommand } from '@gantry/plugin-kit/command-files';
import { progressOf, readProgressLine } from '@gantry/plugin-kit/progress';
import type { Progress } from '@gantry/plugin-kit/vocabulary';

describe('a line of progress', () => {
  it.each<[string, Progress | null]>([
    ['3/10', { fraction: 0.3, done: 3, total: 10, message: null }],
    ['progress 3 / 10  loading  rows ', { fraction: 0.3, done: 3, total: 10, message: 'loading  rows' }],
    ['45%', { fraction: 0.45, done: null, total: null, message: null }],
    ['99.5 % nearly', { fraction: 0.995, done: null, total: null, message: 'nearly' }],
    ['120', { fraction: null, done: 120, total: null, message: null }],
    ['12/10 more than planned', { fraction: 1, done: 12, total: 10, message: 'more than planned' }],
    ['0/0 nothing to do', { fraction: 1, done: 0, total: 0, message: 'nothing to do' }],
    ['loading', null],
    ['3/x', null],
    ['-1/10', null],
    ['', null],
  ])('is read: %s', (line, progress) => {
    expect(readProgressLine(line)).toEqual(progress);
  });
});

describe('progress that a plugin tells', () => {
  it('is made into amounts that make sense, and a message of one line', () => {
    expect(progressOf(7)).toEqual({ fraction: 1, done: null, total: null, message: null });
    expect(progressOf(Number.NaN).fraction).toBe(0);
    expect(progressOf({ done: -4, total: Infinity })).toEqual({ fraction: 1, done: 0, total: 0, message: null });
    expect(progressOf(0, '\u001b[31mred\u001b[0m\nline\0').message).toBe('[31mred [0m line');
    expect(progressOf(0, 'x'.repeat(1_000_000)).message).toBe(`${'x'.repeat(200)}…`);
    expect(progressOf(0, { toString: null } as unknown as string).message).toBeNull();
  });
});

describe('the file of a command’s progress', () => {
  let folder: string;
  let file: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'gantry-progress-'));
    file = join(folder, 'progress');
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  /** Follows the file and hands out what is told, as the runner would have told it. */
  function follow() {
    const told: Progress[] = [];
    let heard: (() => void) | null = null;
    const end = followCommand(
      { progress: file },
      {
        progress: (at, message) => {
          told.push(progressOf(at, message));
          heard?.();
        },
      },
    );
    return { told, end, next: () => new Promise<void>((resolve) => (heard = resolve)) };
  }

  it('is followed while it grows, by its last whole line', async () => {
    const { told, end, next } = follow();
    const first = next();
    writeFileSync(file, '1/4 first\n2/4 second\n3/4 thi');
    await first;
    const second = next();
    appendFileSync(file, 'rd\nno progress\n');
    await second;
    end();
    expect(told.map(({ message }) => message)).toEqual(['second', 'third']);
  });

  it('is looked at once more when the command has ended', () => {
    const { told, end } = follow();
    writeFileSync(file, '100%\n');
    end();
    expect(told).toEqual([{ fraction: 1, done: null, total: null, message: null }]);
  });

  it('is a plain file, of which the end is read however long it is', () => {
    const { told, end } = follow();
    writeFileSync(file, `${'9/9 '.repeat(1_000_000)}\n5/9 here\n`);
    end();
    expect(told).toEqual([{ fraction: 5 / 9, done: 5, total: 9, message: 'here' }]);
    const other = join(folder, 'other');
    writeFileSync(other, '1/1\n');
    rmSync(file);
    symlinkSync(other, file);
    const linked = follow();
    linked.end();
    expect(linked.told).toEqual([]);
  });
});
