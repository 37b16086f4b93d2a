import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { formatDuration, formatIsoDuration, MAX_DURATION_MS, parseDuration } from '../../server/domain/time.ts';

const msOf = (value: string | number): unknown => {
  const parsed = parseDuration(value);
  return parsed.ok ? parsed.ms : parsed.reason.code;
};

describe('a duration', () => {
  it.each<[string | number, number]>([
    ['90s', 90_000],
    ['5m', 300_000],
    ['1h30m', 5_400_000],
    ['250ms', 250],
    ['1.5h', 5_400_000],
    ['0.1s', 100],
    ['2d', 172_800_000],
    ['1w', 604_800_000],
    ['1w2d3h4m5s6ms', 788_645_006],
    ['0', 0],
    [0, 0],
    ['0s', 0],
    ['PT5M', 300_000],
    ['PT0S', 0],
    ['PT0.25S', 250],
    ['P1DT2H', 93_600_000],
    ['P2W', 1_209_600_000],
    [' 5m ', 300_000],
    ['3650d', MAX_DURATION_MS],
  ])('written %s is %d ms', (text, ms) => {
    expect(msOf(text)).toBe(ms);
  });

  it.each<[string | number]>([
    ['5'],
    [5],
    [-1],
    ['-5m'],
    [''],
    ['soon'],
    ['5 m'],
    ['30m1h'],
    ['1h1h'],
    ['1M'],
    ['P'],
    ['PT'],
    ['P1M'],
    ['P1Y'],
    ['PT1H2'],
    ['0.4ms'],
    ['3651d'],
    ['1e3s'],
    [`${'9'.repeat(400)}s`],
    ['1s'.repeat(1000)],
  ])('is not what is written %s', (text) => {
    expect(msOf(text)).toBe('BAD_DURATION');
  });

  it('without a unit is offered some', () => {
    const parsed = parseDuration(90);
    expect(parsed.ok ? '' : parsed.reason.remedy).toBe('Write 90s, 90m or 90h.');
  });

  it.each([
    [0, '0s', 'PT0S'],
    [250, '250ms', 'PT0.25S'],
    [90_000, '1m30s', 'PT1M30S'],
    [5_400_000, '1h30m', 'PT1H30M'],
    [93_600_000, '1d2h', 'P1DT2H'],
    [86_400_000, '1d', 'P1D'],
  ])('of %d ms is written %s, and %s for programs', (ms, text, iso) => {
    expect(formatDuration(ms)).toBe(text);
    expect(formatIsoDuration(ms)).toBe(iso);
  });

  it('of any length is read back as it was, in both forms', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: MAX_DURATION_MS }), (ms) => {
        expect(msOf(formatDuration(ms))).toBe(ms);
        expect(msOf(formatIsoDuration(ms))).toBe(ms);
      }),
    );
  });

  it('of any text is a whole number of milliseconds or a refusal', () => {
    const texts = fc.oneof(
      fc.string(),
      fc.stringMatching(/^P?T?[0-9.]{1,6}[wdhmsWDHMS]{0,2}[0-9.]{0,4}[a-zA-Z]{0,2}$/),
    );
    fc.assert(
      fc.property(texts, (text) => {
        const parsed = parseDuration(text);
        expect(parsed.ok ? Number.isSafeInteger(parsed.ms) && parsed.ms >= 0 : parsed.reason.message !== '').toBe(true);
      }),
    );
  });
});
