import { useId, useState } from 'react';
import type { Json } from '../../client/operation.ts';
import type { SchedulerPlugin } from '../../client/operations.ts';
import type { Config } from '../../design/schema-draft.ts';
import { SchemaForm, useSchemaForm, type SchemaFormState } from '../../design/schema-form.tsx';
import type { Choice } from './swap.ts';

/** A scheduler that is being chosen, with its config. */
export interface ChoiceState {
  readonly plugins: readonly SchedulerPlugin[];
  readonly choice: Choice;
  readonly form: SchemaFormState;
  /** Why it cannot be handed in; null when it can. */
  readonly problem: string | null;
  readonly choose: (scheduler: string) => void;
  /** Fills in a scheduler with its config. */
  readonly fill: (choice: Choice) => void;
}

const NO_CONFIG: Config = {};

/** The config of a scheduler as an object: what else the server may say is none. */
export const configOf = (config: Json): Config =>
  typeof config === 'object' && config !== null && !Array.isArray(config) ? (config as Config) : NO_CONFIG;

/** Chooses a scheduler and its config, beginning with `initial`. Another scheduler begins with its defaults. */
export function useChoice(plugins: readonly SchedulerPlugin[], initial: Choice): ChoiceState {
  const [begin, fill] = useState(initial);
  const { scheduler } = begin;
  const plugin = plugins.find(({ name }) => name === scheduler);
  const form = useSchemaForm(plugin?.configSchema ?? null, begin);
  const choose = (name: string): void =>
    fill(name === initial.scheduler ? initial : { scheduler: name, config: NO_CONFIG });
  const wrong = Object.keys(form.problems);
  const problem =
    wrong.length === 0 ? null : `Put right first: ${wrong.map((name) => (name === '' ? 'config' : name)).join(', ')}.`;
  return { plugins, choice: { scheduler, config: form.config }, form, problem, choose, fill };
}

interface ChoiceFormProps {
  readonly state: ChoiceState;
  readonly label: string;
  /** What stands beside the name of the scheduler that is at work. */
  readonly active?: string | undefined;
  readonly faults?: Readonly<Record<string, string>>;
  readonly isOff?: boolean;
}

/** Which scheduler, and the fields of its config. */
export function ChoiceForm({ state, label, active, faults = {}, isOff = false }: ChoiceFormProps) {
  const id = useId();
  const { plugins, choice, form, choose } = state;
  const plugin = plugins.find(({ name }) => name === choice.scheduler);
  return (
    <div className="stack">
      <div className="field">
        <label htmlFor={id}>{label}</label>
        <select
          id={id}
          className="input"
          aria-describedby={`${id}hint`}
          disabled={isOff}
          value={choice.scheduler}
          onChange={({ target }) => choose(target.value)}
        >
          {plugin === undefined ? <option value={choice.scheduler}>{choice.scheduler}</option> : null}
          {plugins
            .filter(({ state: each, name }) => each === 'LOADED' || name === choice.scheduler)
            .map(({ name }) => (
              <option key={name} value={name}>
                {name}
                {name === active ? ' (at work)' : ''}
              </option>
            ))}
        </select>
        <p id={`${id}hint`} className="hint">
          {plugin?.summary ?? 'This server does not know this scheduler.'}
        </p>
      </div>
      <SchemaForm form={form} faults={faults} isOff={isOff} />
      {faults[''] === undefined ? null : (
        <p className="wrong" role="alert">
          {faults['']}
        </p>
      )}
    </div>
  );
}
