import { describe, expect, it } from '@jest/globals';
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
