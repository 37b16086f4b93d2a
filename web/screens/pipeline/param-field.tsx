import { useId } from 'react';
import type { Param } from './param-value.ts';

interface ParamFieldProps {
  readonly param: Param;
  readonly text: string;
  readonly problem: string | null;
  readonly change: (text: string) => void;
}

/** One param, by its type. */
export function ParamField({
  param: { name, type, description, isRequired, options },
  text,
  problem,
  change,
}: ParamFieldProps) {
  const id = useId();
  const shared = {
    id,
    className: 'input',
    'aria-invalid': problem !== null,
    'aria-describedby': `${id}hint`,
    'aria-required': isRequired,
    value: text,
  };
  return (
    <div className="field">
      <label htmlFor={id}>
        <span className="mono">{name}</span> <span className="faint">{type}</span>
        {isRequired ? <span className="faint"> · needed</span> : null}
      </label>
      {options !== null || type === 'boolean' ? (
        <select {...shared} onChange={({ target }) => change(target.value)}>
          {isRequired && text !== '' ? null : <option value="">{isRequired ? 'Choose …' : 'the default'}</option>}
          {(options ?? [true, false]).map((option) => (
            <option key={JSON.stringify(option)} value={JSON.stringify(option)}>
              {typeof option === 'string' ? option : JSON.stringify(option)}
            </option>
          ))}
        </select>
      ) : type === 'json' ? (
        <textarea
          {...shared}
          className="input mono"
          rows={Math.min(10, Math.max(3, text.split('\n').length))}
          spellCheck={false}
          onChange={({ target }) => change(target.value)}
        />
      ) : (
        <input
          {...shared}
          inputMode={type === 'string' ? 'text' : 'decimal'}
          onChange={({ target }) => change(target.value)}
        />
      )}
      <p id={`${id}hint`} className={problem === null ? 'hint' : 'wrong'} role={problem === null ? undefined : 'alert'}>
        {problem ?? description}
      </p>
    </div>
  );
}
