import { useState } from 'react';
import type { Live } from '../../client/use-live.ts';
import type { PoolRow, SchedulerPlugin } from '../../client/operations.ts';
import { useRefusal } from '../session/viewer.ts';
import { ChangeScheduler } from './change-scheduler.tsx';
import { configOf } from './choice-form.tsx';
import { EarlierChoices } from './earlier-choices.tsx';
import type { PoolView } from './live-pool.ts';
import { SchedulerFacts } from './scheduler-facts.tsx';
import { ShadowPanel } from './shadow-panel.tsx';
import type { Choice, Swapped } from './swap.ts';

interface SchedulerTabProps {
  readonly live: Live<PoolView>;
  readonly pool: PoolRow;
  readonly plugins: readonly SchedulerPlugin[];
}

/** What places a pool's tasks now, another to come, and one that watches. */
export function SchedulerTab({ live, pool, plugins }: SchedulerTabProps) {
  const mayChange = useRefusal('ADMIN') === null;
  const [before, setBefore] = useState<Choice | null>(null);
  const changed = ({ pool: now, plan }: Swapped): void => {
    const { scheduler, config } = plan.before;
    if (scheduler !== now.scheduler.name || plan.after.scheduler !== scheduler || plan.after.config !== config) {
      setBefore({ scheduler, config: configOf(config) });
    }
    live.change((view) => {
      view.pool = now;
    });
  };
  return (
    <div className="two-columns">
      <div className="stack">
        <SchedulerFacts pool={pool} />
        <ShadowPanel pool={pool} plugins={plugins} changed={changed} />
      </div>
      <div className="stack">
        <ChangeScheduler pool={pool} plugins={plugins} changed={changed} />
        {mayChange ? <EarlierChoices pool={pool} before={before} changed={changed} /> : null}
      </div>
    </div>
  );
}
