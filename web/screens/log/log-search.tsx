interface LogSearchProps {
  readonly search: string;
  readonly change: (search: string) => void;
  /** Which hit is shown, from 0. */
  readonly at: number;
  /** How many lines hold what is looked for. */
  readonly count: number;
  /** More may be found: not all has been looked at, or more may be printed. */
  readonly isOpen: boolean;
  /** To the next hit, or with −1 to the one before; from the last to the first. */
  readonly step: (by: 1 | -1) => void;
}

/** Looks for a text in a log: how many lines hold it, and the way from one to the next. */
export function LogSearch({ search, change, at, count, isOpen, step }: LogSearchProps) {
  return (
    <>
      <input
        className="input"
        type="search"
        placeholder="Search"
        aria-label="Search in the log"
        value={search}
        onChange={({ target }) => change(target.value)}
        onKeyDown={({ key, shiftKey }) => {
          if (key === 'Enter') step(shiftKey ? -1 : 1);
        }}
      />
      {search === '' ? null : (
        <span className="log-hits">
          <span className="faint nowrap" role="status">
            {count === 0 ? (isOpen ? 'not found yet' : 'not found') : `${at + 1} of ${count}`}
          </span>
          <button
            type="button"
            className="button"
            aria-label="Previous hit"
            aria-disabled={count === 0}
            onClick={() => step(-1)}
          >
            ↑
          </button>
          <button
            type="button"
            className="button"
            aria-label="Next hit"
            aria-disabled={count === 0}
            onClick={() => step(1)}
          >
            ↓
          </button>
        </span>
      )}
    </>
  );
}
