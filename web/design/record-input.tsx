import type { FieldDraft } from './schema-draft.ts';

interface RecordInputProps {
  /** The field that the names and numbers are of. */
  readonly of: string;
  readonly draft: FieldDraft;
  readonly isOff: boolean;
  readonly isWrong: boolean;
  readonly change: (next: Partial<FieldDraft>) => void;
}

/** Names with a number each: a line for every one, and an empty one to go on with. */
export function RecordInput({ of, draft: { rows }, isOff, isWrong, change }: RecordInputProps) {
  const shown = isOff ? rows : [...rows, ['', ''] as const];
  const put = (at: number, row: readonly [string, string]): void => {
    const next = [...rows];
    next[at] = row;
    change({ rows: next });
  };
  return (
    <div className="record-input">
      {shown.map(([name, amount], at) => (
        // A row is known by its place alone: its name is what is being typed.
        <div key={at} className="record-row">
          <input
            className="input mono"
            aria-label={`Name ${at + 1} of ${of}`}
            placeholder="name"
            autoComplete="off"
            spellCheck={false}
            disabled={isOff}
            aria-invalid={isWrong}
            value={name}
            onChange={({ target }) => put(at, [target.value, amount])}
          />
          <input
            className="input mono"
            aria-label={`Number ${at + 1} of ${of}`}
            placeholder="number"
            inputMode="decimal"
            autoComplete="off"
            disabled={isOff}
            aria-invalid={isWrong}
            value={amount}
            onChange={({ target }) => put(at, [name, target.value])}
          />
          <button
            type="button"
            className="button bare"
            disabled={isOff || at >= rows.length}
            aria-label={name === '' ? `Take line ${at + 1} away` : `Take ${name} away`}
            onClick={() => change({ rows: rows.filter((_, index) => index !== at) })}
          >
            ✕
          </button>
        </div>
      ))}
      {shown.length === 0 ? <span className="faint">None.</span> : null}
    </div>
  );
}
