import type { Failure } from '../../domain/failure.ts';
import { attemptId, type AttemptId } from '../../domain/ids.ts';
import type { NodeFacts } from '../../domain/node.ts';
import { assignmentOf } from './assignment.ts';
import { endAttempt } from './end-attempt.ts';
import { nodeChanges } from './node-changes.ts';
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
  const before = pool.nodes.get(facts.name);
  if (before && incarnation < before.incarnation) return;
  // The same hello may come twice; it is told once.
  const isReturn = before !== undefined && (incarnation > before.incarnation || before.connection !== 'READY');
  const changes = before === undefined ? [] : nodeChanges(before, facts);
  let node = before;
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
      heardTick: step.tick,
      revision: 0,
      live: new Set(),
    };
    pool.nodes.set(node.name, node);
  }
  Object.assign(node, facts, { incarnation, heardAt: step.now, heardTick: step.tick });
  step.nodeChanged(node);
  step.nodeConnection(node, 'READY');
  watchSilence(pool, node);
  const knows = new Set(known);
  let forgotten = 0;
  for (const taskRun of Array.from(node.live)) {
    const attempt = taskRun.attempt!;
    const id = attemptId(taskRun.run, taskRun.ordinal, attempt.number);
    if (knows.has(id)) continue;
    if (attempt.state === 'ASSIGNED') {
      sendAgain(step, taskRun);
      continue;
    }
    forgotten++;
    const failure = lost('AGENT_FORGOT', `The agent of ${node.name} was restarted and knows nothing of it.`);
    endAttempt(pool, step, taskRun, 'LOST', failure);
  }
  if (before === undefined) step.nodeRecord(node, { type: 'REGISTERED' });
  else if (isReturn) {
    const message = forgotten === 0 ? null : `${attemptsText(forgotten)} it knew nothing of any more: lost.`;
    step.nodeRecord(node, { type: 'RETURNED', message });
  }
  for (const change of changes) step.nodeRecord(node, change);
}

const attemptsText = (count: number): string => (count === 1 ? '1 attempt' : `${count} attempts`);

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
  node.heardTick = step.tick;
  if (node.connection !== 'READY') step.nodeRecord(node, { type: 'HEARD_AGAIN' });
  if (facts) {
    for (const change of nodeChanges(node, facts)) step.nodeRecord(node, change);
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
  pool.timers.add(node.heardTick + pool.silence.suspectMs, { type: 'SILENCE', node: node.name });
}

/** A node may have been silent too long: SUSPECT gets no new work, LOST loses what it had. */
export function nodeSilent(pool: PoolState, step: Step, name: string): void {
  const node = pool.nodes.get(name);
  if (!node || node.connection === 'LOST') return;
  const { suspectMs, lostMs } = pool.silence;
  const silentSince = Math.max(node.heardTick, pool.listeningSince);
  const silentMs = step.tick - silentSince;
  if (silentMs >= lostMs) {
    const silent = `silent for ${Math.round(silentMs / 1000)} s`;
    const givenUp = node.live.size === 0 ? '' : ` ${attemptsText(node.live.size)} given up.`;
    // One that was never doubted in between was looked at too late.
    if (node.connection === 'READY') step.nodeConnection(node, 'SUSPECT');
    step.nodeConnection(node, 'LOST');
    step.nodeRecord(node, { type: 'LOST', message: `It had been ${silent}.${givenUp}` });
    for (const taskRun of Array.from(node.live))
      endAttempt(pool, step, taskRun, 'LOST', lost('NODE_LOST', `Node ${name} has been ${silent}.`));
    return;
  }
  if (silentMs >= suspectMs && node.connection !== 'SUSPECT') {
    step.nodeConnection(node, 'SUSPECT');
    step.nodeRecord(node, { type: 'SUSPECTED', message: `It had been silent for ${Math.round(silentMs / 1000)} s.` });
  }
  // Should it be heard again and fall silent once more, it is doubted as soon as the first time.
  const nextAt =
    silentMs >= suspectMs ? Math.min(silentSince + lostMs, step.tick + suspectMs) : silentSince + suspectMs;
  pool.timers.add(nextAt, { type: 'SILENCE', node: name });
}

const lost = (code: string, message: string): Failure => ({ kind: 'INFRASTRUCTURE', reason: { code, message } });
