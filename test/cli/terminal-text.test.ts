import { describe, expect, it } from '@jest/globals';
import { Output } from '../../server/cli/output.ts';
import { problemLines, type ProblemView } from '../../server/cli/source-frame.ts';
import { fitted, oneLine, terminalOutput, widthOf } from '../../server/cli/terminal-text.ts';
import { agoText, elapsedText } from '../../server/cli/time-text.ts';

describe('text from elsewhere', () => {
  it('cannot move the cursor, rename the window, hide a link or turn the reading direction', () => {
    const hostile = 'a\u001b[2J\u001b]0;title\u0007b\u001b]8;;http://x\u0007c\u001b]8;;\u0007\r\n\u202ed\u0008\u009b1A';
    // eslint-disable-next-line no-control-regex
    const control = /[\u0000-\u001f\u007f-\u009f\u202e]/;
    expect(oneLine(hostile)).not.toMatch(control);
    expect(terminalOutput(hostile, true).replaceAll('\n', '')).not.toMatch(control);
  });

  it('keeps its colours, lines and tabs as output of a task, where there are colours', () => {
    expect(terminalOutput('\u001b[31mred\u001b[0m\tx\r\ny', true)).toBe('\u001b[31mred\u001b[0m\tx\ny');
    expect(terminalOutput('\u001b[31mred\u001b[0m', false)).toBe('red');
  });

  it('is measured by the columns it takes', () => {
    expect(['abc', 'é', '日本', '\u001b[31mab\u001b[0m', '🚀'].map(widthOf)).toEqual([3, 1, 4, 2, 2]);
    expect(fitted('日本語', 5)).toBe('日本…');
    expect(fitted('abc', 3)).toBe('abc');
  });
});

describe('a problem in a source', () => {
  const output = new Output({ write: () => true }, { write: () => true }, { json: false, env: {} });
  const problem = (facts: Partial<ProblemView>): ProblemView => ({
    code: 'X',
    message: 'Wrong.',
    path: ['tasks', '0'],
    line: 1,
    column: 1,
    suggestion: null,
    ...facts,
  });

  it('has its caret below the place, also behind tabs and wide letters', () => {
    const [, line = '', caret = ''] = problemLines('f.yaml', '\tname: 日本 x', problem({ column: 11 }), output);
    // Behind one column for the tab, six of ASCII and two wide letters with a blank: 1 + 6 + 4 + 1 = 12.
    expect(line).toBe('  1 |  name: 日本 x');
    expect(caret).toBe(`    | ${' '.repeat(12)}^`);
  });

  it('shows a window of a long line, and nothing of a line that is not there', () => {
    const [, line = '', caret = ''] = problemLines('f.yaml', 'x'.repeat(10_000), problem({ column: 5_001 }), output);
    expect(line.length).toBeLessThan(140);
    expect(caret.indexOf('^')).toBe('  1 | …'.length + 60);
    expect(problemLines('f.yaml', 'x', problem({ line: 7 }), output)).toHaveLength(1);
  });

  it('without a line is named by its path', () => {
    expect(problemLines('f.yaml', null, problem({ line: null }), output)).toEqual(['f.yaml: tasks.0 Wrong. [X]']);
  });
});

describe('times', () => {
  it.each([
    [0, '0 ms'],
    [999, '999 ms'],
    [12_340, '12.3 s'],
    [65_000, '1m 05s'],
    [7_380_000, '2h 03m'],
    [200_000_000, '2d 7h'],
  ])('of %i ms are short', (ms, text) => {
    expect(elapsedText(ms)).toBe(text);
  });

  it('ago are counted from now', () => {
    const now = Date.parse('2026-11-20T10:00:00Z');
    expect(agoText('2026-11-20T09:58:00Z', now)).toBe('2 min ago');
    expect(agoText(null, now)).toBe('');
  });
});
