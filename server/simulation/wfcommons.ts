import { z } from 'zod';
import { makeShape } from '../placement/shape.ts';
import { plainNode, SIMULATED_RUNNER, type SimulatedTask, type Workload } from './workload.ts';

/** What is read of a recorded execution in WfFormat 1.5 (wfcommons.org). */
const instance = z.object({
  name: z.string(),
  workflow: z.object({
    specification: z.object({ tasks: z.array(z.object({ id: z.string(), parents: z.array(z.string()) })) }),
    execution: z.object({ tasks: z.array(z.object({ id: z.string(), runtimeInSeconds: z.number().nonnegative() })) }),
  }),
});

const SHAPE = makeShape({ runner: SIMULATED_RUNNER, resources: { slots: 1 }, nodeSelector: {}, tolerations: [] });

/**
 * A recorded workflow on so many equal machines, each of which executes one task at a time.
 *
 * @throws ZodError for what is no such recording, and Error for a parent that is no task or a task that took no time on
 *   record.
 */
export function wfcommonsWorkload(recording: unknown, machines: number): Workload {
  const { name, workflow } = instance.parse(recording);
  const took = new Map(workflow.execution.tasks.map(({ id, runtimeInSeconds }) => [id, runtimeInSeconds * 1_000]));
  const indexOf = new Map(workflow.specification.tasks.map(({ id }, at) => [id, at]));
  const tasks = workflow.specification.tasks.map(({ id, parents }): SimulatedTask => {
    const needs = parents.map((parent) => {
      const at = indexOf.get(parent);
      if (at === undefined) throw new Error(`Task ${id} has the parent ${parent}, which is no task of the workflow.`);
      return at;
    });
    const durationMs = took.get(id);
    if (durationMs === undefined) throw new Error(`Task ${id} has no runtimeInSeconds under execution.tasks.`);
    return { key: id, shape: SHAPE, priority: 0, tenant: name, arrivesAt: 0, durationMs, needs, deadlineAt: null };
  });
  const nodes = Array.from({ length: machines }, (_, at) => ({
    node: plainNode(`machine-${String(at + 1).padStart(4, '0')}`, { slots: 1 }, {}, SIMULATED_RUNNER),
    joinsAt: 0,
    leavesAt: null,
  }));
  return { name, nodes, tasks };
}
