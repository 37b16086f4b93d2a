import type { Receipt } from '../../domain/command.ts';
import type { Failure } from '../../domain/failure.ts';
import { attemptId, type AttemptId } from '../../domain/ids.ts';
import type { NodeFacts } from '../../domain/node.ts';
import { assignmentOf } from './assignment.ts';
import { endAttempt } from './end-attempt.ts';
import type { EngineNode, EngineTaskRun, PoolState } from './pool-state.ts';
import type { Step } from './step.ts';

/** An agent has started. What it does not know any more and may have begun is lost; what it never got is sent again. */
export function nodeHello(
  pool: PoolState,
  step: Step,
  facts: NodeFacts,
  incarnation: number,
  known: readonly AttemptId[],
): void {
  let node = pool.nodes.get(facts.name);
  if (node && incarnation < node.incarnation) return;
  if (!node) {
    node = {
      ...facts,
      connection: 'READY',
      eligibility: 'ELIGIBLE',
      incarnation,
      reserved: {},
      runningCount: 0,
      registeredAt: step.now,
      heardAt: step.now,
      revision: 0,
      live: new Set(),
    };
    pool.nodes.set(node.name, node);
  }
  Object.assign(node, facts, { incarnation, heardAt: step.now });
  step.nodeChanged(node);
  step.nodeConnection(node, 'READY');
  watchSilence(pool, node);
  const knows = new Set(known);
  for (const taskRun of Array.from(node.live)) {
    const attempt = taskRun.attempt!;
    const id = attemptId(taskRun.run, taskRun.ordinal, attempt.number);
    if (knows.has(id)) continue;
    if (attempt.state === 'ASSIGNED') sendAgain(step, taskRun);
    else
      endAttempt(
        pool,
        step,
        taskRun,
        'LOST',
        lost('AGENT_FORGOT', `The agent of ${node.name} was restarted and knows nothing of it.`),
      );
  }
}

/** Sends the assignment of a live attempt (again); repeats are harmless. */
export function sendAgain(step: Step, taskRun: EngineTaskRun): void {
  const assignment = assignmentOf(taskRun);
  if ('spec' in assignment) step.effects.push({ type: 'ASSIGN', node: taskRun.attempt!.node, spec: assignment.spec });
  if (taskRun.state === 'CANCELLING') {
    step.effects.push({
      type: 'STOP',
      node: taskRun.attempt!.node,
      attempt: attemptId(taskRun.run, taskRun.ordinal, taskRun.attempt!.number),
      cause: 'CANCELLED',
    });
  }
}

/** A sync came in. Only a change of the connection or of the facts is worth a row. */
export function nodeHeard(pool: PoolState, step: Step, name: string, incarnation: number, facts?: NodeFacts): void {
  const node = pool.nodes.get(name);
  if (!node || node.incarnation !== incarnation) return;
  node.heardAt = step.now;
  if (facts) {
    Object.assign(node, facts);
    step.nodeChanged(node);
  }
  if (node.connection !== 'READY') {
    const wasLost = node.connection === 'LOST';
    step.nodeConnection(node, 'READY');
    if (wasLost) watchSilence(pool, node);
  }
}

/** Starts the watch over a node's silence; one timer per node, moved on while it speaks. */
export function watchSilence(pool: PoolState, node: EngineNode): void {
  pool.timers.add(node.heardAt + pool.silence.suspectMs, { type: 'SILENCE', node: node.name });
}

/** A node may have been silent too long: SUSPECT gets no new work, LOST loses what it had. */
export function nodeSilent(pool: PoolState, step: Step, name: string): void {
  const node = pool.nodes.get(name);
  if (!node || node.connection === 'LOST') return;
  const { suspectMs, lostMs } = pool.silence;
  const silentSince = Math.max(node.heardAt, pool.listeningSince);
  const silentMs = step.now - silentSince;
  if (silentMs >= lostMs) {
    step.nodeConnection(node, 'LOST');
    for (const taskRun of Array.from(node.live)) {
      endAttempt(
        pool,
        step,
        taskRun,
        'LOST',
        lost('NODE_LOST', `Node ${name} has been silent for ${Math.round(silentMs / 1000)} s.`),
      );
    }
    return;
  }
  if (silentMs >= suspectMs) step.nodeConnection(node, 'SUSPECT');
  pool.timers.add(silentSince + (silentMs >= suspectMs ? lostMs : suspectMs), { type: 'SILENCE', node: name });
}

const lost = (code: string, message: string): Failure => ({ kind: 'INFRASTRUCTURE', reason: { code, message } });

/** No new work goes to the node; what runs there runs on. */
export function cordonNode(pool: PoolState, step: Step, name: string): Receipt {
  const node = pool.nodes.get(name);
  if (!node) return unknownNode(name);
  if (node.eligibility !== 'CORDONED') step.nodeEligibility(node, 'CORDONED');
  return { ok: true };
}

/** Undoes a cordon. */
export function uncordonNode(pool: PoolState, step: Step, name: string): Receipt {
  const node = pool.nodes.get(name);
  if (!node) return unknownNode(name);
  if (node.eligibility !== 'ELIGIBLE') step.nodeEligibility(node, 'ELIGIBLE');
  return { ok: true };
}

const unknownNode = (name: string): Receipt => ({
  ok: false,
  code: 'NODE_NOT_FOUND',
  message: `There is no node ${name} in this pool.`,
});
