import { useId, useState } from 'react';
import { ask } from '../../client/ask.ts';
import {
  PoolNodeNames,
  SimulatePlacement,
  type PoolRow,
  type SchedulerPlugin,
  type SimulatePlacementData,
  type SimulatePlacementInput,
} from '../../client/operations.ts';
import { useQuery } from '../../client/use-query.ts';
import { ActionButton } from '../../design/action-button.tsx';
import { ChoiceForm, configOf, useChoice } from './choice-form.tsx';
import { countOf, pairsOf } from './pairs.ts';
import { SimulationResult } from './simulation-result.tsx';

interface SimulationTabProps {
  readonly pool: PoolRow;
  readonly plugins: readonly SchedulerPlugin[];
}

interface Supposed {
  readonly tasks: string;
  readonly resources: string;
  readonly selector: string;
  readonly runner: string;
  readonly nodes: string;
  readonly like: string;
  readonly capacity: string;
  readonly labels: string;
}

const NOTHING: Supposed = {
  tasks: '',
  resources: 'cpu=1',
  selector: '',
  runner: 'shell',
  nodes: '',
  like: '',
  capacity: '',
  labels: '',
};

/** What placement would come to if some things were otherwise: decided by what decides in earnest, with no effect. */
export function SimulationTab({ pool, plugins }: SimulationTabProps) {
  const { data } = useQuery(PoolNodeNames, { pool: pool.name });
  const names = data?.nodes.nodes.map(({ name }) => name) ?? [];
  const [supposed, setSupposed] = useState(NOTHING);
  const [without, setWithout] = useState<ReadonlySet<string>>(new Set());
  const [isOther, setOther] = useState(false);
  const [result, setResult] = useState<SimulatePlacementData['simulatePlacement'] | null>(null);
  const [initial] = useState({ scheduler: pool.scheduler.name, config: configOf(pool.scheduler.config) });
  const choice = useChoice(plugins, initial);
  const change = (next: Partial<Supposed>): void => setSupposed((before) => ({ ...before, ...next }));
  const simulate = async (): Promise<void> => {
    const input: SimulatePlacementInput = {
      pool: pool.name,
      ...changesOf(supposed),
      removeNodes: [...without],
      ...(isOther ? { scheduler: choice.choice.scheduler, config: choice.choice.config } : {}),
    };
    setResult((await ask(SimulatePlacement, { input })).simulatePlacement);
  };
  return (
    <div className="two-columns">
      <div className="stack">
        <fieldset className="panel panel-body stack">
          <legend className="label">More tasks</legend>
          <div className="small-fields">
            <Text label="How many" text={supposed.tasks} change={(tasks) => change({ tasks })} hint="none" />
            <Text label="Runner" text={supposed.runner} change={(runner) => change({ runner })} hint="shell" />
          </div>
          <Text
            label="Each needs"
            text={supposed.resources}
            change={(resources) => change({ resources })}
            hint="cpu=1, memory=2Gi, gpu=0.5"
          />
          <Text
            label="Only on nodes with"
            text={supposed.selector}
            change={(selector) => change({ selector })}
            hint="zone=a"
          />
        </fieldset>
        <fieldset className="panel panel-body stack">
          <legend className="label">More nodes</legend>
          <div className="small-fields">
            <Text label="How many" text={supposed.nodes} change={(nodes) => change({ nodes })} hint="none" />
            <Text
              label="Like the node"
              text={supposed.like}
              change={(like) => change({ like })}
              hint={names[0] ?? ''}
            />
          </div>
          <Text
            label="Each has"
            text={supposed.capacity}
            change={(capacity) => change({ capacity })}
            hint="as the node that they are like, or cpu=8, memory=32Gi, slots=64"
          />
          <Text label="With the labels" text={supposed.labels} change={(labels) => change({ labels })} hint="zone=a" />
        </fieldset>
        <fieldset className="panel panel-body">
          <legend className="label">Without the nodes</legend>
          <div className="choices">
            {names.map((name) => (
              <label key={name} className="choice">
                <input
                  type="checkbox"
                  checked={without.has(name)}
                  onChange={({ target }) => {
                    const next = new Set(without);
                    if (target.checked) next.add(name);
                    else next.delete(name);
                    setWithout(next);
                  }}
                />
                <span className="mono">{name}</span>
              </label>
            ))}
          </div>
        </fieldset>
        <div className="panel panel-body stack">
          <label className="choice">
            <input type="checkbox" checked={isOther} onChange={({ target }) => setOther(target.checked)} />
            With another scheduler or config
          </label>
          {isOther ? <ChoiceForm state={choice} label="Scheduler" active={pool.scheduler.name} /> : null}
        </div>
        <div className="actions">
          <ActionButton look="primary" refusal={isOther ? choice.problem : null} act={simulate}>
            Simulate
          </ActionButton>
          <span className="faint">Nothing is placed in earnest.</span>
        </div>
      </div>
      {result === null ? null : <SimulationResult result={result} />}
    </div>
  );
}

/** Throws with what is wrong. */
function changesOf(supposed: Supposed): Pick<SimulatePlacementInput, 'addTasks' | 'addNodes'> {
  const { tasks, runner, resources, selector, nodes, like, capacity, labels } = supposed;
  const nodeSelector = pairsOf(selector, 'Only on nodes with');
  const task = { runner, resources: pairsOf(resources, 'Each needs'), nodeSelector };
  const node = {
    name: 'supposed',
    ...(like.trim() === '' ? {} : { like: like.trim() }),
    ...(capacity.trim() === '' ? {} : { capacity: pairsOf(capacity, 'Each has'), runners: [runner] }),
    ...(labels.trim() === '' ? {} : { labels: pairsOf(labels, 'With the labels') }),
  };
  return {
    ...(tasks.trim() === '' ? {} : { addTasks: [{ task, count: countOf(tasks, 'How many tasks') }] }),
    ...(nodes.trim() === '' ? {} : { addNodes: [{ ...node, count: countOf(nodes, 'How many nodes') }] }),
  };
}

interface TextProps {
  readonly label: string;
  readonly text: string;
  readonly hint: string;
  readonly change: (text: string) => void;
}

function Text({ label, text, hint, change }: TextProps) {
  const id = useId();
  return (
    <div className="field">
      <label htmlFor={id}>{label}</label>
      <input
        id={id}
        className="input"
        value={text}
        placeholder={hint}
        onChange={({ target }) => change(target.value)}
      />
    </div>
  );
}
