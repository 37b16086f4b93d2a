import type { JsonObject, Resources } from '@gantry/plugin-kit/vocabulary';
import { z } from 'zod';
import { parsePipeline } from '../definition/parse.ts';
import type { Node } from '../domain/node.ts';
import { isResourceName, parseQuantity } from '../domain/resources.ts';
import type { Task } from '../domain/task.ts';
import { plainNode } from '../simulation/workload.ts';
import { badInput } from './errors.ts';

/** A node that is supposed to be there. */
export interface SupposedNode {
  readonly name: string;
  readonly count?: number | null | undefined;
  readonly like?: string | null | undefined;
  readonly labels?: unknown;
  readonly capacity?: unknown;
  readonly runners?: readonly string[] | null | undefined;
}

/** So many nodes and task runs may be supposed at once. */
export const MAX_SUPPOSED = 20_000;

const labels = z.record(z.string(), z.string());
const quantities = z.record(z.string(), z.union([z.string(), z.number()]));

/** The nodes that are meant: one, or `count` of them with numbers behind the name. */
export function supposedNodes(supposed: SupposedNode, pool: string, known: Node | null): readonly Node[] {
  const { name, count = 1 } = supposed;
  const labelled =
    (supposed.labels ?? null) === null ? known?.labels : read(labels, supposed.labels, `labels of ${name}`);
  const capacity = (supposed.capacity ?? null) === null ? known?.capacity : capacityOf(supposed.capacity, name);
  const runners =
    supposed.runners?.map((runner) => ({ name: runner, version: '0.0.0', health: 'HEALTHY' as const })) ??
    known?.runners;
  const nodeNamed = (called: string): Node => ({
    ...plainNode(called, capacity ?? {}, labelled ?? {}, ''),
    pool,
    runners: runners ?? [],
    taints: known?.taints ?? [],
  });
  const total = counted(count ?? 1, `count of ${name}`);
  if (total === 1) return [nodeNamed(name)];
  return Array.from({ length: total }, (_, index) => nodeNamed(`${name}-${index + 1}`));
}

/** A task as a pipeline writes it, but for `key` and `with`, which nothing depends on. */
export function supposedTask(form: unknown, index: number): Task {
  if (typeof form !== 'object' || form === null || Array.isArray(form)) {
    throw badInput(
      `Task ${index + 1} must be an object, as a pipeline writes it: { "runner": "shell", "resources": { "cpu": 1 } }.`,
    );
  }
  const task = { ...(form as JsonObject), key: `task-${index + 1}`, with: {} };
  const definition = { name: 'simulated', tasks: [task] };
  const parsed = parsePipeline({ definition }, { checkRunner: () => [], runnerSchema: () => null });
  if (parsed.ok) return parsed.definition.tasks[0]!;
  const [problem] = parsed.problems;
  const path = problem!.path.slice(2).join('.');
  throw badInput(
    `Task ${index + 1} is wrong${path === '' ? '' : ` at ${path}`}: ${problem!.message} ${problem!.suggestion ?? ''}`.trim(),
  );
}

/** A number of nodes or task runs. */
export function counted(count: number, what: string): number {
  if (count >= 1 && count <= MAX_SUPPOSED) return count;
  throw badInput(`The ${what} must be from 1 to ${MAX_SUPPOSED}, not ${count}.`);
}

function capacityOf(value: unknown, name: string): Resources {
  const capacity: Record<string, number> = {};
  for (const [resource, quantity] of Object.entries(read(quantities, value, `capacity of ${name}`))) {
    if (!isResourceName(resource)) throw badInput(`“${resource.slice(0, 64)}” cannot be the name of a resource.`);
    const parsed = parseQuantity(resource, quantity);
    if (!parsed.ok) throw badInput(parsed.reason.message);
    capacity[resource] = parsed.amount;
  }
  return capacity;
}

function read<Value>(schema: z.ZodType<Value>, value: unknown, what: string): Value {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw badInput(`The ${what} must be an object of texts: { "zone": "a" }.`);
}
