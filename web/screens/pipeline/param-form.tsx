import { useState, type FormEvent } from 'react';
import { useRouter } from 'next/router';
import { ask } from '../../client/ask.ts';
import { TriggerRun, type TriggerRunData } from '../../client/operations.ts';
import type { Json } from '../../client/operation.ts';
import { Dialog } from '../../design/dialog.tsx';
import { complain, say } from '../../design/toast.tsx';
import { ParamField } from './param-field.tsx';
import { readParam, startingText, type Param } from './param-value.ts';

interface ParamFormProps {
  readonly pipeline: string;
  readonly params: readonly Param[];
  readonly close: () => void;
}

type Problem = Extract<TriggerRunData['triggerRun'], { readonly problems: unknown }>['problems'][number];

/** Asks for the params of a run, and begins it. */
export function ParamForm({ pipeline, params, close }: ParamFormProps) {
  const router = useRouter();
  const [texts, setTexts] = useState(() => new Map(params.map((param) => [param.name, startingText(param)])));
  const [problems, setProblems] = useState<ReadonlyMap<string, string>>(new Map());
  const [priority, setPriority] = useState('');
  const [isBusy, setBusy] = useState(false);
  const submit = async (event: FormEvent): Promise<void> => {
    event.preventDefault();
    if (isBusy) return;
    const wrong = new Map<string, string>();
    const values: Record<string, Json> = {};
    for (const param of params) {
      const read = readParam(param, texts.get(param.name) ?? '');
      if (read.problem !== undefined) wrong.set(param.name, read.problem);
      else if (read.value !== undefined) values[param.name] = read.value;
    }
    setProblems(wrong);
    if (wrong.size > 0) return;
    setBusy(true);
    try {
      const rank = priority === '' ? {} : { priority: Number(priority) };
      const { triggerRun: result } = await ask(TriggerRun, { input: { pipeline, params: values, ...rank } });
      if (result.__typename === 'TriggerRunPayload') {
        say(`Run ${result.run.id} has begun.`);
        close();
        await router.push(`/runs/${result.run.id}`);
      } else if (result.__typename === 'InvalidParams') {
        setProblems(new Map(result.problems.map((problem) => [problem.path[0] ?? '', textOf(problem)])));
      } else complain(new Error(result.message));
    } catch (error) {
      complain(error);
    } finally {
      setBusy(false);
    }
  };
  return (
    <Dialog title={`Run ${pipeline}`} close={close}>
      <form className="stack" noValidate onSubmit={(event) => void submit(event)}>
        {params.length === 0 ? <p className="faint">It takes no params.</p> : null}
        {params.map((param) => (
          <ParamField
            key={param.name}
            param={param}
            text={texts.get(param.name) ?? ''}
            problem={problems.get(param.name) ?? null}
            change={(text) => setTexts((before) => new Map(before).set(param.name, text))}
          />
        ))}
        <div className="field">
          <label htmlFor="priority">Priority</label>
          <input
            id="priority"
            className="input"
            type="number"
            step="1"
            placeholder="as the pipeline says"
            value={priority}
            onChange={({ target }) => setPriority(target.value)}
          />
          <p className="hint">Higher goes first where the pool’s scheduler heeds it.</p>
        </div>
        {problems.has('') ? (
          <p className="wrong" role="alert">
            {problems.get('')}
          </p>
        ) : null}
        <div className="actions end">
          <button type="button" className="button" onClick={close}>
            Not now
          </button>
          <button type="submit" className="button primary" aria-disabled={isBusy}>
            Run
          </button>
        </div>
      </form>
    </Dialog>
  );
}

const textOf = ({ message, remedy }: Problem): string => (remedy === null ? message : `${message} ${remedy}`);
