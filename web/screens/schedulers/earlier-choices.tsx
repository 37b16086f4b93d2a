import { useEffect } from 'react';
import type { Json } from '../../client/operation.ts';
import { AuditRecords, type AuditRecordsData, type PoolRow } from '../../client/operations.ts';
import { useQuery } from '../../client/use-query.ts';
import { ActionButton } from '../../design/action-button.tsx';
import { FaultNotice } from '../../design/notices.tsx';
import { isSame, type Config } from '../../design/schema-draft.ts';
import { Ago } from '../../design/times.tsx';
import { say } from '../../design/toast.tsx';
import { configOf } from './choice-form.tsx';
import { updatePool, type Choice, type Swapped } from './swap.ts';

interface EarlierChoicesProps {
  readonly pool: PoolRow;
  /** What the pool had before its last change; null when nothing was changed since the page was opened. */
  readonly before: Choice | null;
  readonly changed: (swapped: Swapped) => void;
}

interface Earlier {
  readonly choice: Choice;
  readonly at: string | null;
  readonly actor: string | null;
}

const LOOKED_AT = 50;
const SHOWN = 5;

/** Which schedulers the pool had before, and a way back to each. Only for who may change it: it is in the audit. */
export function EarlierChoices({ pool, before, changed }: EarlierChoicesProps) {
  const { scheduler } = pool;
  const { data, fault, reload } = useQuery(AuditRecords, { first: LOOKED_AT, filter: { action: 'pool.update' } });
  const state = JSON.stringify([scheduler.name, scheduler.config]);
  // The record of a change is written together with it.
  useEffect(() => reload(), [state, reload]);
  if (fault) return <FaultNotice fault={fault} retry={reload} />;
  const now: Choice = { scheduler: scheduler.name, config: configOf(scheduler.config) };
  const earlier = earlierOf(data?.auditRecords.nodes ?? [], pool.name, before, now);
  if (earlier.length === 0) return null;
  const goBack = async ({ scheduler: name, config }: Choice): Promise<void> => {
    changed(await updatePool({ name: pool.name, scheduler: name, config }));
    say(`${name} places the tasks of ${pool.name} again.`);
  };
  return (
    <section className="panel" aria-labelledby="earlier-choices">
      <header className="panel-head">
        <h2 id="earlier-choices">The way back</h2>
      </header>
      <ul className="earlier">
        {earlier.map(({ choice, at, actor }) => (
          <li key={JSON.stringify(choice)}>
            <div>
              <span className="mono strong">{choice.scheduler}</span>{' '}
              <span className="mono faint">{JSON.stringify(choice.config)}</span>
              <p className="hint">
                {at === null ? 'What it had before' : <Ago at={at} />}
                {actor === null ? '' : `, chosen by ${actor}`}
              </p>
            </div>
            <ActionButton confirm="Really go back?" label={`Go back to ${choice.scheduler}`} act={() => goBack(choice)}>
              Go back
            </ActionButton>
          </li>
        ))}
      </ul>
    </section>
  );
}

type AuditRecord = AuditRecordsData['auditRecords']['nodes'][number];

/** The choices that are not the present one, the latest first, each once. */
function earlierOf(
  records: readonly AuditRecord[],
  pool: string,
  before: Choice | null,
  now: Choice,
): readonly Earlier[] {
  const found: Earlier[] = [];
  const add = (each: Earlier): void => {
    const isKnown = [now, ...found.map(({ choice }) => choice)].some(
      (known) => known.scheduler === each.choice.scheduler && isSame(known.config, each.choice.config),
    );
    if (!isKnown) found.push(each);
  };
  for (const { at, actor, details } of records) {
    const choice = choiceIn(details, pool);
    if (choice !== null) add({ choice, at, actor });
  }
  // What a pool had before anybody chose is in no record.
  if (before !== null) add({ choice: before, at: null, actor: null });
  return found.slice(0, SHOWN);
}

function choiceIn(details: Json, pool: string): Choice | null {
  if (typeof details !== 'object' || details === null || Array.isArray(details)) return null;
  const { pool: of, scheduler, config } = details as Config;
  return of === pool && typeof scheduler === 'string' ? { scheduler, config: configOf(config ?? {}) } : null;
}
