import { describe, expect, it } from '@jest/globals';
import { MUTATIONS, type Mutation } from './mutations.ts';
import { simulate } from './simulation.ts';

/** More with `GANTRY_SIMULATION_SEEDS=50000 npm test -- simulation`. */
const SEEDS = Number(process.env['GANTRY_SIMULATION_SEEDS'] ?? 2_000);
/** A planted bug must be found within so many histories. */
const SEEDS_PER_MUTATION = 400;

describe('the engine, under crashes, partitions, lost answers and takeovers', () => {
  it(`keeps its promises I1–I5, I7, I8, I10, I11 and I16 over ${SEEDS} seeds`, () => {
    const broken: string[] = [];
    for (let seed = 1; seed <= SEEDS && broken.length < 5; seed++) {
      const outcome = simulate(seed);
      if (outcome.broken)
        broken.push(`seed ${seed}: ${outcome.broken.message} (node test/simulation/replay.ts ${seed})`);
    }
    expect(broken).toEqual([]);
  }, 600_000);

  it('plays the same history for the same seed', () => {
    for (const seed of [3, 14, 159]) expect(simulate(seed).trace).toBe(simulate(seed).trace);
  });
});

/** Which promises each planted bug may break, whichever shows first. */
const BREAKS: Readonly<Record<Mutation, RegExp>> = {
  NO_JOURNAL: /^I5/,
  START_BEFORE_JOURNAL: /^I5/,
  HANDLE_OF_NOT_ASKED: /^I5/,
  ENDED_STARTED_AGAIN: /^I5/,
  STOPPED_IS_SUCCESS: /^I2/,
  ROLL_UP_LATER: /^I3/,
  LATE_RESULT_WINS: /^I[25]/,
  NO_CAPACITY_CHECK: /^I4/,
  NO_FENCE: /^I[128]/,
  EFFECTS_BEFORE_COMMIT: /^I5/,
  FORGOTTEN_RETRIES: /^I7/,
  ASSIGNED_LOG_IGNORED: /^I[1257]/,
  NEEDS_IGNORED: /^I10/,
  WAITS_BY_THE_WALL: /^I7/,
  ENDLESS_RETRIES: /^I11/,
  REPEATS_THE_UNKNOWN: /^I16/,
};

describe('the checker finds the planted bug', () => {
  it.each(Object.entries(MUTATIONS) as [Mutation, string][])(
    '%s: %s',
    (mutation) => {
      let message: string | null = null;
      for (let seed = 1; seed <= SEEDS_PER_MUTATION && message === null; seed++) {
        message = simulate(seed, mutation).broken?.message ?? null;
      }
      expect(message).toMatch(BREAKS[mutation]);
    },
    120_000,
  );
});
