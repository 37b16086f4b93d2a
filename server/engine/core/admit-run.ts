import type { Command, PreparedCommand, Receipt } from '../../domain/command.ts';
import type { Run } from '../../domain/run.ts';
import { planOf } from './plan.ts';
import { EngineRun, EngineTaskRun, type PoolState } from './pool-state.ts';
import { endWithoutAttempt } from './end-task-run.ts';
import { releaseTask } from './release-tasks.ts';
import type { Step } from './step.ts';

/** Makes the run that a command asks for: every task WAITING, those without needs released at once. */
export function admitRun(
  pool: PoolState,
  step: Step,
  prepared: PreparedCommand,
  command: Extract<Command, { type: 'TRIGGER_RUN' }>,
): Receipt {
  if (!prepared.definition) {
    return {
      ok: false,
      code: 'PIPELINE_NOT_FOUND',
      message: `There is no version ${command.version} of pipeline ${command.pipeline}.`,
    };
  }
  const run = newRun(pool, step, prepared, {
    id: command.run,
    pipeline: command.pipeline,
    version: command.version,
    params: command.params,
    priority: command.priority,
    trigger: 'MANUAL',
    retryOf: null,
  });
  createTaskRuns(step, run);
  startRun(pool, step, run);
  return { ok: true };
}

/** A new run, recorded, without its task runs. */
export function newRun(
  pool: PoolState,
  step: Step,
  prepared: PreparedCommand,
  facts: Pick<Run, 'id' | 'pipeline' | 'version' | 'params' | 'priority' | 'trigger' | 'retryOf'>,
): EngineRun {
  if (!prepared.definition)
    throw new Error(`Command ${prepared.id} came without the definition of its pipeline version.`);
  const run = new EngineRun(
    {
      ...facts,
      key: prepared.id,
      pool: pool.name,
      createdBy: prepared.actor,
      createdAt: prepared.at,
      state: 'QUEUED',
      startedAt: null,
      finishedAt: null,
      reason: null,
      taskRunCount: 0,
      finishedCount: 0,
      failedCount: 0,
      revision: 0,
    },
    planOf(prepared.definition),
  );
  pool.runs.set(run.id, run);
  step.runCreated(run);
  return run;
}

/** One task run for each task of the definition, WAITING. */
export function createTaskRuns(step: Step, run: EngineRun): void {
  const count = run.plan.definition.tasks.length;
  for (let index = 0; index < count; index++) {
    const taskRun = new EngineTaskRun(run, index, index, 'WAITING');
    run.taskRuns.push(taskRun);
    step.taskRunCreated(taskRun);
  }
}

/** Releases every task whose needs are met from the beginning. */
export function startRun(pool: PoolState, step: Step, run: EngineRun): void {
  for (const index of run.plan.graph.order) {
    const taskRun = run.taskRuns[index]!;
    if (run.needsLeft[index] !== 0 || taskRun.state !== 'WAITING') continue;
    const end = releaseTask(pool, step, run, index);
    if (end) endWithoutAttempt(pool, step, taskRun, end.state, end.reason);
  }
}
