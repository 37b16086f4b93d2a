import type { Pool, SchedulerChoice } from '../domain/pool.ts';
import type { ApiPorts } from './context.ts';

/** What another scheduler would change, judged by what has been decided lately. */
export interface SwapPlan {
  readonly before: SchedulerChoice;
  readonly after: SchedulerChoice;
  readonly queueLength: number | null;
  readonly decisionsReviewed: number;
  readonly placementsReviewed: number;
  readonly placementsThen: number;
  readonly differenceCount: number;
  readonly problem: string | null;
}

/** Decisions that are made again at most, and task runs in them. */
const MAX_DECISIONS = 50;
const MAX_TASK_RUNS = 20_000;

/** Lets the scheduler to come make the last decisions again. */
export async function planOfSwap(
  pool: Pool,
  after: SchedulerChoice,
  { store, decisions, placement, clock }: Pick<ApiPorts, 'store' | 'decisions' | 'placement' | 'clock'>,
): Promise<SwapPlan> {
  const before = { scheduler: pool.scheduler, config: (pool.schedulerConfig ?? {}) as SchedulerChoice['config'] };
  let plan: SwapPlan = {
    before,
    after,
    queueLength: placement.status(pool.name)?.queueLength ?? null,
    decisionsReviewed: 0,
    placementsReviewed: 0,
    placementsThen: 0,
    differenceCount: 0,
    problem: null,
  };
  let taskRuns = 0;
  for (const decision of await store.decisions.latest(pool.name, MAX_DECISIONS)) {
    taskRuns += decision.offered;
    if (taskRuns > MAX_TASK_RUNS && plan.decisionsReviewed > 0) break;
    const rerun = decisions.rerun(decision, after.scheduler, after.config);
    if (!rerun.ok) return { ...plan, problem: rerun.reason.message };
    plan = {
      ...plan,
      decisionsReviewed: plan.decisionsReviewed + 1,
      placementsReviewed: plan.placementsReviewed + rerun.placedBefore,
      placementsThen: plan.placementsThen + rerun.placedNow,
      differenceCount: plan.differenceCount + rerun.differences.length,
    };
    // Others are served in between.
    await clock.turn();
  }
  return plan;
}
