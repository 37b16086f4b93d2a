import type { AttemptSpec } from '../../server/domain/effect.ts';
import { attemptId, runId } from '../../server/domain/ids.ts';

const run = runId('0199a000-0000-7000-8000-000000000001');

/** The specification of an attempt that the mock runner executes as `order` says. */
export function specOf(ordinal: number, order: AttemptSpec['with'] = {}, rest: Partial<AttemptSpec> = {}): AttemptSpec {
  const number = rest.number ?? 1;
  return {
    attempt: attemptId(run, ordinal, number),
    number,
    run,
    pipeline: 'pipeline',
    taskKey: `task-${ordinal}`,
    mapIndex: null,
    runner: 'mock',
    with: order,
    env: {},
    secrets: [],
    inputs: {},
    resources: {},
    gpus: [],
    timeoutMs: null,
    killGraceMs: 1_000,
    ...rest,
  };
}
