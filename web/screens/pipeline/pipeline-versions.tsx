import { diffLines } from 'diff';
import { useState } from 'react';
import { PipelineVersions as VersionsQuery, PipelineVersionText } from '../../client/operations.ts';
import type { Json } from '../../client/operation.ts';
import { useQuery } from '../../client/use-query.ts';
import { FaultNotice, Loading } from '../../design/notices.tsx';
import { At } from '../../design/times.tsx';

/** As many versions are listed. */
const LISTED = 100;

/** What a version says: as it was written, or its definition when it was applied as data. */
export const textOf = ({ source, definition }: { readonly source: string | null; readonly definition: Json }): string =>
  source ?? `${JSON.stringify(definition, null, 2)}\n`;

/** The versions of a pipeline, and what changed from one to another. */
export function PipelineVersions({ name, latest }: { readonly name: string; readonly latest: number }) {
  const { data, fault, reload } = useQuery(VersionsQuery, { name, first: LISTED });
  const [chosen, setChosen] = useState(latest);
  const versions = data?.pipeline?.versions.nodes ?? [];
  const before = versions.find(({ number }) => number < chosen)?.number ?? null;
  const [base, setBase] = useState<number | null>(null);
  const other = base ?? before;
  if (fault) return <FaultNotice fault={fault} retry={reload} />;
  if (data === null) return <Loading what="versions" />;
  return (
    <div className="versions">
      <ul className="panel version-list" aria-label="Versions">
        {versions.map(({ number, createdAt, createdBy, description }) => (
          <li key={number}>
            <button
              type="button"
              className="version"
              aria-pressed={number === chosen}
              data-row
              onClick={() => {
                setChosen(number);
                setBase(null);
              }}
            >
              <strong>Version {number}</strong>
              <span className="faint">
                <At at={createdAt} /> by {createdBy}
              </span>
              <span className="clip faint">{description}</span>
            </button>
          </li>
        ))}
      </ul>
      <div className="stack">
        <label className="spread-start">
          Version {chosen} compared with
          <select
            className="input"
            value={other ?? ''}
            onChange={({ target }) => setBase(target.value === '' ? null : Number(target.value))}
          >
            {before === null ? <option value="">nothing before it</option> : null}
            {versions
              .filter(({ number }) => number !== chosen)
              .map(({ number }) => (
                <option key={number} value={number}>
                  version {number}
                </option>
              ))}
          </select>
        </label>
        <Difference key={`${other} ${chosen}`} name={name} from={other} to={chosen} />
      </div>
    </div>
  );
}

interface DifferenceProps {
  readonly name: string;
  readonly from: number | null;
  readonly to: number;
}

function Difference({ name, from, to }: DifferenceProps) {
  const newer = useQuery(PipelineVersionText, { name, number: to });
  const older = useQuery(PipelineVersionText, { name, number: from ?? to });
  const fault = newer.fault ?? older.fault;
  if (fault) return <FaultNotice fault={fault} />;
  const after = newer.data?.pipeline?.version;
  const before = older.data?.pipeline?.version;
  if (!after || !before) return <Loading what="the difference" />;
  const parts = diffLines(from === null ? textOf(after) : textOf(before), textOf(after));
  const isSame = parts.every(({ added, removed }) => !added && !removed);
  return (
    <>
      {isSame && from !== null ? <p className="faint">They say the same.</p> : null}
      <pre className="code difference" tabIndex={0} aria-label="Difference">
        {parts.flatMap(({ value, added, removed }, at) =>
          value
            .replace(/\n$/, '')
            .split('\n')
            .map((line, row) => (
              <span key={`${at}.${row}`} className={added ? 'is-added' : removed ? 'is-removed' : ''}>
                {`${added ? '+' : removed ? '−' : ' '} ${line}\n`}
              </span>
            )),
        )}
      </pre>
    </>
  );
}
