import { useVirtualizer } from '@tanstack/react-virtual';
import { useRef, type ReactNode } from 'react';

interface VirtualRowsProps {
  readonly count: number;
  /** The same for all, or by index: then it must not change while the key is the same. */
  readonly rowHeight: number | ((index: number) => number);
  readonly label: string;
  readonly className?: string;
  /** What is above the rows, and scrolls sideways with them. */
  readonly head?: ReactNode;
  readonly row: (index: number) => ReactNode;
  /** Names a row for as long as it is the same thing. */
  readonly keyOf?: (index: number) => string | number;
}

/** As many rows as there may be; only those in sight are on the page. Pixels. */
export function VirtualRows({ count, rowHeight, label, className = '', head, row, keyOf }: VirtualRowsProps) {
  const scroll = useRef<HTMLDivElement>(null);
  const rows = useVirtualizer({
    count,
    getScrollElement: () => scroll.current,
    estimateSize: typeof rowHeight === 'number' ? () => rowHeight : rowHeight,
    overscan: 12,
    ...(keyOf ? { getItemKey: keyOf } : {}),
  });
  return (
    <div ref={scroll} className={`rows ${className}`} role="region" aria-label={label} tabIndex={0}>
      {head}
      <div className="rows-all" style={{ height: rows.getTotalSize() }}>
        {rows.getVirtualItems().map(({ key, index, start, size }) => (
          <div key={key} className="rows-each" style={{ height: size, transform: `translateY(${start}px)` }}>
            {row(index)}
          </div>
        ))}
      </div>
    </div>
  );
}
