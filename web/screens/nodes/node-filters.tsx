import type { ReactNode } from 'react';
import { useAddress } from '../../client/use-address.ts';

interface NodeFiltersProps {
  readonly groupings: readonly { readonly by: string; readonly title: string }[];
  readonly by: string;
  readonly view: 'map' | 'list';
  /** How many are shown, say. */
  readonly children?: ReactNode;
}

/** What is shown of the nodes, and how; all of it is kept in the address. */
export function NodeFilters({ groupings, by, view, children }: NodeFiltersProps) {
  const [read, write] = useAddress();
  return (
    <div className="filters" role="group" aria-label="Filters">
      <input
        className="input"
        type="search"
        placeholder="Name of a node"
        aria-label="Only nodes that are called"
        value={read('name') ?? ''}
        onChange={({ target }) => write({ name: target.value })}
      />
      <select
        className="input"
        aria-label="Group by"
        value={by}
        onChange={({ target }) => write({ by: target.value === 'pool' ? null : target.value })}
      >
        {groupings.map(({ by: each, title }) => (
          <option key={each} value={each}>
            By {title.charAt(0).toLowerCase() + title.slice(1)}
          </option>
        ))}
      </select>
      <div className="chips" role="group" aria-label="Shown as">
        {(['map', 'list'] as const).map((each) => (
          <button
            key={each}
            type="button"
            className="button chip-button"
            aria-pressed={view === each}
            onClick={() => write({ view: each === 'map' ? null : each })}
          >
            {each === 'map' ? 'Map' : 'List'}
          </button>
        ))}
      </div>
      {children}
    </div>
  );
}
