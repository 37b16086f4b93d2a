import { TaskRunConfig, type TaskRunDetailData } from '../../client/operations.ts';
import type { Json } from '../../client/operation.ts';
import { useQuery } from '../../client/use-query.ts';
import { Fact } from '../../design/fact.tsx';
import { JsonView } from '../../design/json-view.tsx';
import { FaultNotice, Loading } from '../../design/notices.tsx';
import { isoDurationText } from '../../design/time.ts';

interface TaskConfigProps {
  readonly id: string;
  readonly task: NonNullable<TaskRunDetailData['taskRun']>['task'];
  readonly hasRun: boolean;
}

/** What a task run is made of, and what it was executed with. */
export function TaskConfig({ id, task, hasRun }: TaskConfigProps) {
  if (task === null) return <p className="faint">Its pipeline’s version is not kept any more.</p>;
  const { runner, description, resources, timeout, killGrace, retry, nodeSelector, tolerations, needs } = task;
  return (
    <div className="stack">
      {description === '' ? null : <p>{description}</p>}
      <dl className="facts">
        <Fact name="Runner">{runner}</Fact>
        <Fact name="Needs">{needs.length === 0 ? 'nothing' : needs.join(', ')}</Fact>
        <Fact name="Resources">
          {resources.map(({ name, quantity }) => `${quantity} ${name}`).join(', ') || 'none'}
        </Fact>
        <Fact name="Timeout">{timeout === null ? 'none' : isoDurationText(timeout)}</Fact>
        <Fact name="Grace before it is killed">{isoDurationText(killGrace)}</Fact>
        <Fact name="Retries">
          {retry.max === 0 ? 'none' : `${retry.max}, ${retry.backoff}, from ${isoDurationText(retry.delay)}`}
        </Fact>
        {nodeSelector.length === 0 ? null : (
          <Fact name="Only on">{nodeSelector.map(({ key, value }) => `${key}=${value}`).join(', ')}</Fact>
        )}
        {tolerations.length === 0 ? null : <Fact name="Tolerates">{tolerations.map(({ key }) => key).join(', ')}</Fact>}
      </dl>
      <Filled id={id} task={task} hasRun={hasRun} />
    </div>
  );
}

interface FilledProps extends TaskConfigProps {
  readonly task: NonNullable<TaskConfigProps['task']>;
}

/** With params, outputs and its item filled in; as the pipeline has it where that cannot be said. */
function Filled({ id, task, hasRun }: FilledProps) {
  const { data, fault, reload } = useQuery(TaskRunConfig, { id });
  if (fault) return <FaultNotice fault={fault} retry={reload} />;
  if (data === null) return <Loading what="its config" />;
  const config = data.taskRunConfig;
  const isFilled = config !== null && config.problem === null;
  const env = isFilled ? config.env : Object.fromEntries(task.env.map(({ key, value }) => [key, value]));
  return (
    <>
      <p className="faint">
        {isFilled
          ? `${hasRun ? 'As it ran' : 'As it will run'}: params, outputs and items are filled in; where a secret goes, its name stands.`
          : `As the pipeline has it. ${config?.problem?.message ?? ''}`}
      </p>
      {isFilled && config.item !== null ? (
        <section>
          <h3>item</h3>
          <JsonView value={config.item} empty="Nothing." />
        </section>
      ) : null}
      <section>
        <h3>with</h3>
        <WithView value={isFilled ? config.with : task.with} />
      </section>
      {isEmpty(env) ? null : (
        <section>
          <h3>env</h3>
          <JsonView value={env} empty="Nothing." />
        </section>
      )}
    </>
  );
}

const isEmpty = (value: Json): boolean => value === null || Object.keys(value).length === 0;

/** A command of several lines stands as it is written; everything else is JSON. */
function WithView({ value }: { readonly value: Json }) {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    return <JsonView value={value} empty="Nothing." />;
  const entries = Object.entries(value);
  const texts = entries.filter(
    (entry): entry is [string, string] => typeof entry[1] === 'string' && entry[1].includes('\n'),
  );
  const others = Object.fromEntries(entries.filter(([, each]) => typeof each !== 'string' || !each.includes('\n')));
  return (
    <>
      {texts.map(([name, text]) => (
        <div key={name}>
          <h4 className="mono">{name}</h4>
          <pre className="code">{text}</pre>
        </div>
      ))}
      {texts.length > 0 && isEmpty(others) ? null : <JsonView value={others} empty="Nothing." />}
    </>
  );
}
