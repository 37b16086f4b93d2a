import { useRouter } from 'next/router';
import { useEffect, useRef, useState } from 'react';
import { ask } from '../../client/ask.ts';
import { asFault, type Fault } from '../../client/fault.ts';
import { ApplyPipeline, type ApplyPipelineData } from '../../client/operations.ts';
import { ActionButton } from '../../design/action-button.tsx';
import { FaultNotice } from '../../design/notices.tsx';
import { localText } from '../../design/time.ts';
import { say } from '../../design/toast.tsx';
import { TaskGraph } from '../graph/task-graph.tsx';
import { useRefusal } from '../session/viewer.ts';
import { useDraft, type DraftedText } from './use-draft.ts';
import { YamlField } from './yaml-field.tsx';

type Result = ApplyPipelineData['applyPipeline'];
type Applied = Extract<Result, { readonly __typename: 'ApplyPipelinePayload' }>;
export type PipelineProblem = Extract<Result, { readonly __typename: 'InvalidPipeline' }>['problems'][number];

interface EditorProps {
  /** As it is now. */
  readonly text: string;
  /** The pipeline that is edited; null for a new one. */
  readonly name: string | null;
}

/** After the last letter. Milliseconds. */
const PAUSE_MS = 250;

/** A pipeline as text, checked by the server while it is written. */
export function PipelineEditor({ text: original, name }: EditorProps) {
  const router = useRouter();
  const refusal = useRefusal('AUTHOR');
  const draft = useDraft(original, name);
  const { text, offered } = draft;
  const { result, setResult, fault, checked } = useCheck(text, refusal === null);
  const problems = result?.__typename === 'InvalidPipeline' ? result.problems : [];
  const good = result?.__typename === 'ApplyPipelinePayload' ? result : null;
  const apply = async (): Promise<void> => {
    const { applyPipeline } = await ask(ApplyPipeline, { input: { yaml: text } });
    if (applyPipeline.__typename !== 'ApplyPipelinePayload') {
      setResult(applyPipeline);
      return;
    }
    const { pipelineName, number } = applyPipeline.version;
    draft.applied();
    say(applyPipeline.change === 'UNCHANGED' ? 'It says the same as before.' : `Version ${number} is applied.`);
    await router.push(`/pipelines/${encodeURIComponent(pipelineName)}`);
  };
  return (
    <div className="editor">
      <div className="stack">
        {offered === null || refusal !== null ? null : <Offer draft={draft} at={offered.at} />}
        <YamlField
          text={text}
          change={draft.change}
          problems={problems}
          isReadOnly={refusal !== null || offered !== null}
        />
        <div className="spread">
          <Verdict good={good} problems={problems} name={name} refusal={refusal} />
          <ActionButton
            look="primary"
            refusal={
              refusal ??
              (good === null ? 'Its mistakes come first.' : good.change === 'UNCHANGED' ? 'Nothing has changed.' : null)
            }
            act={apply}
          >
            Apply
          </ActionButton>
        </div>
        {draft.isOutdated ? <Meanwhile takeOver={draft.discard} /> : null}
        <DraftFacts draft={draft} original={original} isReadOnly={refusal !== null} />
        {fault ? <FaultNotice fault={fault} /> : null}
      </div>
      {checked.current === null ? null : (
        <TaskGraph
          tasks={checked.current.version.tasks}
          box={(key) => (
            <span className="graph-words">
              <span className="clip mono">{key}</span>
              <span className="clip faint">
                {checked.current?.version.tasks.find((task) => task.key === key)?.runner}
              </span>
            </span>
          )}
        />
      )}
    </div>
  );
}

/** What the server says of a text, a moment after it was typed. */
function useCheck(text: string, isOn: boolean) {
  const [result, setResult] = useState<Result | null>(null);
  const [fault, setFault] = useState<Fault | null>(null);
  const checked = useRef<Applied | null>(null);
  useEffect(() => {
    if (!isOn) return undefined;
    const ending = new AbortController();
    const timer = setTimeout(() => {
      ask(ApplyPipeline, { input: { yaml: text, dryRun: true } }, ending.signal).then(
        ({ applyPipeline }) => {
          setFault(null);
          setResult(applyPipeline);
          if (applyPipeline.__typename === 'ApplyPipelinePayload') checked.current = applyPipeline;
        },
        (error: unknown) => {
          if (!ending.signal.aborted) setFault(asFault(error));
        },
      );
    }, PAUSE_MS);
    return () => {
      clearTimeout(timer);
      ending.abort();
    };
  }, [text, isOn]);
  return { result, setResult, fault, checked };
}

const Offer = ({ draft, at }: { readonly draft: DraftedText; readonly at: number }) => (
  <div className="notice tone-warn" role="status" aria-label="Draft">
    <div>
      <strong>There is a draft from {localText(new Date(at).toISOString())} that was not applied.</strong> Restore it,
      or discard it and edit what is applied.
    </div>
    <ActionButton act={draft.discard}>Discard the draft</ActionButton>
    <ActionButton look="primary" act={draft.restore}>
      Restore the draft
    </ActionButton>
  </div>
);

interface DraftFactsProps {
  readonly draft: DraftedText;
  readonly original: string;
  readonly isReadOnly: boolean;
}

/** That what is written is kept, and how to give it up. */
function DraftFacts({ draft: { text, offered, isKept, discard }, original, isReadOnly }: DraftFactsProps) {
  if (isReadOnly || offered !== null || text === original) return null;
  return (
    <div className="spread">
      <p className="hint">
        {isKept
          ? 'Kept as a draft in this browser until it is applied.'
          : 'This browser keeps no draft of it: apply it before you leave the page.'}
      </p>
      <ActionButton look="bare" confirm="Really discard it?" act={discard}>
        Discard the draft
      </ActionButton>
    </div>
  );
}

const Meanwhile = ({ takeOver }: { readonly takeOver: () => void }) => (
  <div className="notice tone-warn" role="status">
    <div>
      <strong>Another version has been applied meanwhile.</strong> What is written here would replace it.
    </div>
    <ActionButton act={takeOver}>Show the new version</ActionButton>
  </div>
);

interface VerdictProps {
  readonly good: Applied | null;
  readonly problems: readonly PipelineProblem[];
  readonly name: string | null;
  readonly refusal: string | null;
}

function Verdict({ good, problems, name, refusal }: VerdictProps) {
  if (refusal !== null) return <p className="faint">{refusal}</p>;
  if (problems.length > 0) {
    return (
      <ul className="problems" role="status" aria-label="Mistakes">
        {problems.map(({ code, line, column, message, suggestion }, at) => (
          <li key={`${code}${at}`}>
            <span className="wrong">{line === null ? '' : `${line}:${column} `}</span>
            {message} <span className="faint">{suggestion}</span>
          </li>
        ))}
      </ul>
    );
  }
  if (good === null) return <p className="faint">Checking …</p>;
  const { change, version } = good;
  const isOther = name !== null && version.pipelineName !== name;
  const words = {
    CREATED: 'This makes a new pipeline',
    CHANGED: 'This makes a new version of',
    UNCHANGED: 'This is as it was:',
  };
  return (
    <p role="status">
      {words[change]} <strong>{version.pipelineName}</strong>.{' '}
      {isOther ? <span className="wrong">It has another name than {name}, which stays as it is.</span> : null}
    </p>
  );
}
