import type { QueueFilter, QueueOverviewText } from '../../client/operations.ts';
import { useAddress } from '../../client/use-address.ts';
import { reasonWords, TIERS } from './reason-words.ts';

interface QueueReasonsProps {
  readonly overview: QueueOverviewText;
  readonly length: number;
  readonly filter: QueueFilter;
}

/** Why they wait, counted; each reason shows those that it keeps. */
export function QueueReasons({ overview: { reasons, unexplainedCount }, length, filter }: QueueReasonsProps) {
  const [, write] = useAddress();
  return (
    <section className="queue-reasons" aria-label="Why they wait" tabIndex={0} role="region">
      {reasons.map(({ tier, count, summary }) => {
        const isChosen = filter.tier === tier && filter.code === summary.code;
        return (
          <button
            key={`${tier} ${summary.code}`}
            type="button"
            className={`queue-reason tone-${TIERS[tier].tone}`}
            aria-pressed={isChosen}
            title={`${summary.message}\n${summary.remedy ?? ''}`}
            onClick={() => write(isChosen ? { tier: null, code: null } : { tier, code: summary.code })}
          >
            <span className="queue-reason-head">
              <strong>{reasonWords(tier, summary.code)}</strong>
              <span className="number">{count.toLocaleString()}</span>
            </span>
            <span className="queue-share" aria-hidden="true">
              <span style={{ width: `${Math.max(2, (100 * count) / Math.max(1, length))}%` }} />
            </span>
            <span className="queue-reason-text">{summary.message}</span>
          </button>
        );
      })}
      {unexplainedCount === 0 ? null : (
        <p className="queue-reason hint">
          {unexplainedCount.toLocaleString()} more are of rarer kinds of task. Each says in the list why it waits.
        </p>
      )}
    </section>
  );
}
