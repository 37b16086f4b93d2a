import type { Reason } from '@gantry/plugin-kit/vocabulary';
import type { Run } from './run.ts';
import { isTerminalTaskRun, type TaskRun, type TaskRunState } from './task-run.ts';

/** WAITING: not in the queue yet. PENDING: in it. PLACED: on a node. ENDED: done, or never to be. */
export type PlacementVerdict = 'WAITING' | 'PENDING' | 'PLACED' | 'ENDED';

/** What a task run waits for before it can be in the queue. */
export type WaitTier = 'NEEDS' | 'PAUSE' | 'BACKOFF';

/** A task that another one needs. */
export interface Need {
  readonly taskKey: string;
  /** Of its first instance; null when it cannot be told. */
  readonly state: TaskRunState | null;
  /** Whether every instance has ended. */
  readonly isFinished: boolean;
}

/** Where a task run stands, as far as its row and its run's tell. */
export interface Standing {
  readonly verdict: PlacementVerdict;
  /** Null for what is placed or has ended, and in the queue: there the placement knows. */
  readonly tier: WaitTier | null;
  readonly summary: Reason;
  /** Everything that keeps it, each by itself. */
  readonly reasons: readonly Reason[];
}

/**
 * Says where a task run stands.
 *
 * @param needs Those of its task.
 * @param why Why it has ended as it did, or is tried again; null where there is nothing to say.
 */
export function standingOf(
  taskRun: TaskRun,
  run: Pick<Run, 'state'>,
  needs: readonly Need[],
  why: Reason | null,
): Standing {
  const { state, attempt } = taskRun;
  switch (state) {
    case 'WAITING': {
      const reasons = needs.filter(({ isFinished }) => !isFinished).map(unmet);
      if (run.state === 'PAUSED') reasons.unshift(PAUSED);
      const [first = NEXT_STEP, ...others] = reasons;
      const more = others.length === 0 ? '' : ` And ${others.length} more.`;
      return waiting(first === PAUSED ? 'PAUSE' : 'NEEDS', { ...first, message: first.message + more }, reasons);
    }
    case 'BLOCKED':
      return waiting('PAUSE', PAUSED, [PAUSED]);
    case 'BACKOFF': {
      const reason = backoffOf(taskRun, why);
      return waiting('BACKOFF', reason, [reason]);
    }
    case 'READY': {
      const summary = { code: 'READY', message: 'It is in the queue of its pool.' };
      return { verdict: 'PENDING', tier: null, summary, reasons: [] };
    }
    case 'ASSIGNED':
    case 'RUNNING':
    case 'CANCELLING': {
      const summary = {
        code: 'PLACED',
        message: `It is on node ${attempt?.node ?? '?'}, with attempt ${attempt?.number ?? '?'}.`,
      };
      return { verdict: 'PLACED', tier: null, summary, reasons: [] };
    }
    default:
      return { verdict: 'ENDED', tier: null, summary: endOf(taskRun, why), reasons: why === null ? [] : [why] };
  }
}

const PAUSED: Reason = { code: 'RUN_PAUSED', message: 'Its run is paused.', remedy: 'Resume the run.' };
const NEXT_STEP: Reason = {
  code: 'NEEDS_MET',
  message: 'Everything that it needs has ended; it is about to be queued.',
};

const waiting = (tier: WaitTier, summary: Reason, reasons: readonly Reason[]): Standing => ({
  verdict: 'WAITING',
  tier,
  summary,
  reasons,
});

function unmet({ taskKey, state }: Need): Reason {
  const stands =
    state === null ? 'has not ended' : isTerminalTaskRun(state) ? 'has instances that have not ended' : `is ${state}`;
  return { code: 'NEED_UNMET', message: `It needs ${taskKey}, which ${stands}.` };
}

/** When it is tried again, and what happened to the attempt before. */
function backoffOf({ attempt, dueAt }: TaskRun, why: Reason | null): Reason {
  const at = dueAt === null ? 'soon' : `at ${new Date(dueAt).toISOString()}`;
  const verb = attempt?.state === 'REJECTED' ? `was rejected by node ${attempt.node}` : 'failed';
  const before = attempt === null || why === null ? '' : ` Attempt ${attempt.number} ${verb}: ${why.message}`;
  const remedy = why?.remedy === undefined ? {} : { remedy: why.remedy };
  return { code: 'BACKOFF', message: `It is tried again ${at}.${before}`, ...remedy };
}

function endOf({ state, attempt }: TaskRun, why: Reason | null): Reason {
  const because = why === null ? '' : ` ${why.message}`;
  const remedy = why?.remedy === undefined ? {} : { remedy: why.remedy };
  if (attempt === null)
    return { code: 'NEVER_PLACED', message: `It is ${state} and was never placed.${because}`, ...remedy };
  const where = `attempt ${attempt.number} was on node ${attempt.node}.`;
  return { code: 'ENDED', message: `It is ${state}; ${where}${because}`, ...remedy };
}
