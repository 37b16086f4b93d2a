import { describe, expect, it } from '@jest/globals';
import { runId } from '../../server/domain/ids.ts';
import { isBeyondSearch, isExpired, RetentionRules, type KeptRun } from '../../server/domain/retention.ts';

const server = { age: 1_000, runs: 10 } as const;
const run = (key: number, overrides: Partial<KeptRun> = {}): KeptRun => ({
  key,
  id: runId(`run ${key}`),
  pool: 'default',
  pipeline: 'work',
  state: 'SUCCEEDED',
  createdAt: key * 10,
  finishedAt: key * 10 + 5,
  ...overrides,
});

describe('what is kept', () => {
  it('is what the most specific rule says, separately for age and number', () => {
    const rules = new RetentionRules(server, [
      { scope: 'POOL', name: 'gpu', age: 'NEVER', runs: 3 },
      { scope: 'PIPELINE', name: 'nightly', age: null, runs: 'NEVER' },
      { scope: 'PIPELINE', name: 'probe', age: 5, runs: null },
    ]);
    expect(rules.ruleOf('work', 'default')).toEqual(server);
    expect(rules.ruleOf('work', 'gpu')).toEqual({ age: 'NEVER', runs: 3 });
    expect(rules.ruleOf('nightly', 'default')).toEqual({ age: 1_000, runs: 'NEVER' });
    expect(rules.ruleOf('nightly', 'gpu')).toEqual({ age: 'NEVER', runs: 'NEVER' });
    expect(rules.ruleOf('probe', 'gpu')).toEqual({ age: 5, runs: 3 });
    // A pool and a pipeline of one name are two.
    expect(rules.ruleOf('gpu', 'nightly')).toEqual(server);
  });

  it('counts the age from the end of a run, and never ends with what has not ended', () => {
    const now = 2_000;
    expect(isExpired(run(1, { finishedAt: 999 }), server, null, now)).toBe(true);
    expect(isExpired(run(1, { finishedAt: 1_000 }), server, null, now)).toBe(false);
    for (const state of ['QUEUED', 'RUNNING', 'PAUSED', 'CANCELLING'] as const) {
      expect(isExpired(run(1, { state, finishedAt: null }), { age: 0, runs: 1 }, 1_000, now)).toBe(false);
    }
    expect(isExpired(run(1, { finishedAt: 0 }), { age: 'NEVER', runs: 'NEVER' }, null, now)).toBe(false);
    expect(isExpired(run(4), { age: 'NEVER', runs: 2 }, 4, now)).toBe(true);
    expect(isExpired(run(5), { age: 'NEVER', runs: 2 }, 4, now)).toBe(false);
  });

  it('is searched from the oldest on, and the search ends before nothing that has expired', () => {
    let seed = 1;
    const random = (below: number) => (seed = (seed * 48_271) % 2_147_483_647) % below;
    for (let round = 0; round < 2_000; round++) {
      const runs = Array.from({ length: 12 }, (_, index) => {
        const createdAt = index * 10 + random(5);
        const isOver = random(4) > 0;
        return run(index, {
          createdAt,
          finishedAt: isOver ? createdAt + random(200) : null,
          state: isOver ? 'FAILED' : 'RUNNING',
        });
      });
      const rule = { age: random(3) === 0 ? ('NEVER' as const) : random(150), runs: random(14) };
      const beyond = runs.length > rule.runs ? runs.length - 1 - rule.runs : null;
      const now = 100 + random(100);
      const all = runs.filter((each) => isExpired(each, rule, beyond, now));
      const end = runs.findIndex((each) => isBeyondSearch(each, rule, beyond, now));
      const found = all.filter(({ key }) => end < 0 || key <= end);
      expect(found).toEqual(all);
    }
  });
});
