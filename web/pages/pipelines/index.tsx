import Link from 'next/link';
import { useDeferredValue, useState } from 'react';
import { Empty, FaultNotice, Loading } from '../../design/notices.tsx';
import { Page } from '../../design/page.tsx';
import { PipelineTable } from '../../screens/pipelines/pipeline-table.tsx';
import { useLivePipelines } from '../../screens/pipelines/live-pipelines.ts';

/** All pipelines, with how they have done lately. */
export default function Pipelines() {
  const [search, setSearch] = useState('');
  const live = useLivePipelines(useDeferredValue(search.trim()));
  const rows = live.data?.rows ?? [];
  return (
    <Page
      title="Pipelines"
      actions={
        <Link className="button primary" href="/new-pipeline">
          New pipeline
        </Link>
      }
    >
      <div className="filters">
        <input
          className="input"
          type="search"
          placeholder="Search"
          aria-label="Only pipelines whose name holds"
          value={search}
          onChange={({ target }) => setSearch(target.value)}
        />
        {live.data === null ? null : (
          <span className="faint">
            {live.data.totalCount} {live.data.totalCount === 1 ? 'pipeline' : 'pipelines'}
            {rows.length < live.data.totalCount ? `, the first ${rows.length} are shown: search for the others` : ''}
          </span>
        )}
      </div>
      {live.fault ? <FaultNotice fault={live.fault} retry={live.reload} /> : null}
      {live.data === null && !live.fault ? <Loading what="pipelines" /> : null}
      {live.data !== null && rows.length === 0 ? (
        search === '' ? (
          <Empty title="There is no pipeline yet">
            <Link href="/new-pipeline">Write one here</Link>, or use <code>gantry apply -f pipeline.yaml</code>.
          </Empty>
        ) : (
          <Empty title="No pipeline is called that">Search for a part of its name.</Empty>
        )
      ) : null}
      {rows.length > 0 ? <PipelineTable rows={rows} /> : null}
    </Page>
  );
}
