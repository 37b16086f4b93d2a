import type { ReactNode } from 'react';
import type { PlacementTier, QueueFilter, QueueOverviewText } from '../../client/operations.ts';
import { useAddress } from '../../client/use-address.ts';
import { TIERS } from './reason-words.ts';

/** The filter that the address names. */
export function filterOf(read: (name: string) => string | null): QueueFilter {
  const tier = read('tier');
  return {
    ...(read('pipeline') ? { pipeline: read('pipeline') } : {}),
    ...(read('run') ? { run: read('run') } : {}),
    ...(tier !== null && tier in TIERS ? { tier: tier as PlacementTier } : {}),
    ...(read('code') ? { code: read('code') } : {}),
  };
}

/** What takes every filter out of the address. */
export const NO_FILTER = { pipeline: null, run: null, tier: null, code: null } as const;

interface QueueFiltersProps {
  readonly filter: QueueFilter;
  readonly pipelines: QueueOverviewText['pipelines'];
  /** How many are shown, say. */
  readonly children?: ReactNode;
}

/** What narrows the queue besides the reason; all of it is kept in the address. */
export function QueueFilters({ filter, pipelines, children }: QueueFiltersProps) {
  const [, write] = useAddress();
  const pipeline = filter.pipeline ?? null;
  const run = filter.run ?? null;
  const isListed = pipeline === null || pipelines.some(({ name }) => name === pipeline);
  return (
    <div className="filters" role="group" aria-label="Filters">
      <select
        className="input"
        aria-label="Only of this pipeline"
        value={pipeline ?? ''}
        onChange={({ target }) => write({ pipeline: target.value })}
      >
        <option value="">All pipelines</option>
        {isListed ? null : <option value={pipeline}>{pipeline}</option>}
        {pipelines.map(({ name, count }) => (
          <option key={name} value={name}>
            {name} · {count.toLocaleString()}
          </option>
        ))}
      </select>
      {run === null ? null : (
        <button
          type="button"
          className="button chip-button"
          aria-pressed="true"
          aria-label="Only of one run; show all runs"
          onClick={() => write({ run: null })}
        >
          Only of run {run.slice(-6)} <span aria-hidden="true">✕</span>
        </button>
      )}
      {children}
    </div>
  );
}
