import { useVirtualizer } from '@tanstack/react-virtual';
import { useEffect, useRef, useState } from 'react';
import { FaultNotice } from '../../design/notices.tsx';
import { clockText } from '../../design/time.ts';
import { useFoundLines } from './find-lines.ts';
import { plainText } from './log-lines.ts';
import { LogText } from './log-text.tsx';
import { useLog } from './use-log.ts';

const LINE = 19;
/** As near to the end counts as the end. Pixels. */
const NEAR = 40;

/** The log of a task run as it is written: searched, followed, wrapped, kept. */
export function LogView({ taskRun, name }: { readonly taskRun: string; readonly name: string }) {
  const { lines, revision, isWhole, fault } = useLog(taskRun);
  const [search, setSearch] = useState('');
  const [isFollowing, setFollowing] = useState(true);
  const [isWrapped, setWrapped] = useState(false);
  const [hit, setHit] = useState(0);
  const wanted = search.toLowerCase();
  const found = useFoundLines(lines, revision, wanted);
  const scroll = useRef<HTMLDivElement>(null);
  const rows = useVirtualizer({
    count: lines.length,
    getScrollElement: () => scroll.current,
    estimateSize: () => LINE,
    overscan: 30,
  });
  useEffect(() => rows.measure(), [isWrapped, rows]);
  useEffect(() => {
    if (isFollowing && lines.length > 0) rows.scrollToIndex(lines.length - 1, { align: 'end' });
  }, [isFollowing, revision, lines.length, rows]);
  const goTo = (next: number): void => {
    if (found.length === 0) return;
    const at = (next + found.length) % found.length;
    setHit(at);
    setFollowing(false);
    rows.scrollToIndex(found[at]!, { align: 'center' });
  };
  const hasAttempts = lines.length > 0 && lines[0]!.attempt !== lines.at(-1)!.attempt;
  return (
    <section className="log" aria-label={`Log of ${name}`}>
      <div className="log-head">
        <input
          className="input"
          type="search"
          placeholder="Search"
          aria-label="Search in the log"
          value={search}
          onChange={({ target }) => {
            setSearch(target.value);
            setHit(0);
          }}
          onKeyDown={({ key, shiftKey }) => {
            if (key === 'Enter') goTo(shiftKey ? hit - 1 : hit + 1);
          }}
        />
        {search === '' ? null : (
          <span className="faint nowrap" role="status">
            {found.length === 0 ? 'not found' : `${Math.min(hit + 1, found.length)} of ${found.length}`}
          </span>
        )}
        <button type="button" className="button" aria-pressed={isFollowing} onClick={() => setFollowing(!isFollowing)}>
          Follow
        </button>
        <button type="button" className="button" aria-pressed={isWrapped} onClick={() => setWrapped(!isWrapped)}>
          Wrap
        </button>
        <button
          type="button"
          className="button"
          onClick={() =>
            download(
              `${name}.log`,
              lines.map(({ text }) => `${plainText(text)}\n`),
            )
          }
        >
          Download
        </button>
      </div>
      {fault ? <FaultNotice fault={fault} /> : null}
      {lines.length === 0 && fault === null ? (
        <p className="log-empty faint">{isWhole ? 'It has printed nothing.' : 'Nothing has been printed yet.'}</p>
      ) : null}
      <div
        ref={scroll}
        className={isWrapped ? 'log-scroll is-wrapped' : 'log-scroll'}
        role="region"
        aria-label="Lines"
        tabIndex={0}
        onWheel={({ deltaY }) => {
          if (deltaY < 0) setFollowing(false);
        }}
        onScroll={({ currentTarget: { scrollTop, scrollHeight, clientHeight } }) => {
          if (scrollTop + clientHeight >= scrollHeight - NEAR && !isFollowing && search === '') setFollowing(true);
        }}
      >
        <div className="rows-all" style={{ height: rows.getTotalSize() }}>
          {rows.getVirtualItems().map(({ key, index, start }) => {
            const { text, stream, attempt, at } = lines[index]!;
            const isNew = hasAttempts && lines[index - 1]?.attempt !== attempt;
            return (
              <div
                key={key}
                ref={isWrapped ? rows.measureElement : null}
                data-index={index}
                className={`log-line is-${stream.toLowerCase()}${found[hit] === index && search !== '' ? ' is-hit' : ''}`}
                style={{ transform: `translateY(${start}px)` }}
              >
                <span className="log-number" title={`attempt ${attempt}, ${clockText(Date.parse(at))}`}>
                  {isNew ? `#${attempt}` : index + 1}
                </span>
                <span className="log-text">
                  <LogText text={text} search={wanted} />
                </span>
              </div>
            );
          })}
        </div>
      </div>
    </section>
  );
}

function download(name: string, parts: string[]): void {
  const url = URL.createObjectURL(new Blob(parts, { type: 'text/plain' }));
  const link = Object.assign(document.createElement('a'), { href: url, download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 1_000);
}
