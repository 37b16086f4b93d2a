import type { PoolRow } from '../../client/operations.ts';
import { JsonView } from '../../design/json-view.tsx';
import { StateBadge } from '../../design/state-mark.tsx';

/** The scheduler that is at work: whether it is well, what it has done, and how it is set. */
export function SchedulerFacts({ pool: { scheduler, queueLength, idempotent } }: { readonly pool: PoolRow }) {
  const { name, version, state, calls, decisions, refusals, faults, reason, config } = scheduler;
  return (
    <section className="panel" aria-labelledby="scheduler-facts">
      <header className="panel-head">
        <h2 id="scheduler-facts">
          At work: <span className="mono">{name}</span> <span className="faint">{version ?? ''}</span>
        </h2>
        {state === null ? <span className="chip">another server runs this pool</span> : <StateBadge state={state} />}
      </header>
      <div className="panel-body stack">
        {reason === null ? null : (
          <div className={`notice tone-${state === 'FAULTY' ? 'bad' : 'warn'}`}>
            <div>
              <strong>{reason.message}</strong>
              {state === 'FAULTY' ? <p>A fallback places this pool’s tasks meanwhile.</p> : null}
              {reason.remedy === null ? null : <p>{reason.remedy}</p>}
            </div>
          </div>
        )}
        <dl className="figures">
          <Figure name="Waiting" value={queueLength} hint="Task runs in the queue now" />
          <Figure name="Calls" value={calls} hint="How often it has been asked since its server has run the pool" />
          <Figure name="Decisions" value={decisions} hint="What it has decided since then" />
          <Figure name="Refusals" value={refusals} hint="Decisions that were refused, because they were wrong" />
          <Figure name="Faults" value={faults} hint="Calls that failed: thrown, too slow, nonsense, or with refusals" />
        </dl>
        <p className="hint">
          When nobody knows what a task has done:{' '}
          {idempotent === null
            ? 'its runner says whether it is repeated.'
            : idempotent
              ? 'it is repeated, unless it says otherwise itself.'
              : 'it is not repeated, unless it says otherwise itself.'}
        </p>
        <div>
          <h3>Config</h3>
          <JsonView value={config} empty="{}: everything is as it is unless told." />
        </div>
      </div>
    </section>
  );
}

interface FigureProps {
  readonly name: string;
  readonly value: number | null;
  readonly hint: string;
}

/** A number that is looked at from afar. */
export function Figure({ name, value, hint }: FigureProps) {
  return (
    <div title={hint}>
      <dt>{name}</dt>
      <dd>{value === null ? <span className="faint">–</span> : value.toLocaleString()}</dd>
    </div>
  );
}
