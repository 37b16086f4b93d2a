import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { formatDateTime } from '../../server/api/date-time.ts';

describe('a point in time', () => {
  it('is written as JavaScript writes it', () => {
    const times = fc.oneof(fc.integer({ min: -1e12, max: 4e12 }), fc.integer({ min: 1.7e12, max: 1.7e12 + 200_000 }));
    fc.assert(
      fc.property(times, (ms) => formatDateTime(ms) === new Date(ms).toISOString()),
      { numRuns: 2_000 },
    );
  });

  it('is none when it is no number', () => {
    for (const ms of [Number.NaN, Infinity, 9e15]) expect(() => formatDateTime(ms)).toThrow(RangeError);
  });
});
