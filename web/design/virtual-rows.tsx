import { useVirtualizer } from '@tanstack/react-virtual';
import { useEffect, useRef, type ReactNode } from 'react';

interface VirtualRowsProps {
  readonly count: number;
  /** The same for all, which may become another; or by index: then it must not change while the key is the same. */
  readonly rowHeight: number | ((index: number) => number);
  readonly label: string;
  readonly className?: string;
  /** What is above the rows, and scrolls sideways with them. */
  readonly head?: ReactNode;
  readonly row: (index: number) => ReactNode;
  /** Names a row for as long as it is the same thing. */
  readonly keyOf?: (index: number) => string | number;
  /** Told the first and the last row that are on the page, whenever these are others. */
  readonly onSight?: (first: number, last: number) => void;
}

/** As many rows as there may be; only those in sight are on the page. Pixels. */
export function VirtualRows({ count, rowHeight, label, className = '', head, row, keyOf, onSight }: VirtualRowsProps) {
  const scroll = useRef<HTMLDivElement>(null);
  const rows = useVirtualizer({
    count,
    getScrollElement: () => scroll.current,
    estimateSize: typeof rowHeight === 'number' ? () => rowHeight : rowHeight,
    overscan: 12,
    ...(keyOf ? { getItemKey: keyOf } : {}),
  });
  const sameHeight = typeof rowHeight === 'number' ? rowHeight : null;
  const heightBefore = useRef(sameHeight);
  useEffect(() => {
    if (heightBefore.current === sameHeight) return;
    heightBefore.current = sameHeight;
    const top = rows.getVirtualItemForOffset(rows.scrollOffset ?? 0)?.index ?? 0;
    rows.measure();
    if (top > 0) rows.scrollToIndex(top, { align: 'start' });
  }, [rows, sameHeight]);
  const drawn = rows.getVirtualItems();
  const first = drawn[0]?.index ?? null;
  const last = drawn.at(-1)?.index ?? null;
  useEffect(() => {
    if (first !== null && last !== null) onSight?.(first, last);
  }, [first, last, onSight]);
  return (
    <div ref={scroll} className={`rows ${className}`} role="region" aria-label={label} tabIndex={0}>
      {head}
      <div className="rows-all" style={{ height: rows.getTotalSize() }}>
        {drawn.map(({ key, index, start, size }) => (
          <div key={key} className="rows-each" style={{ height: size, transform: `translateY(${start}px)` }}>
            {row(index)}
          </div>
        ))}
      </div>
    </div>
  );
}
