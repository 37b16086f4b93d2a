import Link from 'next/link';
import { useRouter } from 'next/router';
import { useState } from 'react';
import { act } from '../../client/act.ts';
import { DeletePipeline, PausePipeline, ResumePipeline } from '../../client/operations.ts';
import { useAddress } from '../../client/use-address.ts';
import { ActionButton } from '../../design/action-button.tsx';
import { FaultNotice, Loading } from '../../design/notices.tsx';
import { Page } from '../../design/page.tsx';
import { Tabs } from '../../design/tabs.tsx';
import { say } from '../../design/toast.tsx';
import { TaskGraph } from '../graph/task-graph.tsx';
import { PipelineRuns } from './pipeline-runs.tsx';
import { useRefusal } from '../session/viewer.ts';
import { ParamForm } from './param-form.tsx';
import { PipelineEditor } from './pipeline-editor.tsx';
import { PipelineGrid } from './pipeline-grid.tsx';
import { PipelineVersions, textOf } from './pipeline-versions.tsx';
import { usePipeline, type PipelineView } from './use-pipeline.ts';

type PipelineTab = 'graph' | 'grid' | 'runs' | 'versions' | 'yaml';
const TABS: readonly { readonly name: PipelineTab; readonly title: string }[] = [
  { name: 'graph', title: 'Graph' },
  { name: 'grid', title: 'Grid' },
  { name: 'runs', title: 'Runs' },
  { name: 'versions', title: 'Versions' },
  { name: 'yaml', title: 'YAML' },
];

/** A pipeline: what it is made of, how it has done, and what can be done with it. */
export function PipelineScreen({ name }: { readonly name: string }) {
  const live = usePipeline(name);
  const [read, write] = useAddress();
  const tab = TABS.find((each) => each.name === read('tab'))?.name ?? 'graph';
  const pipeline = live.data;
  if (pipeline === null || pipeline.version === null) {
    return (
      <Page title={name} above={{ href: '/pipelines', name: 'Pipelines' }}>
        {live.fault ? <FaultNotice fault={live.fault} retry={live.reload} /> : <Loading what="the pipeline" />}
      </Page>
    );
  }
  const { version, paused } = pipeline;
  const runners = new Map(version.tasks.map((task) => [task.key, task]));
  return (
    <Page
      title={name}
      above={{ href: '/pipelines', name: 'Pipelines' }}
      beside={
        <>
          {paused ? <span className="badge tone-held">Paused</span> : null}
          <span className="faint">
            version {version.number} · pool{' '}
            <Link href={`/queue?pool=${encodeURIComponent(version.pool)}`}>{version.pool}</Link>
          </span>
        </>
      }
      actions={<PipelineActions pipeline={pipeline} reload={live.reload} />}
    >
      {version.description === '' ? null : <p className="faint">{version.description}</p>}
      <Tabs<PipelineTab> label="Views of the pipeline" tabs={TABS} chosen={tab} choose={(next) => write({ tab: next })}>
        {tab === 'graph' ? (
          <TaskGraph
            tasks={version.tasks}
            box={(key) => (
              <span className="graph-words" title={runners.get(key)?.description}>
                <span className="clip mono">{key}</span>
                <span className="clip faint">
                  {runners.get(key)?.runner}
                  {runners.get(key)?.forEach === null ? '' : ' · for each'}
                </span>
              </span>
            )}
          />
        ) : null}
        {tab === 'grid' ? <PipelineGrid name={name} tasks={version.tasks.map(({ key }) => key)} /> : null}
        {tab === 'runs' ? <PipelineRuns name={name} /> : null}
        {tab === 'versions' ? <PipelineVersions key={version.number} name={name} latest={version.number} /> : null}
        {tab === 'yaml' ? <PipelineEditor name={name} text={textOf(version)} /> : null}
      </Tabs>
    </Page>
  );
}

function PipelineActions({ pipeline, reload }: { readonly pipeline: PipelineView; readonly reload: () => void }) {
  const { name, paused, version } = pipeline;
  const router = useRouter();
  const mayOperate = useRefusal('OPERATOR');
  const mayWrite = useRefusal('AUTHOR');
  const [isRunning, setRunning] = useState(false);
  const remove = async (): Promise<void> => {
    await act(DeletePipeline, { input: { name } });
    say(`${name} is deleted. Its runs are kept.`);
    await router.push('/pipelines');
  };
  return (
    <>
      <ActionButton look="danger" refusal={mayWrite} confirm="Really delete?" act={remove}>
        Delete
      </ActionButton>
      <ActionButton
        refusal={mayOperate}
        act={async () => {
          await (paused ? act(ResumePipeline, { input: { name } }) : act(PausePipeline, { input: { name } }));
          reload();
        }}
      >
        {paused ? 'Resume' : 'Pause'}
      </ActionButton>
      <ActionButton
        look="primary"
        refusal={mayOperate ?? (paused ? 'It is paused: resume it first.' : null)}
        act={() => setRunning(true)}
      >
        Run now
      </ActionButton>
      {isRunning ? <ParamForm pipeline={name} params={version?.params ?? []} close={() => setRunning(false)} /> : null}
    </>
  );
}
