import type { Reason } from '@gantry/plugin-kit/vocabulary';
import { excerpt } from '../../domain/excerpt.ts';
import type { EngineRun, EngineTaskRun } from './pool-state.ts';

/** The state that an ended task hands down to the tasks that need it. */
export type HandedDown = 'UPSTREAM_FAILED' | 'SKIPPED' | 'CANCELLED';

/**
 * What an ended task means for the tasks that need it: null when they may start, otherwise the state that it hands
 * down. Skips cascade, as under Airflow's `all_success`; a tolerated failure counts as success.
 */
export function outcomeOf(run: EngineRun, index: number): HandedDown | null {
  const { allowFailure } = run.plan.definition.tasks[index]!;
  let outcome: HandedDown | null = null;
  for (const { state } of run.instancesOf(index)) {
    if (state === 'SUCCEEDED' || state === 'CACHED' || (state === 'FAILED' && allowFailure)) continue;
    if (state === 'CANCELLED') return 'CANCELLED';
    if (state === 'SKIPPED') outcome ??= 'SKIPPED';
    else outcome = 'UPSTREAM_FAILED';
  }
  return outcome;
}

/** Whether the tasks that need this ended task may start; for recovery. */
export const endedWell = (run: EngineRun, index: number): boolean => outcomeOf(run, index) === null;

/** The longest text of a reason that is handed down. Characters. */
const MAX_CAUSE = 300;

/**
 * Why what needs an ended task does not run. The root is named: what was not run because of something else hands on
 * that reason, and not itself. Null for a cancelled run, which says so itself.
 *
 * @param own Why the task ended so, when it got no attempt.
 */
export function handedDown(run: EngineRun, index: number, outcome: HandedDown, own: Reason | null): Reason | null {
  if (outcome === 'CANCELLED') return null;
  if (own !== null && (own.code === 'UPSTREAM_FAILED' || own.code === 'UPSTREAM_SKIPPED')) return own;
  const { key } = run.plan.definition.tasks[index]!;
  if (outcome === 'SKIPPED')
    return { code: 'UPSTREAM_SKIPPED', message: `The task ${key}, which it needs, was skipped${because(own)}.` };
  const failed = run.instancesOf(index).filter(({ state }) => state === 'FAILED');
  const [first] = failed;
  const many = failed.length > 1 ? ` and ${failed.length - 1} more instances of it` : '';
  const why = first?.attempt?.failure?.reason ?? own;
  return {
    code: 'UPSTREAM_FAILED',
    message: `The task ${first === undefined ? key : nameOf(first)}, which it needs,${many === '' ? '' : `${many},`} failed${because(why)}.`,
  };
}

const nameOf = ({ taskKey, mapIndex }: EngineTaskRun): string =>
  mapIndex === null ? taskKey : `${taskKey}[${mapIndex}]`;

const because = (reason: Reason | null): string =>
  reason === null ? '' : `: ${excerpt(reason.message.replace(/\.$/, ''), MAX_CAUSE)}`;
