import { useMemo, useState } from 'react';
import { FaultNotice } from '../../design/notices.tsx';
import { searchPattern, useFoundLines } from './find-lines.ts';
import { LogRows } from './log-rows.tsx';
import { LogSearch } from './log-search.tsx';
import { useLog } from './use-log.ts';

/** The log of a task run as it is written: searched, followed, wrapped, kept. */
export function LogView({ taskRun, name }: { readonly taskRun: string; readonly name: string }) {
  const { lines, open, revision, isWhole, fault } = useLog(taskRun);
  const [search, setSearch] = useState('');
  const [isFollowing, setFollowing] = useState(true);
  const [isWrapped, setWrapped] = useState(false);
  const [hit, setHit] = useState(0);
  const pattern = useMemo(() => searchPattern(search), [search]);
  const { places, isLooking } = useFoundLines(lines, open, revision, pattern);
  const at = Math.min(hit, places.length - 1);
  const step = (by: number): void => {
    if (places.length > 0) setHit((at + by + places.length) % places.length);
  };
  const save = (): void =>
    download(
      `${name}.log`,
      lines.map(({ text }) => `${text}\n`),
    );
  return (
    <section className="log" aria-label={`Log of ${name}`}>
      <div className="log-head">
        <LogSearch
          search={search}
          change={(text) => {
            setSearch(text);
            setHit(0);
          }}
          at={at}
          count={places.length}
          isOpen={isLooking || !isWhole}
          step={step}
        />
        <button type="button" className="button" aria-pressed={isFollowing} onClick={() => setFollowing(!isFollowing)}>
          Follow
        </button>
        <button type="button" className="button" aria-pressed={isWrapped} onClick={() => setWrapped(!isWrapped)}>
          Wrap
        </button>
        <button type="button" className="button" onClick={save}>
          Download
        </button>
      </div>
      {fault ? <FaultNotice fault={fault} /> : null}
      {lines.length === 0 && fault === null ? (
        <p className="log-empty faint">{isWhole ? 'It has printed nothing.' : 'Nothing has been printed yet.'}</p>
      ) : null}
      <LogRows
        lines={lines}
        revision={revision}
        pattern={pattern}
        hit={places[at] ?? null}
        step={hit}
        isWrapped={isWrapped}
        isFollowing={isFollowing}
        setFollowing={setFollowing}
      />
    </section>
  );
}

function download(name: string, parts: string[]): void {
  const url = URL.createObjectURL(new Blob(parts, { type: 'text/plain' }));
  const link = Object.assign(document.createElement('a'), { href: url, download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 1_000);
}
