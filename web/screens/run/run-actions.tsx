import { useRouter } from 'next/router';
import { useState } from 'react';
import { act } from '../../client/act.ts';
import {
  CancelRun,
  DeleteRun,
  PauseRun,
  ResumeRun,
  RetryRun,
  type RetryRunInput,
  type RunRow,
} from '../../client/operations.ts';
import { ActionButton } from '../../design/action-button.tsx';
import { Dialog } from '../../design/dialog.tsx';
import { say } from '../../design/toast.tsx';
import { useRefusal } from '../session/viewer.ts';
import type { RunView } from './live-run.ts';

interface RunActionsProps {
  readonly view: RunView;
  /** Told what the run is then, before the feed says so. */
  readonly changed: (run: RunRow) => void;
}

/** What can be done with a run. */
export function RunActions({ view: { run, taskRuns }, changed }: RunActionsProps) {
  const router = useRouter();
  const refusal = useRefusal('OPERATOR');
  const deletion = useRefusal('ADMIN');
  const [isChoosing, setChoosing] = useState(false);
  const { id, state, isFinished, version } = run;
  const ended = refusal ?? (isFinished ? 'The run has ended.' : null);
  const notEnded = refusal ?? (isFinished ? null : 'The run has not ended yet.');
  const hasFailed = taskRuns.some((taskRun) => ['FAILED', 'UPSTREAM_FAILED', 'CANCELLED'].includes(taskRun.state));
  const retry = async (input: Omit<RetryRunInput, 'id'>): Promise<void> => {
    const { run: next } = await act(RetryRun, { input: { id, ...input } });
    say(`Run ${next.id} has begun.`);
    await router.push(`/runs/${next.id}`);
  };
  const remove = async (): Promise<void> => {
    await act(DeleteRun, { input: { id } });
    say(`Run ${id} is deleted.`);
    await router.push('/runs');
  };
  return (
    <>
      {isFinished ? null : state === 'PAUSED' ? (
        <ActionButton refusal={refusal} act={async () => changed((await act(ResumeRun, { input: { id } })).run)}>
          Resume
        </ActionButton>
      ) : (
        <ActionButton
          refusal={refusal ?? (state === 'CANCELLING' ? 'The run is being cancelled.' : null)}
          act={async () => changed((await act(PauseRun, { input: { id } })).run)}
        >
          Pause
        </ActionButton>
      )}
      <ActionButton
        look="danger"
        confirm="Really cancel?"
        refusal={ended ?? (state === 'CANCELLING' ? 'It is being cancelled already.' : null)}
        act={async () => changed((await act(CancelRun, { input: { id } })).run)}
      >
        Cancel
      </ActionButton>
      {isFinished ? (
        <ActionButton look="danger" confirm="Delete for ever?" refusal={deletion} act={remove}>
          Delete
        </ActionButton>
      ) : null}
      <ActionButton refusal={notEnded} act={() => setChoosing(true)}>
        Retry tasks …
      </ActionButton>
      <ActionButton
        look="primary"
        refusal={notEnded ?? (hasFailed ? null : 'Nothing failed: choose tasks to do again.')}
        act={() => retry({ from: 'FAILED' })}
      >
        Retry from failure
      </ActionButton>
      {isChoosing ? (
        <RetryDialog
          tasks={version?.tasks.map(({ key }) => key) ?? []}
          close={() => setChoosing(false)}
          retry={retry}
        />
      ) : null}
    </>
  );
}

interface RetryDialogProps {
  readonly tasks: readonly string[];
  readonly close: () => void;
  readonly retry: (input: Omit<RetryRunInput, 'id'>) => Promise<void>;
}

function RetryDialog({ tasks, close, retry }: RetryDialogProps) {
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());
  return (
    <Dialog title="Retry which tasks?" close={close}>
      <p className="faint">
        The chosen tasks and all that need them are done again. What else succeeded is taken over.
      </p>
      <fieldset className="choices">
        <legend className="visually-hidden">Tasks</legend>
        {tasks.map((key) => (
          <label key={key} className="choice">
            <input
              type="checkbox"
              checked={chosen.has(key)}
              onChange={({ target }) => {
                const next = new Set(chosen);
                if (target.checked) next.add(key);
                else next.delete(key);
                setChosen(next);
              }}
            />
            <span className="mono">{key}</span>
          </label>
        ))}
      </fieldset>
      <div className="actions end">
        <ActionButton act={() => retry({ from: 'ALL' }).then(close)}>Everything</ActionButton>
        <ActionButton
          look="primary"
          refusal={chosen.size === 0 ? 'Choose a task first.' : null}
          act={() => retry({ from: 'TASKS', tasks: [...chosen] }).then(close)}
        >
          Retry {chosen.size === 0 ? '' : chosen.size}
        </ActionButton>
      </div>
    </Dialog>
  );
}
