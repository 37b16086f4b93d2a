import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { FoundLines, searchPattern } from '../../web/screens/log/find-lines.ts';
import { LogLines } from '../../web/screens/log/log-lines.ts';
import { webAddress } from '../../web/screens/log/text-style.ts';

type Stream = 'STDOUT' | 'STDERR';
const chunk = (text: string, stream: Stream = 'STDOUT') => ({
  text,
  stream,
  attemptNumber: 1,
  at: '2026-01-01T00:00:00.000Z',
});

function linesOf(...texts: readonly string[]) {
  const log = new LogLines();
  for (const text of texts) log.add(chunk(text));
  return log.lines;
}
const textsOf = (...texts: readonly string[]): string[] => linesOf(...texts).map(({ text }) => text);

describe('what moves the cursor in a line', () => {
  it.each([
    ['a carriage return lets what comes write over what is there', 'progress 10 %\rprogress 99 %\n', ['progress 99 %']],
    ['and leaves what is longer', 'downloading\rdone\n', ['doneloading']],
    ['at the end of a line it is a part of that end', 'one\r\ntwo\r\n', ['one', 'two']],
    ['what is erased behind it is gone', 'downloading\r\u001b[Kdone\n', ['done']],
    ['a whole line is erased in its place', 'downloading\u001b[2K\rdone\n', ['done']],
    ['up to the cursor it is blank', 'abcdef\u001b[3D\u001b[1K\n', ['    ef']],
    ['a backspace goes back by one', 'abcd\b\bXY\n', ['abXY']],
    ['and no further than to the beginning', 'a\b\b\bX\n', ['X']],
    ['columns are gone to by number', 'abc\u001b[2GX\u001b[6Gend\n', ['aXc  end']],
    ['and by steps', 'abc\u001b[2CX\u001b[10DY\n', ['Ybc  X']],
    ['a spinner is one line', '|\b/\b-\b\\\bok\n', ['ok']],
    ['characters beyond 16 bits are one each', '😀😀\rab\n', ['ab']],
  ])('%s', (_, text, expected) => {
    expect(textsOf(text)).toEqual(expected);
  });

  it('holds for the line that is still open, which is shown as it stands', () => {
    const log = new LogLines();
    log.add(chunk('10 %\r'));
    expect(log.lines[0]?.text).toBe('10 %');
    log.add(chunk('20'));
    expect(log.lines[0]?.text).toBe('20 %');
    log.add(chunk('\nnext'));
    expect(log.lines.map(({ text }) => text)).toEqual(['20 %', 'next']);
  });
});

describe('sequences that are not heeded', () => {
  it.each([
    ['cursor up and down', 'a\u001b[2Ab\u001b[1Bc\n', 'abc'],
    ['private modes', '\u001b[?25lhidden cursor\u001b[?25h\n', 'hidden cursor'],
    ['titles, ended by BEL', '\u001b]0;a title\u0007text\n', 'text'],
    ['titles, ended by ST', '\u001b]2;a title\u001b\\text\n', 'text'],
    ['device control strings', '\u001bPq#0;2;0;0;0#0~~\u001b\\text\n', 'text'],
    ['what sets a clipboard', '\u001b]52;c;ZXZpbA==\u0007text\n', 'text'],
    ['character sets and resets', '\u001b(Ba\u001bcb\u001b7c\u001b8\n', 'abc'],
    ['requests', 'a\u001b[6n\u001b[cb\n', 'ab'],
    ['their one-byte forms', 'a\u009b31mb\u009d0;title\u0007c\n', 'abc'],
    ['with the parameters of others', 'a\u001b[>4;2mb\u001b[=1uc\n', 'abc'],
  ])('are left out: %s', (_, text, expected) => {
    expect(textsOf(text)).toEqual([expected]);
  });

  it('show control characters as pictures, and no bell', () => {
    expect(textsOf('a\u0000b\u0007c\u0001d\u007f\n')).toEqual(['a␀bc␁d␡']);
  });

  it('do not swallow the lines behind one that was never ended', () => {
    expect(textsOf('\u001b]0;never ended\nthe next line\n')).toEqual(['', 'the next line']);
    expect(textsOf(`\u001b]0;${'x'.repeat(20_000)}`, 'more\n').join('')).toContain('more');
  });
});

describe('colours', () => {
  const look = (text: string) => linesOf(text)[0]?.spans?.map(({ style }) => style);

  it('are the sixteen by name, the 256 and the 16 million exactly', () => {
    expect(look('\u001b[31mred\u001b[0m')).toMatchObject([{ names: 'ansi-red', color: null }]);
    expect(look('\u001b[1;92;44mx')).toMatchObject([{ names: 'ansi-bright-green ansi-blue-bg ansi-bold' }]);
    expect(look('\u001b[38;5;208mx')).toMatchObject([{ names: '', color: 'rgb(255, 135, 0)' }]);
    expect(look('\u001b[48;5;244mx')).toMatchObject([{ background: 'rgb(128, 128, 128)' }]);
    expect(look('\u001b[38;5;9mx')).toMatchObject([{ names: 'ansi-bright-red', color: null }]);
    expect(look('\u001b[38;2;1;22;133mx')).toMatchObject([{ color: 'rgb(1, 22, 133)' }]);
    expect(look('\u001b[38:2::1:22:133mx')).toMatchObject([{ color: 'rgb(1, 22, 133)' }]);
    expect(look('\u001b[38:5:208mx')).toMatchObject([{ color: 'rgb(255, 135, 0)' }]);
    expect(look('\u001b[38;5;999mx\u001b[38;2;300;0;0my')).toBeUndefined();
  });

  it('hold over the end of a line until they are taken back', () => {
    const lines = linesOf('\u001b[31mone\ntwo\u001b[39m plain\nthree\n');
    expect(lines.map(({ spans }) => spans?.map(({ from, to }) => [from, to]) ?? null)).toEqual([
      [[0, 3]],
      [[0, 3]],
      null,
    ]);
  });

  it('stay with their characters when others are written over', () => {
    const [line] = linesOf('\u001b[31mabcdef\u001b[0m\rXY\n');
    expect(line).toMatchObject({ text: 'XYcdef', spans: [{ from: 2, to: 6, style: { names: 'ansi-red' } }] });
  });
});

describe('links', () => {
  it('lead to addresses of the web, and everything else is text', () => {
    const [line] = linesOf('see \u001b]8;id=1;https://example.org/a?b=c\u001b\\the docs\u001b]8;;\u0007.\n');
    expect(line).toMatchObject({
      text: 'see the docs.',
      spans: [{ from: 4, to: 12, style: { link: 'https://example.org/a?b=c' } }],
    });
    for (const uri of [
      'javascript:alert(1)',
      'JaVaScRiPt:alert(1)',
      'data:text/html,x',
      'file:///etc/passwd',
      '//x',
      'x',
      '',
    ]) {
      expect(webAddress(uri)).toBeNull();
      expect(linesOf(`\u001b]8;;${uri}\u0007text\u001b]8;;\u0007\n`)[0]).toMatchObject({ text: 'text', spans: null });
    }
  });
});

describe('a stream in chunks', () => {
  const pieces = [
    'a',
    'bc',
    ' ',
    '\n',
    '\r',
    '\r\n',
    '\b',
    '\u001b[31m',
    '\u001b[0m',
    '\u001b[K',
    '\u001b[38;5;200m',
    '\u001b[3G',
  ];
  const more = [
    '\u001b]8;;https://example.org\u001b\\',
    '\u001b]8;;\u0007',
    '\u001b]0;t\u0007',
    '\u001b[2C',
    '\u001bPx\u001b\\',
    '😀',
  ];
  const output = fc.array(fc.constantFrom(...pieces, ...more), { maxLength: 30 }).map((all) => all.join(''));

  it('comes to the same wherever it is cut', () => {
    fc.assert(
      fc.property(output, fc.array(fc.nat(200), { maxLength: 6 }), (text, places) => {
        const cuts = [...new Set(places.map((place) => place % (text.length + 1)))].toSorted(
          (one, other) => one - other,
        );
        const chunks = [0, ...cuts].map((from, at) => text.slice(from, cuts[at] ?? text.length));
        // A chunk is whole characters.
        fc.pre(chunks.every((each) => each.isWellFormed()));
        const end = '.\n';
        expect(linesOf(...chunks, end)).toEqual(linesOf(text + end));
      }),
      { numRuns: 1_000 },
    );
  });

  it('shows no control character, whatever it is given', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: 'binary' })), (chunks) => {
        // eslint-disable-next-line no-control-regex -- escape sequences are control characters
        for (const text of textsOf(...chunks)) expect(text).not.toMatch(/[\u0000-\u0008\u000a-\u001f\u007f-\u009f]/);
      }),
    );
  });

  it('does not hold up the page: a bar of 50,000 steps, and lines that end as on Windows', () => {
    expect(textsOf(Array.from({ length: 50_000 }, (_, at) => `${at} of 50000\r`).join(''), '\n')).toEqual([
      '49999 of 50000',
    ]);
    expect(textsOf('x\r\n'.repeat(100_000))).toHaveLength(100_000);
  });
});

describe('a search in a log', () => {
  const found = (search: string, log: LogLines, finder = new FoundLines(searchPattern(search)!)) => {
    while (finder.look(log.lines, log.open));
    return finder;
  };

  it('takes every character for itself, in upper or lower case', () => {
    const log = new LogLines();
    log.add(chunk('a.b\naxb\n[x] (1+1) \\d $9 ^|*?{2}/\nÄPFEL İX\n'));
    expect(found('a.b', log).places).toEqual([0]);
    expect(found('A.B', log).places).toEqual([0]);
    expect(found('(1+1) \\D $9 ^|*?{2}/', log).places).toEqual([2]);
    expect(found('äpfel', log).places).toEqual([3]);
    expect(searchPattern('')).toBeNull();
    // Lower case has another length: places are those in the text as it is.
    expect([...'İX'.matchAll(searchPattern('x')!)].map(({ index }) => index)).toEqual([1]);
  });

  it('finds what is across colours, and what a line comes to say, however far back it began', () => {
    const log = new LogLines();
    log.add(chunk('nee\u001b[31mdle\u001b[0m\n'));
    log.add(chunk('prompt: '));
    for (let at = 0; at < 500; at++) log.add(chunk('hay\n', 'STDERR'));
    const finder = found('needle', log);
    expect(finder.places).toEqual([0]);
    log.add(chunk('needle'));
    expect(found('needle', log, finder).places).toEqual([0, 1]);
    log.add(chunk('\r\u001b[Knothing\n'));
    expect(found('needle', log, finder).places).toEqual([0]);
    log.add(chunk('a needle at the end\n'));
    expect(found('needle', log, finder).places).toEqual([0, 502]);
  });
});
