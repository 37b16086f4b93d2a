import type { Json } from '@gantry/plugin-kit/vocabulary';
import { z } from 'zod';
import { LABEL_OPERATORS } from '../domain/label-rule.ts';
import { makeShape } from '../placement/shape.ts';
import { plainNode, type Workload } from './workload.ts';

/* A workload as a file: what a pool has done, to be kept, handed on and done again elsewhere. */

const FORMAT = 'gantry-trace/1';

const amounts = z.record(z.string(), z.number().nonnegative());
const labels = z.record(z.string(), z.string());
const time = z.number().nonnegative();
const rule = z.object({ label: z.string(), operator: z.enum(LABEL_OPERATORS), values: z.array(z.string()) });
const rules = z.object({
  require: z.array(rule),
  prefer: z.array(rule.extend({ weight: z.number() })),
  exclusive: z.boolean(),
  perNode: z.object({ scope: z.string(), max: z.number().positive() }).nullable(),
  spread: z.object({ scope: z.string(), label: z.string(), required: z.boolean() }).nullable(),
  gang: z.null(),
});
const taint = z.object({ key: z.string(), value: z.string().optional(), effect: z.literal('NO_SCHEDULE') });

const trace = z.object({
  format: z.literal(FORMAT),
  name: z.string(),
  nodes: z.array(
    z.object({
      name: z.string(),
      capacity: amounts,
      labels,
      taints: z.array(taint),
      runners: z.array(z.string()),
      joinsAt: time,
      leavesAt: time.nullable(),
    }),
  ),
  tasks: z.array(
    z.object({
      key: z.string(),
      runner: z.string(),
      resources: amounts,
      nodeSelector: labels,
      tolerations: z.array(z.object({ key: z.string(), value: z.string().optional() })),
      rules: rules.nullable(),
      priority: z.number(),
      tenant: z.string(),
      arrivesAt: time,
      durationMs: time,
      needs: z.array(z.int().nonnegative()),
      deadlineAt: time.nullable(),
    }),
  ),
});

/** Whether this is meant to be such a trace. */
export const isOwnTrace = (value: unknown): boolean =>
  typeof value === 'object' && value !== null && (value as { readonly format?: unknown }).format === FORMAT;

/** The workload as plain data. */
export function ownTraceOf({ name, nodes, tasks }: Workload): Json {
  return {
    format: FORMAT,
    name,
    nodes: nodes.map(({ node, joinsAt, leavesAt }) => ({
      name: node.name,
      capacity: { ...node.capacity },
      labels: { ...node.labels },
      taints: node.taints.map((each) => ({ ...each })),
      runners: node.runners.flatMap(({ name: runner, health }) => (health === 'HEALTHY' ? runner : [])),
      joinsAt,
      leavesAt,
    })),
    tasks: tasks.map(({ shape, ...task }) => {
      const { runner, resources, nodeSelector, tolerations } = shape;
      const asked = { runner, resources, nodeSelector, tolerations, rules: shape.rules };
      return { ...task, ...(asked as unknown as Record<string, Json>) };
    }),
  };
}

/** The opposite. @throws ZodError for what is no such trace, and Error for a task that needs one that is not there. */
export function readOwnTrace(value: unknown): Workload {
  const { name, nodes, tasks } = trace.parse(value);
  return {
    name,
    nodes: nodes.map(({ joinsAt, leavesAt, runners, taints, ...facts }) => {
      const node = plainNode(facts.name, facts.capacity, facts.labels, '');
      const healthy = runners.map((runner) => ({ name: runner, version: '0.0.0', health: 'HEALTHY' as const }));
      const kept = taints.map(({ key, value: text, effect }) => ({
        key,
        effect,
        ...(text === undefined ? {} : { value: text }),
      }));
      return { node: { ...node, runners: healthy, taints: kept }, joinsAt, leavesAt };
    }),
    tasks: tasks.map(({ runner, resources, nodeSelector, tolerations, rules: asked, ...task }) => {
      const missing = task.needs.find((need) => need >= tasks.length);
      if (missing !== undefined) throw new Error(`Task ${task.key} needs task number ${missing}, which is not there.`);
      const tolerated = tolerations.map(({ key, value: text }) => ({
        key,
        ...(text === undefined ? {} : { value: text }),
      }));
      return { ...task, shape: makeShape({ runner, resources, nodeSelector, tolerations: tolerated, rules: asked }) };
    }),
  };
}
