import { BestNodes, namedFor } from '@gantry/plugin-kit/best-nodes';
import { countTasks, inOrder } from '@gantry/plugin-kit/greedy';
import { Reservations } from '@gantry/plugin-kit/reservations';
import { reservePolicyOf, reserveSettings } from '@gantry/plugin-kit/reserve-settings';
import { defineScheduler, zodConfig, type Decision } from '@gantry/plugin-kit/scheduler';
import { fullest, leastLoaded } from '@gantry/plugin-kit/scores';
import * as z from 'zod';
import { makeTenants, type Tenant, type Waiting } from './tenants.ts';

const amounts = z.record(z.string().min(1), z.number().nonnegative());

const config = z
  .strictObject({
    weights: z
      .record(z.string().min(1), z.number().positive().max(1e6))
      .default({})
      .describe('By tenant: how much it is entitled to beside the others. Default 1.'),
    limits: z
      .record(z.string().min(1), amounts)
      .default({})
      .describe(
        'By tenant and resource: what its work may hold at most at a time. In thousandths for `cpu` and `gpu`, in bytes for `memory` and `disk`.',
      ),
    guarantees: z
      .record(z.string().min(1), amounts)
      .default({})
      .describe('By tenant and resource: up to so much its work goes before that of others, whatever they hold.'),
    patienceMs: z
      .int()
      .min(0)
      .nullable()
      .default(300_000)
      .describe(
        'A tenant that holds nothing goes first when its next task has waited for so long, however small its share. Null: never. Milliseconds.',
      ),
    nodes: z
      .enum(['FULLEST', 'LEAST_LOADED'])
      .default('FULLEST')
      .describe('Which of the nodes with room a task gets: FULLEST leaves whole nodes for large tasks.'),
    ...reserveSettings(300_000),
  })
  .describe('How the fair-share scheduler behaves.');

export type Config = z.output<typeof config>;

/**
 * Dominant resource fairness by progressive filling: the next task is always one of the tenant whose share would be the
 * lowest with it, until nothing fits any more; longer waiting decides between equals. A tenant's share is the largest
 * that its work holds of any resource of the pool, divided by its weight; what runs already counts. Among a tenant's
 * tasks higher priority goes first, then longer waiting; one that fits nowhere is passed over.
 *
 * Work within a tenant's guarantee goes before all that is not. A task that would take its tenant over its limit is
 * held, and says so. A tenant whose weight is so small beside the others' that not even one task is its share would wait
 * for ever, so one that holds nothing goes first when it has waited long enough.
 *
 * Source: A. Ghodsi et al., Dominant Resource Fairness (NSDI 2011), algorithm 1, weighted as in its section 4.3. There
 * the share without the task decides; with it the bound of one task holds for weights as well, as in D'Hondt's method
 * (M. Balinski, H. Young, Fair Representation, 1982). Limits and guarantees as the quota of Apache Mesos' allocator.
 */
export default defineScheduler<Config>({
  name: 'fair-share',
  version: '1.1.0',
  summary: 'Shares the pool fairly among tenants by their dominant resource, with weights, limits and guarantees.',
  config: zodConfig(config),
  wants: () => ['tenants'],
  reserves: reservePolicyOf,

  place(input) {
    const { nodes, resources, shapes, tasks, memory } = input;
    const score = (input.config.nodes === 'FULLEST' ? fullest : leastLoaded)(resources);
    const choices = new BestNodes({
      nodes,
      resources,
      shapes,
      score,
      taskCounts: countTasks(input),
      keptWith: input.config,
    });
    const reservations = new Reservations(input, choices, reservePolicyOf(input.config));
    const tenants = makeTenants(input);
    const decisions: Decision[] = [];
    for (const task of inOrder(tasks)) tenants.of(task).waiting.push({ task, needs: shapes[task.shape]!.needs });
    const canGo = (tenant: Tenant, { task, needs }: Waiting): boolean => {
      const excess = tenant.excessOf(needs);
      if (excess !== null) decisions.push({ task: task.key, hold: excess });
      return excess === null && (choices.best(task.shape) >= 0 || reservations.isFor(task));
    };
    for (;;) {
      const tenant = tenants.next(canGo);
      if (tenant === null) return { decisions, memory, ...reservations.output };
      const { task, needs } = tenant.take();
      const node = choices.best(task.shape);
      if (node < 0) {
        reservations.passOver(task);
        continue;
      }
      decisions.push(choices.place(task, node, namedFor(task.key, input)));
      tenant.add(needs);
    }
  },
});
