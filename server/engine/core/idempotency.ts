import type { JsonObject } from '@gantry/plugin-kit/vocabulary';
import { idempotencyOf, type Idempotency } from '../../domain/idempotency.ts';
import { render, type SecretPlace } from '../../domain/expression.ts';
import type { EngineTaskRun, PoolState } from './pool-state.ts';
import { scopeOfTaskRun } from './scope.ts';

/**
 * Whether a task run may be done again when nobody knows what its attempt has done. The runner is asked about the very
 * config that the attempt got: a method that an expression names is known by then. What cannot be rendered was never
 * handed to a runner as it is, so nobody vouches for it.
 */
export function idempotencyOfTaskRun(pool: PoolState, taskRun: EngineTaskRun): Idempotency {
  const { task, owner } = taskRun;
  return idempotencyOf(task, pool.idempotent, () => {
    if (owner.plan.isLiteral[taskRun.taskIndex]) return pool.askRunner(task.runner, task.with);
    const secrets: SecretPlace[] = [];
    const rendered = render(task.with, scopeOfTaskRun(taskRun), secrets);
    return rendered.ok && pool.askRunner(task.runner, rendered.value as JsonObject);
  });
}
