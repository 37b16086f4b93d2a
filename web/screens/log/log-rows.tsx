import { useVirtualizer, type Virtualizer } from '@tanstack/react-virtual';
import { useEffect, useRef, type RefObject } from 'react';
import { clockText } from '../../design/time.ts';
import type { LogLine } from './log-lines.ts';
import { LogText } from './log-text.tsx';

interface LogRowsProps {
  /** Changed in place; the revision says so. */
  readonly lines: readonly LogLine[];
  readonly revision: number;
  /** What is looked for. */
  readonly pattern: RegExp | null;
  /** The line of the hit that is shown; null for none. */
  readonly hit: number | null;
  /** Changes when another hit is asked for, also where that is on the same line. */
  readonly step: number;
  readonly isWrapped: boolean;
  /** The end is kept in sight. */
  readonly isFollowing: boolean;
  readonly setFollowing: (isFollowing: boolean) => void;
}

type Rows = Virtualizer<HTMLDivElement, Element>;

const LINE = 19;
/** As near to the end counts as the end. Pixels. */
const NEAR = 40;

/** The lines of a log, as many as there may be; only those in sight are on the page. */
export function LogRows(props: LogRowsProps) {
  const { lines, revision, pattern, hit, isWrapped, isFollowing, setFollowing } = props;
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
  useHitInSight(props, rows, scroll);
  const hasAttempts = lines.length > 0 && lines[0]!.attempt !== lines.at(-1)!.attempt;
  return (
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
        const isAtEnd = scrollTop + clientHeight >= scrollHeight - NEAR;
        if (isAtEnd && !isFollowing && pattern === null) setFollowing(true);
      }}
    >
      <div className="rows-all" style={{ height: rows.getTotalSize() }}>
        {rows.getVirtualItems().map(({ key, index, start }) => {
          const line = lines[index]!;
          const { stream, attempt, at } = line;
          const isNew = hasAttempts && lines[index - 1]?.attempt !== attempt;
          return (
            <div
              key={key}
              ref={isWrapped ? rows.measureElement : null}
              data-index={index}
              className={`log-line is-${stream.toLowerCase()}${hit === index ? ' is-hit' : ''}`}
              style={{ transform: `translateY(${start}px)` }}
            >
              <span className="log-number" title={`attempt ${attempt}, ${clockText(Date.parse(at))}`}>
                {isNew ? `#${attempt}` : index + 1}
              </span>
              <span className="log-text">
                <LogText line={line} pattern={pattern} />
              </span>
            </div>
          );
        })}
      </div>
    </div>
  );
}

/** Shows the hit, also the first one as soon as it is found: nobody has to ask for it. */
function useHitInSight(
  { hit, step, pattern, setFollowing }: LogRowsProps,
  rows: Rows,
  scroll: RefObject<HTMLDivElement | null>,
): void {
  useEffect(() => {
    if (hit === null) return undefined;
    setFollowing(false);
    rows.scrollToIndex(hit, { align: 'center' });
    // Once the line is on the page: it may be longer than the page is wide.
    let frame = requestAnimationFrame(() => {
      frame = requestAnimationFrame(() =>
        scroll.current?.querySelector('.is-hit mark')?.scrollIntoView({ block: 'nearest', inline: 'nearest' }),
      );
    });
    return () => cancelAnimationFrame(frame);
  }, [hit, step, pattern, rows, scroll, setFollowing]);
}
