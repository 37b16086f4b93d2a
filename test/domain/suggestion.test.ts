import { describe, expect, it } from '@jest/globals';
import { didYouMean } from '../../server/domain/suggestion.ts';

const FIELDS = ['key', 'description', 'runner', 'with', 'env', 'needs', 'forEach', 'timeout', 'allowFailure'];

describe('a suggestion', () => {
  it.each([
    ['neds', 'needs'],
    ['need', 'needs'],
    ['runnner', 'runner'],
    ['rnuner', 'runner'],
    ['desc', 'description'],
    ['allow_failure', 'allowFailure'],
    ['foreach', 'forEach'],
    ['for-each', 'forEach'],
    ['time-out', 'timeout'],
    ['evn', 'env'],
  ])('for %s is %s', (word, meant) => {
    expect(didYouMean(word, FIELDS)).toBe(meant);
  });

  it.each(['colour', '', 'x', 'z'.repeat(1000), 'needs'])('for %s is none', (word) => {
    expect(didYouMean(word, ['needs', 'with'])).toBeNull();
  });

  it('prefers fewer errors, then the earlier word', () => {
    expect(didYouMean('split', ['splat', 'splits', 'spli'])).toBe('splat');
    expect(didYouMean('spilt', ['split-a-lot', 'slit', 'split'])).toBe('split');
  });

  it('is not looked for without end', () => {
    const many = Array.from({ length: 1_000_000 }, (_, at) => `task-${at}`);
    expect(didYouMean('task-1x', many)).toBe('task-1');
  });
});
