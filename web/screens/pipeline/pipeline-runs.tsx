import { ActionButton } from '../../design/action-button.tsx';
import { Empty, FaultNotice, Loading } from '../../design/notices.tsx';
import { readMoreRuns, useLiveRuns } from '../runs/live-runs.ts';
import { RunTable } from '../runs/run-table.tsx';

/** The runs of one pipeline, live. */
export function PipelineRuns({ name }: { readonly name: string }) {
  const filter = { pipeline: name };
  const live = useLiveRuns(filter);
  if (live.fault) return <FaultNotice fault={live.fault} retry={live.reload} />;
  if (live.data === null) return <Loading what="runs" />;
  const { rows, hasMore } = live.data;
  if (rows.length === 0) return <Empty title="It has never run">Choose Run now to begin.</Empty>;
  return (
    <>
      <RunTable rows={rows} hasPipeline={false} />
      {hasMore ? (
        <div className="actions">
          <ActionButton act={() => readMoreRuns(live, filter)}>Show older ones</ActionButton>
        </div>
      ) : null}
    </>
  );
}
