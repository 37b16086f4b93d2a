import type { Json } from '@gantry/plugin-kit/vocabulary';
import { isTerminalAttempt } from '../../domain/attempt.ts';
import type { Failure } from '../../domain/failure.ts';
import { parseAttemptId } from '../../domain/ids.ts';
import type { AttemptReport } from '../../domain/input.ts';
import { attemptSucceeded, endAttempt } from './end-attempt.ts';
import type { EngineTaskRun, PoolState } from './pool-state.ts';
import type { Step } from './step.ts';

const RANK = { ASSIGNED: 0, STARTING: 1, RUNNING: 2 } as const;

/** A node says something of an attempt. Only a higher rank of the latest, live attempt on that very node counts (I2). */
export function reportAttempt(
  pool: PoolState,
  step: Step,
  node: string,
  incarnation: number,
  report: AttemptReport,
): void {
  if ((pool.nodes.get(node)?.incarnation ?? -1) !== incarnation) return;
  const id = parseAttemptId(report.attempt);
  const taskRun = id && pool.taskRun(id.run, id.ordinal);
  const attempt = taskRun?.attempt;
  if (
    !taskRun ||
    !attempt ||
    attempt.number !== id.number ||
    attempt.node !== node ||
    isTerminalAttempt(attempt.state)
  ) {
    if (isTerminalAttempt(report.state)) lateReport(step, taskRun, node, report);
    return;
  }
  if (!isTerminalAttempt(report.state)) {
    if (RANK[report.state] <= RANK[attempt.state as keyof typeof RANK]) return;
    step.attemptState(taskRun, attempt, report.state);
    if (report.state === 'RUNNING') {
      attempt.startedAt = startOf(report, attempt.assignedAt, step.now);
      if (taskRun.state === 'ASSIGNED') step.taskRunState(taskRun, 'RUNNING');
    }
    return;
  }
  attempt.startedAt ??= report.startedAt === undefined ? null : startOf(report, attempt.assignedAt, step.now);
  if (report.usage !== undefined) step.attemptUsage(taskRun, attempt, report.usage);
  if (report.state === 'SUCCEEDED') {
    attemptSucceeded(pool, step, taskRun, report.outputs ?? null);
  } else {
    // What has run cannot be refused any more: a runner that says so means a fault of the node, who pays is the same.
    const isLateRefusal = report.state === 'REJECTED' && attempt.state === 'RUNNING';
    const state = isLateRefusal ? 'FAILED' : report.state;
    endAttempt(pool, step, taskRun, state, report.failure ?? unexplained(report));
  }
}

/** The agent's clock may be off: a start lies between the assignment and now. */
function startOf(report: AttemptReport, assignedAt: number, now: number): number {
  return Math.min(Math.max(report.startedAt ?? report.at, assignedAt), now);
}

/** The end of an attempt that has already ended otherwise: evidence, not state. The agent may forget it. */
function lateReport(step: Step, taskRun: EngineTaskRun | null, node: string, report: AttemptReport): void {
  step.effects.push({ type: 'FORGET', node, attempt: report.attempt });
  const attempt = taskRun?.attempt;
  const number = parseAttemptId(report.attempt)?.number;
  if (!taskRun || !attempt || number === undefined || number > attempt.number) return;
  // The same end told twice is a repeat, not evidence.
  if (number === attempt.number && attempt.state === report.state) return;
  step.evidence({
    runKey: taskRun.runKey,
    ordinal: taskRun.ordinal,
    number,
    at: step.now,
    node,
    report: { ...report } as unknown as Json,
  });
}

function unexplained(report: AttemptReport): Failure {
  return {
    kind: report.state === 'TIMED_OUT' ? 'TIMEOUT' : report.state === 'FAILED' ? 'UNKNOWN' : 'INFRASTRUCTURE',
    reason: { code: report.state, message: `The node reported ${report.state} without a reason.` },
  };
}
