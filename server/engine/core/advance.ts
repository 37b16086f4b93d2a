import { parseAttemptId } from '../../domain/ids.ts';
import type { Input } from '../../domain/input.ts';
import { obeyCommand } from './obey-command.ts';
import { dueTimers } from './due-timers.ts';
import type { Moment } from './moment.ts';
import { placeTask } from './place-task.ts';
import type { PoolState } from './pool-state.ts';
import { preemptTask } from './preempt-task.ts';
import { reportAttempt } from './report-attempt.ts';
import { RunFault } from './run-fault.ts';
import { Step } from './step.ts';
import { writeOverdue } from './unwritten.ts';
import { nodeHeard, nodeHello } from './watch-node.ts';

/**
 * What a batch of inputs means: the only way in which a pool's state changes. Deterministic: the same state, inputs
 * and moment give the same step. The state is changed in place; if the step cannot be made durable, the caller throws
 * the state away and restores it from the store.
 *
 * @param step A step of the same batch to go on with (a placement follows the inputs that made it possible).
 */
export function advance(
  pool: PoolState,
  inputs: readonly Input[],
  now: Moment,
  step: Step = new Step(pool, now),
): Step {
  // A gap in which the engine itself was away is nobody's silence (reliability.md, brake 1).
  if (now.tick - pool.lastAdvanceAt > pool.silence.gapMs) pool.listeningSince = now.tick;
  pool.lastAdvanceAt = now.tick;
  for (const input of inputs) {
    switch (input.type) {
      case 'COMMAND':
        obeyCommand(pool, step, input.command);
        break;
      case 'REPORT':
        takeReport(pool, step, input);
        break;
      case 'NODE_HELLO':
        nodeHello(pool, step, input.facts, input.incarnation, input.known);
        break;
      case 'NODE_HEARD':
        nodeHeard(pool, step, input.node, input.incarnation, input.facts);
        break;
      case 'PLACEMENT':
        for (const placement of input.placements) placeTask(pool, step, placement);
        break;
      case 'PREEMPT':
        preemptTask(pool, step, input.taskRun);
        break;
      default:
        input satisfies never;
    }
  }
  dueTimers(pool, step);
  writeOverdue(pool, step);
  pool.seq = step.isEmpty ? pool.seq : step.seq;
  return step;
}

/** An agent repeats its report: the run that the engine cannot go on with is named, so that it is set aside. */
function takeReport(pool: PoolState, step: Step, input: Extract<Input, { type: 'REPORT' }>): void {
  try {
    reportAttempt(pool, step, input.node, input.incarnation, input.report);
  } catch (error) {
    const run = parseAttemptId(input.report.attempt)?.run;
    throw run === undefined || error instanceof RunFault ? error : new RunFault(run, error);
  }
}
