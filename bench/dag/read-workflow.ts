import { readFileSync } from 'node:fs';
import * as z from 'zod';
import { inTopologicalOrder, type TaskGraph } from './task-graph.ts';

/** What is read of a recorded execution in WfFormat 1.5. */
const instance = z.object({
  name: z.string(),
  workflow: z.object({
    specification: z.object({
      tasks: z.array(z.object({ id: z.string(), parents: z.array(z.string()) })),
    }),
    execution: z.object({ tasks: z.array(z.object({ id: z.string(), runtimeInSeconds: z.number().nonnegative() })) }),
  }),
});

/**
 * Reads a recorded execution of WfCommons (WfFormat 1.5): its graph, and how long each task took.
 *
 * @throws When the file is missing, or is something else; says what.
 */
export function readWorkflow(file: string): TaskGraph {
  const parsed = instance.safeParse(JSON.parse(readFileSync(file, 'utf8')));
  if (!parsed.success) throw new Error(`${file} is no WfFormat 1.5: ${z.prettifyError(parsed.error)}`);
  const { name, workflow } = parsed.data;
  const took = new Map(workflow.execution.tasks.map(({ id, runtimeInSeconds }) => [id, runtimeInSeconds * 1_000]));
  const indexOf = new Map(workflow.specification.tasks.map(({ id }, at) => [id, at]));
  const tasks = workflow.specification.tasks.map(({ id, parents }) => ({
    key: id,
    durationMs: took.get(id) ?? 0,
    needs: parents.map((parent) => {
      const at = indexOf.get(parent);
      if (at === undefined) throw new Error(`${file}: ${id} has the parent ${parent}, which is no task of it.`);
      return at;
    }),
  }));
  return inTopologicalOrder({ name, tasks });
}
