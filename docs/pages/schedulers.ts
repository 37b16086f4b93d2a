import type { SchedulerPlugin } from '@gantry/plugin-kit/scheduler';
import binPacking from '@gantry/scheduler-bin-packing';
import criticalPath from '@gantry/scheduler-critical-path';
import fairShare from '@gantry/scheduler-fair-share';
import priority from '@gantry/scheduler-priority';
import roundRobin from '@gantry/scheduler-round-robin';
import spread from '@gantry/scheduler-spread';
import * as z from 'zod';
import { code, heading, page, table } from './markdown.ts';

const BUILT_IN = [
  priority,
  roundRobin,
  spread,
  binPacking,
  fairShare,
  criticalPath,
] as unknown as readonly SchedulerPlugin[];

/** What is read of a scheduler's JSON Schema. */
const schemaOfConfig = z.object({
  properties: z.record(z.string(), z.object({ description: z.string().default(''), default: z.unknown() })).default({}),
});

/** docs/reference/schedulers.md */
export function schedulersPage(): string {
  const intro =
    'The schedulers that come with Gantry. A pool has one; `gantry update-pool NAME --scheduler …` gives it another. ' +
    'The README of each package says by what rule it decides, what it guarantees and where the rule comes from; ' +
    '[the benchmarks](../../bench/README.md#how-the-schedulers-compare) compare them.';
  return page([
    heading('Schedulers', intro, 'the plugins under plugins/scheduler-*'),
    ...BUILT_IN.flatMap((plugin) => [
      `## [${plugin.name}](../../plugins/scheduler-${plugin.name}/README.md)`,
      plugin.summary,
      configTable(plugin),
    ]),
  ]);
}

function configTable({ name, config }: SchedulerPlugin): string {
  const { properties } = schemaOfConfig.parse(config.jsonSchema);
  const rows = Object.entries(properties).map(([key, { default: value, description }]) => {
    if (description === '') throw new Error(`${name}: the setting ${key} has no description.`);
    return [code(key), code(JSON.stringify(value)), description];
  });
  return rows.length === 0 ? 'Nothing can be set.' : table(['config', 'default', 'meaning'], rows);
}
