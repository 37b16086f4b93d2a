import { useState } from 'react';
import { asFault } from '../../client/fault.ts';
import type { PoolRow, SchedulerPlugin } from '../../client/operations.ts';
import { ActionButton } from '../../design/action-button.tsx';
import { isSame } from '../../design/schema-draft.ts';
import { say } from '../../design/toast.tsx';
import { useRefusal } from '../session/viewer.ts';
import { ChoiceForm, configOf, useChoice } from './choice-form.tsx';
import { ConfigFault, updatePool, type Choice, type Swapped, type SwapPlan } from './swap.ts';
import { SwapPlanView } from './swap-plan-view.tsx';

interface ChangeSchedulerProps {
  readonly pool: PoolRow;
  readonly plugins: readonly SchedulerPlugin[];
  /** The pool has changed. */
  readonly changed: (swapped: Swapped) => void;
}

interface Planned {
  readonly choice: Choice;
  readonly plan: SwapPlan;
}

const isSameChoice = (one: Choice, other: Choice): boolean =>
  one.scheduler === other.scheduler && isSame(one.config, other.config);

/** Another scheduler or config for a pool: filled in, planned, looked at, applied. */
export function ChangeScheduler({ pool, plugins, changed }: ChangeSchedulerProps) {
  const refusal = useRefusal('ADMIN');
  const now: Choice = { scheduler: pool.scheduler.name, config: configOf(pool.scheduler.config) };
  const state = useChoice(plugins, now);
  const [planned, setPlanned] = useState<Planned | null>(null);
  const [fault, setFault] = useState<ConfigFault | null>(null);
  const { choice, problem } = state;
  const isUnchanged = isSameChoice(choice, now);
  // A plan is about one choice, and about the scheduler that it would take the place of.
  const plan =
    planned !== null &&
    isSameChoice(planned.choice, choice) &&
    planned.plan.before.scheduler === now.scheduler &&
    isSame(planned.plan.before.config, now.config)
      ? planned.plan
      : null;
  const send = async (isDryRun: boolean): Promise<void> => {
    setFault(null);
    try {
      const swapped = await updatePool({ name: pool.name, ...choice, dryRun: isDryRun });
      if (isDryRun) return setPlanned({ choice, plan: swapped.plan });
      setPlanned(null);
      changed(swapped);
      say(`${choice.scheduler} places the tasks of ${pool.name} from now on.`);
    } catch (error) {
      if (!(error instanceof ConfigFault)) throw asFault(error);
      setFault(error);
    }
  };
  const unable = refusal ?? problem;
  return (
    <section className="panel" aria-labelledby="change-scheduler">
      <header className="panel-head">
        <h2 id="change-scheduler">Change</h2>
        {isUnchanged ? null : (
          <button type="button" className="button bare" onClick={() => state.fill(now)}>
            Start over
          </button>
        )}
      </header>
      <div className="panel-body stack">
        {refusal === null ? null : <p className="notice tone-idle">{refusal}</p>}
        <ChoiceForm
          state={state}
          label="Scheduler"
          active={now.scheduler}
          faults={fault?.byField ?? {}}
          isOff={refusal !== null}
        />
        <div className="actions">
          <ActionButton
            look={plan === null ? 'primary' : undefined}
            refusal={unable ?? (isUnchanged ? 'This is how it is now: change something first.' : null)}
            act={() => send(true)}
          >
            Plan the change
          </ActionButton>
          {plan === null ? null : (
            <ActionButton look="primary" refusal={unable} act={() => send(false)}>
              Apply
            </ActionButton>
          )}
          <span className="hint">
            {plan === null ? 'A plan changes nothing.' : 'What waits keeps its place; what runs goes on.'}
          </span>
        </div>
        {plan === null ? null : <SwapPlanView plan={plan} />}
      </div>
    </section>
  );
}
