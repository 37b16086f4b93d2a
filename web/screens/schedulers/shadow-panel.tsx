import { useState } from 'react';
import { asFault } from '../../client/fault.ts';
import type { PoolRow, SchedulerPlugin } from '../../client/operations.ts';
import { ActionButton } from '../../design/action-button.tsx';
import { StateBadge } from '../../design/state-mark.tsx';
import { say } from '../../design/toast.tsx';
import { useRefusal } from '../session/viewer.ts';
import { ChoiceForm, useChoice } from './choice-form.tsx';
import { Divergences } from './divergences.tsx';
import { Figure } from './scheduler-facts.tsx';
import { ConfigFault, updatePool, type Swapped } from './swap.ts';

interface ShadowPanelProps {
  readonly pool: PoolRow;
  readonly plugins: readonly SchedulerPlugin[];
  readonly changed: (swapped: Swapped) => void;
}

/** The scheduler that decides beside the pool's own, and nothing comes of it: how often it would have done otherwise. */
export function ShadowPanel({ pool, plugins, changed }: ShadowPanelProps) {
  const { shadow } = pool;
  const refusal = useRefusal('ADMIN');
  const takeAway = async (): Promise<void> => {
    changed(await updatePool({ name: pool.name, shadow: null }));
    say('The shadow is taken away.');
  };
  return (
    <section className="panel" aria-labelledby="shadow">
      <header className="panel-head">
        <h2 id="shadow">
          Shadow
          {shadow === null ? null : (
            <>
              : <span className="mono">{shadow.name}</span> <span className="faint">{shadow.version ?? ''}</span>
            </>
          )}
        </h2>
        {shadow === null ? null : (
          <div className="actions">
            {shadow.state === null ? null : <StateBadge state={shadow.state} />}
            <ActionButton refusal={refusal} confirm="Really? Its counts go, too." act={takeAway}>
              Take away
            </ActionButton>
          </div>
        )}
      </header>
      <div className="panel-body stack">
        {shadow === null ? (
          <ShadowChoice pool={pool} plugins={plugins} changed={changed} />
        ) : (
          <Comparison shadow={shadow} scheduler={pool.scheduler.name} />
        )}
      </div>
    </section>
  );
}

type Shadow = NonNullable<PoolRow['shadow']>;

function Comparison({ shadow, scheduler }: { readonly shadow: Shadow; readonly scheduler: string }) {
  const { name, config, compared, divergenceCount, divergences } = shadow;
  const same = compared === 0 ? null : Math.floor((1000 * (compared - divergenceCount)) / compared) / 10;
  return (
    <>
      <dl className="figures">
        <Figure name="Compared" value={compared} hint="Task runs on which both decided" />
        <Figure name="Diverged" value={divergenceCount} hint="How many of them it would have placed elsewhere" />
        <div title="How many of 100 it would have placed in the same way">
          <dt>The same</dt>
          <dd>{same === null ? <span className="faint">–</span> : `${same} %`}</dd>
        </div>
      </dl>
      {Object.keys(config ?? {}).length === 0 ? null : <pre className="code">{JSON.stringify(config, null, 2)}</pre>}
      {compared === 0 ? (
        <p className="faint">Nothing has been placed since it watches. This goes on by itself with the next tasks.</p>
      ) : (
        <Divergences divergences={divergences} count={divergenceCount} scheduler={scheduler} shadow={name} />
      )}
    </>
  );
}

function ShadowChoice({ pool, plugins, changed }: ShadowPanelProps) {
  const refusal = useRefusal('ADMIN');
  const other = plugins.find(({ name, state }) => name !== pool.scheduler.name && state === 'LOADED');
  const [initial] = useState({ scheduler: other?.name ?? pool.scheduler.name, config: {} });
  const state = useChoice(plugins, initial);
  const [fault, setFault] = useState<ConfigFault | null>(null);
  const begin = async (): Promise<void> => {
    setFault(null);
    try {
      changed(await updatePool({ name: pool.name, shadow: state.choice }));
      say(`${state.choice.scheduler} decides beside ${pool.scheduler.name} from now on.`);
    } catch (error) {
      if (!(error instanceof ConfigFault)) throw asFault(error);
      setFault(error);
    }
  };
  return (
    <>
      <p className="faint">
        Another scheduler can decide beside this one. Nothing comes of what it says; here it is counted how often it
        would have placed a task elsewhere.
      </p>
      <ChoiceForm
        state={state}
        label="Scheduler that watches"
        active={pool.scheduler.name}
        faults={fault?.byField ?? {}}
        isOff={refusal !== null}
      />
      <div className="actions">
        <ActionButton refusal={refusal ?? state.problem} act={begin}>
          Let it watch
        </ActionButton>
      </div>
    </>
  );
}
