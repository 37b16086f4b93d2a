import * as z from 'zod';
import type { Json } from '@gantry/plugin-kit/vocabulary';
import {
  MAX_DESCRIPTION_CHARACTERS,
  MAX_ENTRIES,
  MAX_ITEMS,
  MAX_OPTIONS,
  MAX_PRIORITY,
  MAX_RETRIES,
  MAX_TASKS,
} from './limits.ts';

/*
 * The form in which authors write pipelines. It says what may stand where; what the parts mean together is checked in
 * check-pipeline.ts. The messages complete the sentence “<field> must be …”.
 */

const KEY = /^[a-z0-9][a-z0-9_-]{0,62}$/;
const KEY_RULE = 'lower case letters, digits, “-” and “_”, at most 63 of them, beginning with a letter or digit';
const PARAM_NAME = /^[A-Za-z_][A-Za-z0-9_]{0,62}$/;
const PARAM_RULE = 'letters, digits and “_”, at most 63 of them, not beginning with a digit';

const key = z.string().regex(KEY, { error: KEY_RULE });
const description = z.string().max(MAX_DESCRIPTION_CHARACTERS);
const json = z.unknown();
const duration = z.union([z.string(), z.number()], { error: 'a duration such as 90s, 5m or 1h30m' });
const quantity = z.union([z.string(), z.number()], { error: 'a quantity such as 2, 500m or 512Mi' });
const label = z.string().max(253);
const idempotent = z.boolean().optional();

const param = z
  .strictObject({
    type: z
      .enum(['string', 'integer', 'number', 'boolean', 'json'])
      .describe('What may be handed in. Nothing is converted: "3" is no integer.'),
    description: description.optional().describe('What it is for; shown where the pipeline is run.'),
    default: json.optional().describe('Used when nothing is handed in. Without it the param is required.'),
    options: z.array(json).min(1).max(MAX_OPTIONS).optional().describe('The only values allowed.'),
  })
  .describe('A value that may be handed in when the pipeline is run.');

export const paramsForm = z.record(z.string().regex(PARAM_NAME, { error: PARAM_RULE }), param);

const retryObject = z.strictObject({
  max: z.int().min(0).max(MAX_RETRIES).describe('Tries after the first. Losing a node or the agent does not count.'),
  backoff: z
    .enum(['constant', 'exponential'])
    .optional()
    .describe('Whether the delay stays the same or doubles with each try. Default: exponential.'),
  delay: duration.optional().describe('Before the second try. Default: 1s.'),
  maxDelay: duration.optional().describe('The delay grows no longer than this. Default: 5m.'),
});

const toleration = z.strictObject({
  key: z.string().min(1).max(253).describe('Of the taint that the task does not mind.'),
  value: label.nullable().optional().describe('Of the taint. Any value when absent.'),
});

const word = z.union([z.string().max(253), z.number(), z.boolean()], { error: 'text' });
const words = z.array(word).min(1).max(MAX_ENTRIES);

const labelRule = z.strictObject({
  label: z.string().min(1).max(253).describe('The label of the node, or node.name.'),
  equals: word.optional().describe('Its value is this.'),
  in: words.optional().describe('Its value is one of these.'),
  notIn: words.optional().describe('Its value is none of these; the node may lack the label.'),
  exists: z.boolean().optional().describe('true: the node has the label. false: it has not.'),
  gt: z.number().optional().describe('Its value is a number above this.'),
  lt: z.number().optional().describe('Its value is a number below this.'),
  matches: z.string().max(253).optional().describe('This regular expression (RE2) is found in its value.'),
  version: z.string().max(253).optional().describe('Its value is a version in this range: ">=535.1 <600".'),
  contains: z.union([words, word]).optional().describe('Its value, a list with commas, has all of these.'),
  containsAny: words.optional().describe('Its value, a list with commas, has one of these.'),
});
export const labelRuleFields = Object.keys(labelRule.shape);
const weight = z.int().min(-100).max(100);

export const placementForm = z.strictObject({
  require: z
    .array(labelRule)
    .max(MAX_ENTRIES)
    .optional()
    .describe('The node meets all of these. Each names a label and one of: equals, in, notIn, exists, gt, lt, …'),
  prefer: z
    .array(labelRule.extend({ weight: weight.describe('From -100 (anywhere else) to 100. Default: 50.').optional() }))
    .max(MAX_ENTRIES)
    .optional()
    .describe('Nodes that meet these are liked more, or with a negative weight less.'),
  maxPerNode: z
    .union([
      z.int().min(1),
      z.strictObject({
        max: z.int().min(1).describe('So many at most; 1 for distinct hosts.'),
        among: z
          .enum(['task', 'run', 'pipeline'])
          .optional()
          .describe('Whom it counts: instances of this task in its run, tasks of the run that say so, or all runs.'),
      }),
    ])
    .optional()
    .describe('How many may be on one node at once. A number counts the instances of this task in its run.'),
  exclusive: z.boolean().optional().describe('Nothing else runs on the node meanwhile. Default: false.'),
  spread: z
    .union([
      z.string().min(1).max(253),
      z.strictObject({
        by: z.string().min(1).max(253).describe('The label.'),
        required: z.boolean().optional().describe('Rather wait than differ by more than one. Default: false.'),
      }),
    ])
    .optional()
    .describe('The instances are spread evenly over the values of this label.'),
  near: z
    .union([
      key,
      z.strictObject({
        task: key.describe('One of the tasks that this one needs.'),
        required: z.boolean().optional().describe('Nowhere else. Default: false.'),
        weight: z.int().min(1).max(100).optional().describe('When it is not required. Default: 50.'),
      }),
    ])
    .optional()
    .describe('Where this task ran, because its data lies there.'),
  gang: z
    .union([
      z.boolean(),
      z.strictObject({ timeout: duration.optional().describe('Waits so long for room for all. Default: for ever.') }),
    ])
    .optional()
    .describe('All instances start together, or none does.'),
});
export type PlacementForm = z.output<typeof placementForm>;

export const taskForm = z
  .strictObject({
    key: key.describe('The name of the task in its pipeline, for `needs` and `${{ tasks.<key>.outputs }}`.'),
    description: description.optional().describe('What it does; shown beside it.'),
    runner: z.string().min(1).max(100).describe('The plugin that executes it: shell, http, …'),
    with: z
      .record(z.string(), json)
      .optional()
      .describe('The configuration of the runner. Strings may hold ${{ … }} unless the runner forbids it.'),
    env: z
      .record(z.string(), z.string())
      .optional()
      .describe('Environment variables, NAME: text. The text may hold ${{ … }}.'),
    needs: z
      .union([z.array(z.string()), z.string()], { error: 'a task key or a list of task keys' })
      .optional()
      .describe('The tasks that must have succeeded, or failed with allowFailure, before this one starts.'),
    forEach: z
      .union([z.array(json).max(MAX_ITEMS), z.string()], { error: 'a list or one ${{ … }} that yields a list' })
      .optional()
      .describe('Runs the task once for each item of a list: ${{ item }} is the item, ${{ index }} its place from 0.'),
    resources: z
      .record(z.string(), quantity)
      .optional()
      .describe('What is reserved on the node. Default: { cpu: 100m, memory: 64Mi, slots: 1 }, each unless written.'),
    nodeSelector: z.record(z.string(), label).optional().describe('Labels that the node must have, with these values.'),
    tolerations: z
      .array(toleration)
      .max(MAX_ENTRIES)
      .optional()
      .describe('Taints of nodes that the task does not mind.'),
    placement: placementForm.optional().describe('Where it may and should run, beyond resources and labels.'),
    retry: z
      .union([z.int().min(0).max(MAX_RETRIES), retryObject], {
        error: 'a whole number or { max, backoff, delay, maxDelay }',
      })
      .optional()
      .describe('How often and when the task is tried again after it has failed. A number is the same as { max }.'),
    timeout: duration.optional().describe('For one try, from the moment in which its work begins. Default: none.'),
    killGrace: duration.optional().describe('Between the request to stop and the kill. Default: 10s.'),
    allowFailure: z
      .boolean()
      .optional()
      .describe(
        'A failure of this task fails neither the run nor the tasks that need it; its outputs are null. Default: false.',
      ),
    idempotent: idempotent.describe(
      'Whether doing it twice does no harm. With false, work whose outcome nobody knows (its node was lost, the answer ' +
        'to its request never came) is not repeated, whatever `retry` says: the task fails with the kind UNKNOWN. ' +
        'Default: what the pipeline, then the pool, then the runner says; shell and docker say true, http says what ' +
        'the method and the idempotency key make it.',
    ),
  })
  .describe('A step of the pipeline.');

export const headerForm = z.strictObject({
  name: key.describe('The name of the pipeline. Applying another text under the same name makes its next version.'),
  description: description.optional().describe('What it does; shown beside it.'),
  pool: key.optional().describe('The nodes on which it runs. Default: default.'),
  priority: z
    .int()
    .min(-MAX_PRIORITY)
    .max(MAX_PRIORITY)
    .optional()
    .describe('Of its runs; higher goes first. Default: 0.'),
  idempotent: idempotent.describe('The default of `idempotent` for its tasks.'),
  params: paramsForm.optional().describe('What may be handed in when it is run, by name.'),
  tasks: z.array(json).min(1).max(MAX_TASKS).describe('Its steps.'),
});

export type PipelineHeader = z.output<typeof headerForm>;
export type TaskForm = z.output<typeof taskForm>;

/** The form as JSON Schema 2020-12, for editors and for the documentation. */
export function pipelineJsonSchema(): Json {
  const form = headerForm.extend({ tasks: z.array(taskForm).min(1).max(MAX_TASKS).describe('Its steps.') });
  const schema = z.toJSONSchema(form, { io: 'input' }) as { readonly [key: string]: Json };
  return { ...schema, title: 'Gantry pipeline', description: 'A named graph of tasks.' };
}
