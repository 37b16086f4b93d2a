import type { Reason } from '@gantry/plugin-kit/vocabulary';
import type { StoredDecision } from '../domain/decision.ts';
import { taskRunId, type TaskRunId } from '../domain/ids.ts';
import { standingOf, type Need, type PlacementVerdict, type WaitTier } from '../domain/standing.ts';
import { isTerminalTaskRun, taskRunTransitions, type TaskRun, type TaskRunState } from '../domain/task-run.ts';
import type { NodeVerdict, Tier, Unblocking } from '../placement/explain.ts';
import type { ApiContext, ApiPorts } from './context.ts';
import { createLoaders } from './loaders.ts';
import { reasonOf } from './task-run-reason.ts';

/** Why a task run waits, or why it went where it went: one answer across all layers. */
export interface PlacementAnswer {
  readonly at: number;
  readonly verdict: PlacementVerdict;
  readonly tier: WaitTier | Tier | null;
  readonly summary: Reason;
  readonly reasons: readonly Reason[];
  readonly queuePosition: number | null;
  readonly queueLength: number | null;
  readonly nodes: readonly NodeVerdict[];
  readonly unblock: readonly Unblocking[];
  /** Of its latest attempt. */
  readonly decision: StoredDecision | null;
  readonly taskRun: TaskRunId;
}

/** Asks the rows first, and the placement only of what is in the queue. */
export async function explainTaskRun(
  taskRun: TaskRun,
  { loaders, ports }: Pick<ApiContext, 'loaders' | 'ports'>,
): Promise<PlacementAnswer | null> {
  const run = await loaders.runs.load(taskRun.run);
  if (run === null) return null;
  const [needs, reason] = await Promise.all([needsOf(taskRun, loaders), reasonOf(taskRun, loaders)]);
  const { verdict, tier, summary, reasons } = standingOf(taskRun, run, needs, reason);
  const id = taskRunId(taskRun.run, taskRun.ordinal);
  const { attempt } = taskRun;
  const isPlaced = attempt !== null && (verdict === 'PLACED' || verdict === 'ENDED');
  const decision = isPlaced ? await ports.decisions.ofAttempt(run.pool, id, attempt.assignedAt) : null;
  const standing = { at: ports.clock.now(), verdict, summary, reasons, decision, taskRun: id };
  const queued = verdict === 'PENDING' ? ports.placement.explain(run.pool, id) : null;
  if (queued === null) {
    return { ...standing, tier, queuePosition: null, queueLength: null, nodes: [], unblock: [] };
  }
  return {
    ...standing,
    tier: queued.tier,
    summary: queued.summary,
    reasons: [queued.summary],
    queuePosition: queued.position + 1,
    queueLength: queued.pending,
    nodes: queued.nodes,
    unblock: queued.unblock,
  };
}

const MIN_PAUSE_MS = 1_000;

/** The explanation now, and again whenever it has become another, until the task run has ended. */
export async function* explanations(
  key: { readonly run: TaskRun['run']; readonly ordinal: number },
  ports: ApiPorts,
  signal: AbortSignal,
): AsyncGenerator<PlacementAnswer, void, void> {
  let before = '';
  while (!signal.aborted) {
    const loaders = createLoaders(ports.store);
    const taskRun = await loaders.taskRuns.load(key);
    const answer = taskRun && (await explainTaskRun(taskRun, { loaders, ports }));
    if (answer === null) return;
    const text = JSON.stringify({ ...answer, at: 0, decision: answer.decision?.seq ?? null });
    if (text !== before) yield answer;
    before = text;
    if (answer.verdict === 'ENDED') return;
    await ports.clock.sleep(MIN_PAUSE_MS, signal).catch(() => undefined);
  }
}

/** What a task run that has never been in the queue needs. */
async function needsOf({ run, taskKey, attempt, readyAt }: TaskRun, loaders: ApiContext['loaders']): Promise<Need[]> {
  if (attempt !== null || readyAt !== null) return [];
  const tasks = await loaders.tasks.load(run);
  const needs = tasks?.get(taskKey)?.needs ?? [];
  const ordinals = new Map([...(tasks?.keys() ?? [])].map((key, ordinal) => [key, ordinal]));
  return Promise.all(
    needs.map(async (key) => {
      // The first instance of a task has the task's place in the definition.
      const first = await loaders.taskRuns.load({ run, ordinal: ordinals.get(key)! });
      const isEnded = first !== null && isTerminalTaskRun(first.state);
      const isFinished = isEnded && (first.mapIndex === null || (await hasEnded(run, key, loaders)));
      return { taskKey: key, state: first?.state ?? null, isFinished };
    }),
  );
}

const UNFINISHED = (Object.keys(taskRunTransitions) as TaskRunState[]).filter((state) => !isTerminalTaskRun(state));
const LOOKED_AT = 200;

/** Whether every instance of a fan-out has ended; so far as the first unfinished task runs of the run tell. */
async function hasEnded(
  run: TaskRun['run'],
  taskKey: string,
  { taskRunPages }: ApiContext['loaders'],
): Promise<boolean> {
  const { rows, hasNextPage } = await taskRunPages.load({ run, args: { first: LOOKED_AT }, states: UNFINISHED });
  return !hasNextPage && rows.every(({ row }) => row.taskKey !== taskKey);
}
