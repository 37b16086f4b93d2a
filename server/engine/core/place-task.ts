import { parseTaskRunId } from '../../domain/ids.ts';
import type { Placement } from '../../domain/input.ts';
import { assignmentOf } from './assignment.ts';
import { endAttempt } from './end-attempt.ts';
import { hold } from './reservation.ts';
import type { PoolState } from './pool-state.ts';
import type { Step } from './step.ts';

/** A verified placement becomes an attempt: the node is reserved and the assignment goes out after the commit. */
export function placeTask(pool: PoolState, step: Step, placement: Placement): void {
  const id = parseTaskRunId(placement.taskRun);
  const taskRun = id && pool.taskRun(id.run, id.ordinal);
  const node = pool.nodes.get(placement.node);
  // The placement works on the same step's news, so a placement of anything else is a bug of ours.
  if (!taskRun || taskRun.state !== 'READY' || !node) {
    throw new Error(
      `Task run ${placement.taskRun} cannot be placed on ${placement.node}: it is ${taskRun?.state ?? 'unknown'}.`,
    );
  }
  const run = taskRun.owner;
  if (run.state === 'QUEUED') {
    run.startedAt = step.now;
    step.runState(run, 'RUNNING');
  }
  hold(step, node, taskRun);
  step.taskRunState(taskRun, 'ASSIGNED');
  const attempt = {
    number: (taskRun.attempt?.number ?? 0) + 1,
    node: node.name,
    state: 'ASSIGNED' as const,
    assignedAt: step.now,
    startedAt: null,
    finishedAt: null,
    failure: null,
    ...(placement.gpus === undefined || placement.gpus.length === 0 ? {} : { gpus: placement.gpus }),
  };
  step.attemptCreated(taskRun, attempt);
  const assignment = assignmentOf(taskRun);
  if ('spec' in assignment) {
    step.effects.push({ type: 'ASSIGN', node: node.name, spec: assignment.spec });
  } else {
    endAttempt(pool, step, taskRun, 'FAILED', { kind: 'APPLICATION', reason: assignment.refusal }, { isFinal: true });
  }
}
