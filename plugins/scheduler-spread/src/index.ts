import { greedy } from '@gantry/plugin-kit/greedy';
import { reservePolicyOf, reserveSettings } from '@gantry/plugin-kit/reserve-settings';
import { defineScheduler, zodConfig } from '@gantry/plugin-kit/scheduler';
import { leastLoaded } from '@gantry/plugin-kit/scores';
import * as z from 'zod';
import { placeOverDomains } from './domains.ts';

const config = z
  .strictObject({
    label: z
      .string()
      .min(1)
      .nullable()
      .default(null)
      .describe(
        'Load is kept even over the values of this label first (`zone`, `rack`), then over the nodes of each. Null: over nodes alone.',
      ),
    ...reserveSettings(300_000),
  })
  .describe('How the spread scheduler behaves.');

/**
 * Each task goes to the node that is least loaded once it is there: whose dominant share taken, the highest of any
 * resource, is the lowest; the mean over the resources decides between equals, then the node's name. With `label` the
 * same rule chooses the value of the label first, by what all its nodes have together. Higher priority goes first, then
 * longer waiting.
 *
 * Source: “worst fit” of list scheduling (R. Graham, Bounds on Multiprocessing Timing Anomalies, 1969) for vectors;
 * dominant share as in A. Ghodsi et al., Dominant Resource Fairness (2011).
 */
export default defineScheduler<z.output<typeof config>>({
  name: 'spread',
  version: '1.1.0',
  summary: 'Keeps load even over nodes, or over racks or zones and then their nodes.',
  config: zodConfig(config),
  reserves: reservePolicyOf,

  place(input) {
    const score = leastLoaded(input.resources);
    const { label } = input.config;
    const reserve = reservePolicyOf(input.config);
    return label === null ? greedy(() => ({ score, reserve }))(input) : placeOverDomains(input, label, score, reserve);
  },
});
