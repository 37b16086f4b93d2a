import type { Node } from '../domain/node.ts';
import type { PipelineDefinition } from '../domain/pipeline.ts';
import type { Run } from '../domain/run.ts';
import type { TaskRun } from '../domain/task-run.ts';
import { shapeIn } from '../placement/shape.ts';
import type { SimulatedTask, Workload } from './workload.ts';

/** A run with everything that is stored of it. */
export interface RecordedRun {
  readonly run: Run;
  readonly definition: PipelineDefinition;
  /** By ordinal. */
  readonly taskRuns: readonly TaskRun[];
}

/**
 * What a pool has done, to be done again: each task run that was executed, for as long as its last attempt took, on the
 * nodes of now. What was never executed is left out, with whatever only waited for it.
 */
export function recordedWorkload(name: string, runs: readonly RecordedRun[], nodes: readonly Node[]): Workload {
  const begin = runs.reduce((earliest, { run }) => Math.min(earliest, run.createdAt), Infinity);
  const tasks: SimulatedTask[] = [];
  for (const recorded of runs) addRun(tasks, recorded, begin);
  const present = nodes.map((node) => ({
    node: { ...node, connection: 'READY' as const, eligibility: 'ELIGIBLE' as const },
    joinsAt: 0,
    leavesAt: null,
  }));
  return { name, nodes: present, tasks };
}

function addRun(tasks: SimulatedTask[], { run, definition, taskRuns }: RecordedRun, begin: number): void {
  const byTask = new Map<string, number[]>();
  for (const taskRun of taskRuns) {
    const task = definition.tasks.find(({ key }) => key === taskRun.taskKey);
    const { attempt } = taskRun;
    if (!task || attempt === null || attempt.finishedAt === null) continue;
    const scope = { run: run.id, pipeline: run.pipeline, nearNodes: [], isFirstAttempt: false };
    const index = tasks.push({
      key: `${run.id}.${taskRun.ordinal}`,
      shape: shapeIn(task, scope),
      priority: run.priority,
      tenant: run.pipeline,
      arrivesAt: run.createdAt - begin,
      durationMs: Math.max(0, attempt.finishedAt - (attempt.startedAt ?? attempt.assignedAt)),
      needs: [],
      deadlineAt: null,
    });
    const instances = byTask.get(task.key);
    if (instances) instances.push(index - 1);
    else byTask.set(task.key, [index - 1]);
  }
  for (const task of definition.tasks) {
    const needs = task.needs.flatMap((key) => byTask.get(key) ?? []);
    for (const index of byTask.get(task.key) ?? []) tasks[index] = { ...tasks[index]!, needs };
  }
}
