import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { FAILURE_KINDS } from '../../server/domain/failure.ts';
import {
  afterEnd,
  isOutcomeUnknown,
  MAX_LOSSES,
  payerOf,
  spentWith,
  type AttemptEnd,
} from '../../server/domain/retry.ts';

const anEnd: fc.Arbitrary<AttemptEnd> = fc.record({
  state: fc.constantFrom('FAILED', 'TIMED_OUT', 'CANCELLED', 'LOST', 'REJECTED'),
  failure: fc.record({
    kind: fc.constantFrom(...FAILURE_KINDS),
    reason: fc.record({
      code: fc.constantFrom('EXIT_CODE', 'NODE_LOST', 'RUNNER_THREW', 'OUTCOME_MALFORMED'),
      message: fc.constant('It ended.'),
    }),
  }),
  wasAtWork: fc.boolean(),
});
const aPolicy = fc.record({
  max: fc.nat(5),
  backoff: fc.constantFrom('constant', 'exponential'),
  delayMs: fc.integer({ min: 0, max: 60_000 }),
  maxDelayMs: fc.integer({ min: 0, max: 300_000 }),
});

/** Plays a history to its end: what was spent, and the ends that were followed by another attempt. */
function play(policy: Parameters<typeof afterEnd>[0], ends: readonly AttemptEnd[], mayRepeat: boolean) {
  let spent = { failures: 0, losses: 0, attempts: 0 };
  const followed: AttemptEnd[] = [];
  const delays: number[] = [];
  for (const end of ends) {
    spent = spentWith(end, { ...spent, attempts: spent.attempts + 1 });
    const verdict = afterEnd(policy, end, spent, () => mayRepeat);
    if (!verdict.again) return { spent, followed, delays, last: end, because: verdict.because };
    followed.push(end);
    delays.push(verdict.delayMs);
  }
  return { spent, followed, delays, last: null, because: null };
}

describe('the price of attempts, over random histories', () => {
  it('is at most three tolerated losses and the user’s retries', () => {
    fc.assert(
      fc.property(aPolicy, fc.array(anEnd, { maxLength: 60 }), fc.boolean(), (policy, ends, mayRepeat) => {
        const { spent, followed } = play(policy, ends, mayRepeat);
        expect(spent.failures).toBeLessThanOrEqual(policy.max + 1);
        expect(spent.losses).toBeLessThanOrEqual(MAX_LOSSES + 1);
        expect(followed.filter((end) => payerOf(end) === 'INFRASTRUCTURE').length).toBeLessThanOrEqual(MAX_LOSSES);
        expect(followed.filter((end) => payerOf(end) === 'USER').length).toBeLessThanOrEqual(policy.max);
      }),
    );
  });

  it('counts as lost to a node only what was at work, and never a rejection', () => {
    fc.assert(
      fc.property(anEnd, (end) => {
        const { failures, losses } = spentWith(end, { failures: 0, losses: 0, attempts: 1 });
        if (end.state === 'REJECTED') expect([failures, losses]).toEqual([0, 0]);
        if (end.state === 'LOST' && losses === 1) expect(end.wasAtWork).toBe(true);
        expect(failures + losses).toBeLessThanOrEqual(1);
      }),
    );
  });

  it('lets rejections go on without end, at most 30 s apart', () => {
    const rejection = anEnd.map((end) => ({ ...end, state: 'REJECTED' as const }));
    fc.assert(
      fc.property(aPolicy, fc.array(rejection, { minLength: 1, maxLength: 200 }), fc.boolean(), (policy, ends, may) => {
        const { spent, delays, last } = play(policy, ends, may);
        expect(last).toBeNull();
        expect(spent).toEqual({ failures: 0, losses: 0, attempts: ends.length });
        expect(Math.max(...delays)).toBeLessThanOrEqual(30_000);
      }),
    );
  });

  it('never repeats what nobody knows the outcome of, unless it may be done twice', () => {
    fc.assert(
      fc.property(aPolicy, fc.array(anEnd, { maxLength: 60 }), (policy, ends) => {
        const { followed } = play(policy, ends, false);
        expect(followed.filter(isOutcomeUnknown)).toEqual([]);
      }),
    );
  });

  it('gives up for one reason that fits', () => {
    fc.assert(
      fc.property(aPolicy, fc.array(anEnd, { maxLength: 60 }), fc.boolean(), (policy, ends, mayRepeat) => {
        const { because, last, spent } = play(policy, ends, mayRepeat);
        if (because === 'POISON') expect(spent.losses).toBe(MAX_LOSSES + 1);
        if (because === 'RETRIES_SPENT') expect(spent.failures).toBe(policy.max + 1);
        if (because === 'UNKNOWN') expect([mayRepeat, isOutcomeUnknown(last!)]).toEqual([false, true]);
        if (because === 'CANCELLED') expect(last!.failure.kind).toBe('CANCELLED');
      }),
    );
  });
});
