import { useId, useMemo, useState } from 'react';
import type { Json } from '../client/operation.ts';
import { RecordInput } from './record-input.tsx';
import { draftOf, readDraft, type Config, type FieldDraft, type FormDraft, type ReadDraft } from './schema-draft.ts';
import { fieldsOf, type SchemaField } from './schema-fields.ts';

/** A form for a config, and what has been filled in. */
export interface SchemaFormState extends ReadDraft {
  readonly fields: readonly SchemaField[];
  readonly draft: FormDraft;
  readonly change: (name: string, next: Partial<FieldDraft>) => void;
}

/** A form made from a JSON Schema. Begins anew, with its `config` filled in, whenever `begin` or the schema is another. */
export function useSchemaForm(schema: Json, begin: { readonly config: Config }): SchemaFormState {
  const fields = useMemo(() => fieldsOf(schema), [schema]);
  const first = useMemo(() => draftOf(fields, begin.config), [fields, begin]);
  const [kept, setKept] = useState({ first, draft: first });
  const draft = kept.first === first ? kept.draft : first;
  const read = useMemo(() => readDraft(fields, draft), [fields, draft]);
  return {
    fields,
    draft,
    ...read,
    change: (name, next) => setKept({ first, draft: { ...draft, [name]: { ...draft[name]!, ...next } } }),
  };
}

interface SchemaFormProps {
  readonly form: SchemaFormState;
  /** By field, what the server says is wrong. */
  readonly faults?: Readonly<Record<string, string>>;
  readonly isOff?: boolean;
}

/** The fields of a form, with what each means, what it is unless told, and what is wrong with it. */
export function SchemaForm({ form, faults = {}, isOff = false }: SchemaFormProps) {
  if (form.fields.length === 0) return <p className="faint">It has nothing to set.</p>;
  return (
    <div className="schema-form">
      {form.fields.map((field) => (
        <Field
          key={field.name}
          field={field}
          draft={form.draft[field.name]!}
          problem={form.problems[field.name] ?? faults[field.name] ?? null}
          isOff={isOff}
          change={(next) => form.change(field.name, next)}
        />
      ))}
    </div>
  );
}

interface FieldProps {
  readonly field: SchemaField;
  readonly draft: FieldDraft;
  readonly problem: string | null;
  readonly isOff: boolean;
  readonly change: (next: Partial<FieldDraft>) => void;
}

function Field({ field, draft, problem, isOff, change }: FieldProps) {
  const id = useId();
  const { name, kind, description, isRequired, isNullable } = field;
  const isGroup = kind === 'RECORD';
  const title = (
    <>
      <span className="mono">{name === '' ? 'config' : name}</span>
      {isRequired && name !== '' ? <span className="faint"> needed</span> : null}
    </>
  );
  return (
    <div className="field" role={isGroup ? 'group' : undefined} aria-labelledby={isGroup ? `${id}name` : undefined}>
      {isGroup ? (
        <span id={`${id}name`} className="label">
          {title}
        </span>
      ) : (
        <label htmlFor={id}>{title}</label>
      )}
      <div className="schema-value">
        <Value field={field} draft={draft} id={id} isWrong={problem !== null} isOff={isOff} change={change} />
        {isNullable ? (
          <label className="choice">
            <input
              type="checkbox"
              checked={draft.isNull}
              disabled={isOff}
              onChange={({ target }) => change({ isNull: target.checked })}
            />
            <span className="mono">null</span>
            <span className="visually-hidden">for {name}</span>
          </label>
        ) : null}
      </div>
      {problem === null ? null : (
        <p id={`${id}wrong`} className="wrong" role="alert">
          {problem}
        </p>
      )}
      <p id={`${id}hint`} className="hint">
        {description} {standardText(field)}
      </p>
    </div>
  );
}

function standardText({ standard, name }: SchemaField): string {
  if (standard === undefined || name === '') return '';
  const text = typeof standard === 'string' ? standard : JSON.stringify(standard);
  return text === '{}' || text === '[]' ? '' : `Default: ${text}.`;
}

interface ValueProps extends Omit<FieldProps, 'problem'> {
  readonly id: string;
  readonly isWrong: boolean;
}

function Value({ field: { kind, name, choices, standard }, draft, id, isWrong, isOff, change }: ValueProps) {
  const common = {
    id,
    disabled: isOff || draft.isNull,
    'aria-invalid': isWrong,
    'aria-describedby': `${isWrong ? `${id}wrong ` : ''}${id}hint`,
  };
  const onChange = ({ target }: { readonly target: { readonly value: string } }): void =>
    change({ text: target.value });
  if (kind === 'RECORD') return <RecordInput of={name} draft={draft} isOff={isOff} isWrong={isWrong} change={change} />;
  if (kind === 'BOOLEAN') {
    return (
      <select className="input" {...common} value={draft.text} onChange={onChange}>
        <option value="false">No</option>
        <option value="true">Yes</option>
      </select>
    );
  }
  if (kind === 'CHOICE') {
    return (
      <select className="input" {...common} value={draft.text} onChange={onChange}>
        {standard === undefined ? <option value="">–</option> : null}
        {choices.map((choice) => (
          <option key={choice}>{choice}</option>
        ))}
      </select>
    );
  }
  if (kind === 'JSON') {
    const rows = Math.min(12, Math.max(3, draft.text.split('\n').length));
    return (
      <textarea
        className="input mono"
        {...common}
        rows={rows}
        spellCheck={false}
        value={draft.text}
        onChange={onChange}
      />
    );
  }
  const isNumber = kind === 'NUMBER' || kind === 'INTEGER';
  return (
    <input
      className="input mono"
      {...common}
      type="text"
      inputMode={isNumber ? 'decimal' : 'text'}
      autoComplete="off"
      spellCheck={false}
      value={draft.isNull ? '' : draft.text}
      onChange={onChange}
    />
  );
}
