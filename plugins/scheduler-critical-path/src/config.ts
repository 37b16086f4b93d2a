import * as z from 'zod';

/** What the scheduler can be told. */
export const config = z
  .strictObject({
    lookAhead: z
      .int()
      .min(0)
      .max(1_000)
      .default(60)
      .describe(
        'How many schedules of all that is to come are tried when not everything fits at once. 0: the rank alone decides.',
      ),
    patienceMs: z
      .int()
      .min(0)
      .nullable()
      .default(600_000)
      .describe('Who has waited for so long goes before all that have not. Null: never. Milliseconds.'),
    speedLabel: z
      .string()
      .min(1)
      .nullable()
      .default(null)
      .describe(
        'The label that says how fast a node is beside one of speed 1: `0.5`, `2`. A node without it counts as 1. Null: all are alike.',
      ),
  })
  .describe('How the critical-path scheduler behaves.');

/** As it has been checked. */
export type Config = z.output<typeof config>;
