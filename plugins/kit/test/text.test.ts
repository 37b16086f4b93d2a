import { describe, expect, it } from '@jest/globals';
import { beginningOf } from '@gantry/plugin-kit/beginning';
import { decodeText } from '@gantry/plugin-kit/text';

const decoded = (bytes: readonly number[], charset?: string) => decodeText(Uint8Array.from(bytes), charset);

describe('bytes that become text', () => {
  it('are UTF-8 unless they say something else', () => {
    expect(decoded([0xc3, 0xa9])).toEqual({ ok: true, text: 'é' });
  });

  it.each([
    ['ISO-8859-1', [0xe9], 'é'],
    ['latin1', [0x80], '€'],
    ['Windows-1251', [0xcf], 'П'],
    ['Shift_JIS', [0x83, 0x65], 'テ'],
    ['utf-16be', [0x00, 0x41], 'A'],
  ])('are read in the charset that is named: %s', (charset, bytes, text) => {
    expect(decoded(bytes, charset)).toEqual({ ok: true, text });
  });

  it('are read by their mark, whatever is named', () => {
    expect(decoded([0xef, 0xbb, 0xbf, 0xc3, 0xa9], 'latin1')).toEqual({ ok: true, text: 'é' });
    expect(decoded([0xff, 0xfe, 0x41, 0x00])).toEqual({ ok: true, text: 'A' });
    expect(decoded([0xfe, 0xff, 0x00, 0x41], 'utf-8')).toEqual({ ok: true, text: 'A' });
  });

  it('are refused with their place when they are none of their encoding', () => {
    expect(decoded([0x61, 0x0a, 0x62, 0xe9, 0x63])).toEqual({
      ok: false,
      code: 'BAD_BYTES',
      message: 'Line 2 (byte 5) is not UTF-8.',
    });
    expect(decoded([0x61, 0xc3])).toEqual({ ok: false, code: 'BAD_BYTES', message: 'Line 1 (byte 3) is not UTF-8.' });
  });

  it('are refused in a charset that nobody knows', () => {
    expect(decoded([0x61], 'klingon')).toMatchObject({ ok: false, code: 'UNKNOWN_CHARSET' });
  });
});

describe('a text that is cut', () => {
  it('never ends with half a character', () => {
    expect(beginningOf('ab😀c', 3)).toBe('ab');
    expect(beginningOf('ab😀c', 4)).toBe('ab😀');
    expect(beginningOf('ab', 9)).toBe('ab');
  });
});
