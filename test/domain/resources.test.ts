import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  addResources,
  fits,
  formatQuantity,
  roundedQuantity,
  isResourceName,
  parseQuantity,
  subtractResources,
} from '../../server/domain/resources.ts';

const amountOf = (resource: string, value: string | number): unknown => {
  const parsed = parseQuantity(resource, value);
  return parsed.ok ? parsed.amount : parsed.reason.code;
};

describe('a quantity', () => {
  it.each<[string, string | number, number]>([
    ['cpu', '500m', 500],
    ['cpu', '2', 2000],
    ['cpu', 2, 2000],
    ['cpu', '0.5', 500],
    ['cpu', 0.1, 100],
    ['cpu', '1.5', 1500],
    ['cpu', 0, 0],
    ['memory', '512Mi', 512 * 1024 * 1024],
    ['memory', '1G', 1_000_000_000],
    ['memory', '1.5Gi', 1.5 * 1024 ** 3],
    ['memory', '100k', 100_000],
    ['memory', 1024, 1024],
    ['memory', '1e3', 1000],
    // 0.1 × 2^30 = 107,374,182.4
    ['memory', '0.1Gi', 107_374_183],
    // In binary fractions 1.1 × 10^9 is more than 1,100,000,000.
    ['disk', '1.1G', 1_100_000_000],
    ['disk', '2Ti', 2 * 1024 ** 4],
    ['gpu', '2', 2_000],
    ['gpu', 2, 2_000],
    ['gpu', '0.25', 250],
    ['gpu', '500m', 500],
    ['licence', '2.0', 2],
    ['licence/matlab', 0, 0],
  ])('of %s written %s is %d', (resource, value, amount) => {
    expect(amountOf(resource, value)).toBe(amount);
  });

  it.each<[string, string | number]>([
    ['cpu', '0.0001'],
    ['cpu', '1.5m'],
    ['cpu', '1Gi'],
    ['cpu', '-1'],
    ['cpu', -1],
    ['cpu', Number.NaN],
    ['cpu', Infinity],
    ['cpu', ''],
    ['cpu', '1 2'],
    ['memory', '512MB'],
    ['memory', '1m'],
    ['memory', 'lots'],
    ['memory', '0x10'],
    ['memory', '9Ei'],
    ['memory', '1e99'],
    ['memory', `1${'0'.repeat(50)}`],
    ['gpu', '1.5'],
    ['gpu', '0.0001'],
    ['gpu', '1k'],
    ['licence', '0.5'],
  ])('of %s written %s is refused', (resource, value) => {
    expect(amountOf(resource, value)).toBe('BAD_QUANTITY');
  });

  it('with a unit that does not exist is told which do', () => {
    const parsed = parseQuantity('memory', '512MB');
    expect(parsed.ok ? '' : parsed.reason.remedy).toBe('Write 512Mi (powers of 1024) or 512M (powers of 1000).');
  });

  it('of any amount is read back as it was', () => {
    const amounts = fc.oneof(
      fc.maxSafeNat(),
      fc.nat(4096).map((each) => each * 1024 ** 2),
      fc.nat(4096).map((each) => each * 1000 ** 3),
    );
    fc.assert(
      fc.property(fc.constantFrom('cpu', 'memory', 'disk', 'licence'), amounts, (resource, amount) => {
        expect(amountOf(resource, formatQuantity(resource, amount))).toBe(amount);
      }),
    );
  });

  it.each([
    ['cpu', 500, '500m'],
    ['cpu', 2000, '2'],
    ['memory', 512 * 1024 * 1024, '512Mi'],
    ['memory', 1_000_000_000, '1G'],
    ['memory', 1001, '1001'],
    ['memory', 0, '0'],
    ['gpu', 3_000, '3'],
    ['gpu', 250, '250m'],
  ])('of %s of %d is written %s', (resource, amount, text) => {
    expect(formatQuantity(resource, amount)).toBe(text);
  });

  it('for people to read is short, and errs on the side that is asked for, by less than a tenth', () => {
    fc.assert(
      fc.property(
        fc.nat(2 ** 31).chain((size) => fc.constantFrom(size, size * 1_000, size * 99_991)),
        (amount) => {
          const [down, up] = [roundedQuantity('memory', amount, 'down'), roundedQuantity('memory', amount, 'up')];
          expect(Math.max(down.length, up.length)).toBeLessThanOrEqual(8);
          expect(amountOf('memory', down)).toBeLessThanOrEqual(amount);
          expect(amountOf('memory', up)).toBeGreaterThanOrEqual(amount);
          expect(Number(amountOf('memory', up)) - Number(amountOf('memory', down))).toBeLessThanOrEqual(
            amount / 10 + 1,
          );
        },
      ),
    );
    expect(roundedQuantity('memory', 24_684_084 * 1024, 'down')).toBe('23.5Gi');
  });

  it('of any text is an amount or a refusal', () => {
    fc.assert(
      fc.property(fc.constantFrom('cpu', 'memory', 'gpu'), fc.string(), (resource, text) => {
        const parsed = parseQuantity(resource, text);
        expect(
          parsed.ok ? Number.isSafeInteger(parsed.amount) && parsed.amount >= 0 : parsed.reason.message !== '',
        ).toBe(true);
      }),
    );
  });
});

describe('resources', () => {
  it('fit when each does; what is absent is none', () => {
    expect(fits({ cpu: 500 }, { cpu: 500, memory: 1 })).toBe(true);
    expect(fits({ cpu: 500, gpu: 1 }, { cpu: 500 })).toBe(false);
    expect(fits({ gpu: 0 }, {})).toBe(true);
  });

  it('are added and taken away by name', () => {
    expect(addResources({ cpu: 1, gpu: 1 }, { cpu: 2, memory: 3 })).toEqual({ cpu: 3, gpu: 1, memory: 3 });
    expect(subtractResources({ cpu: 3 }, { cpu: 1, gpu: 1 })).toEqual({ cpu: 2, gpu: -1 });
  });

  it('have names in lower case', () => {
    expect(['cpu', 'licence/matlab', 'a.b-c'].every(isResourceName)).toBe(true);
    expect(['', 'GPU', '1a', 'a b', 'a-', 'x'.repeat(64), '__proto__', 'constructor'].some(isResourceName)).toBe(false);
  });
});
