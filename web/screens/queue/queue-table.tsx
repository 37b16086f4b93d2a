import { useMedia } from '../../client/use-media.ts';
import { VirtualRows } from '../../design/virtual-rows.tsx';
import { QueueLine } from './queue-line.tsx';
import type { QueueView } from './queue-reader.ts';

const ROW = 58;
/** Where the reason stands below the task. */
const NARROW_ROW = 126;

interface QueueTableProps {
  readonly view: QueueView;
  readonly see: (first: number, last: number) => void;
}

/** What waits, the most urgent first: since when, why, and what would help. */
export function QueueTable({ view: { entries, total }, see }: QueueTableProps) {
  const isNarrow = useMedia('(max-width: 860px)');
  return (
    <VirtualRows
      label="What waits"
      className="queue-table"
      count={total}
      rowHeight={isNarrow ? NARROW_ROW : ROW}
      keyOf={(index) => entries.get(index)?.taskRun.id ?? index}
      onSight={see}
      head={
        <div className="rows-head queue-row">
          <span className="number">Place</span>
          <span>Task</span>
          <span>Waits</span>
          <span className="wide-only">Kept by</span>
          <span className="wide-only">Why, and what would help</span>
          <span className="number wide-only">Priority</span>
        </div>
      }
      row={(index) => {
        const entry = entries.get(index);
        return entry === undefined ? <Unread /> : <QueueLine entry={entry} />;
      }}
    />
  );
}

/** A row that is on its way. */
function Unread() {
  return (
    <div className="queue-row" aria-hidden="true">
      <span className="number faint">…</span>
      <span className="queue-unread" />
    </div>
  );
}
