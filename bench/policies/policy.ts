import type { NodeScore } from '@gantry/plugin-kit/best-nodes';
import { greedy } from '@gantry/plugin-kit/greedy';
import { defineScheduler, zodConfig, type PlacementInput, type SchedulerPlugin } from '@gantry/plugin-kit/scheduler';
import * as z from 'zod';

/** A policy of the literature as a scheduler: tasks in the order in which they came, each to the node that scores best. */
export function policy(name: string, summary: string, score: (input: PlacementInput) => NodeScore): SchedulerPlugin {
  return defineScheduler({
    name,
    version: '1.0.0',
    summary,
    config: zodConfig(z.strictObject({})),
    place: greedy((_config, input) => ({ score: score(input as PlacementInput) })),
  }) as unknown as SchedulerPlugin;
}
