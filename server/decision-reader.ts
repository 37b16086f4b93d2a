import type { JsonObject, Reason } from '@gantry/plugin-kit/vocabulary';
import type { SchedulerPlugin } from '@gantry/plugin-kit/scheduler';
import type { DecisionReader, RerunAnswer } from './api/context.ts';
import type { StoredDecision } from './domain/decision.ts';
import { unpackCall } from './engine/decision-log.ts';
import { candidatesOf, nodesOf, rerun } from './placement/rerun.ts';
import type { DecidedCall } from './placement/scheduler.ts';
import type { Registry } from './plugin-host/registry.ts';
import type { Store } from './store/store.ts';

/** What the API may ask of decisions that have been made: what was chosen among, and whether it would be again. */
export function decisionReader(store: Store, registry: Registry): DecisionReader {
  const unpacked = new WeakMap<StoredDecision, DecidedCall>();
  const callOf = (decision: StoredDecision): DecidedCall | null => {
    if (decision.call === null) return null;
    let call = unpacked.get(decision);
    if (call === undefined) unpacked.set(decision, (call = unpackCall(decision.call)));
    return call;
  };

  return {
    async ofAttempt(pool, taskRun, assignedAt) {
      const decisions = await store.decisions.madeAt(pool, assignedAt);
      const made = decisions.find((decision) => {
        const call = callOf(decision);
        return call !== null && call.input.tasks.some(({ key }) => key === taskRun);
      });
      return made ?? (decisions.length === 1 && decisions[0]!.call === null ? decisions[0]! : null);
    },

    placements(decision) {
      const call = callOf(decision);
      if (call === null) return null;
      return [...nodesOf(call.decisions ?? [], call.input)].map(([taskRun, node]) => ({ taskRun, node }));
    },

    candidates(decision, taskRun) {
      const call = callOf(decision);
      const plugin = registry.scheduler(decision.scheduler);
      if (call === null || !plugin || plugin.version !== decision.version) return null;
      try {
        return candidatesOf((input) => plugin.place(input), call, taskRun);
      } catch {
        return null;
      }
    },

    rerun(decision, scheduler, config) {
      const call = callOf(decision);
      if (call === null) return refused('CALL_NOT_KEPT', NOT_KEPT, 'Ask for a decision of a calmer moment.');
      const name = scheduler ?? decision.scheduler;
      const plugin = registry.scheduler(name);
      if (!plugin) return refused('UNKNOWN_SCHEDULER', `There is no scheduler ${name}.`, 'gantry plugins lists them.');
      return runAgain(plugin, decision, call, scheduler === null && config === null ? null : (config ?? {}));
    },
  };
}

const NOT_KEPT = 'So much was decided then that the calls were not kept in full.';

const refused = (code: string, message: string, remedy: string): RerunAnswer => ({
  ok: false,
  reason: { code, message, remedy },
});

/** @param config Null for the very same. */
function runAgain(
  plugin: SchedulerPlugin,
  decision: StoredDecision,
  call: DecidedCall,
  config: JsonObject | null,
): RerunAnswer {
  let checked: unknown = call.input.config;
  if (config !== null) {
    const result = plugin.config.check(config);
    if (!result.ok)
      return refused('BAD_CONFIG', result.problems.map(({ message }) => message).join(' '), 'Correct the config.');
    checked = result.config;
  }
  try {
    const outcome = rerun((input) => plugin.place(input), call, checked);
    const note: Reason | null =
      plugin.name === decision.scheduler && plugin.version !== decision.version
        ? {
            code: 'OTHER_VERSION',
            message: `It was decided by ${decision.scheduler} ${decision.version}; this is ${plugin.version}.`,
          }
        : null;
    return { ok: true, version: plugin.version, note, ...outcome };
  } catch (error) {
    const message = `${plugin.name} threw: ${error instanceof Error ? error.message : String(error)}`;
    return refused('THREW', message, 'Run describeScheduler of @gantry/plugin-kit/testing over it.');
  }
}
