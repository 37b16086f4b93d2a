import { useEffect, useState } from 'react';
import { useAddress } from '../../client/use-address.ts';

/** What is written down, as the server calls it. */
const ACTIONS = [
  'pipeline.apply',
  'pipeline.delete',
  'run.trigger',
  'run.cancel',
  'run.pause',
  'run.resume',
  'run.retry',
  'node.cordon',
  'node.uncordon',
  'pool.update',
  'pool.default',
  'token.create',
  'token.revoke',
] as const;

/** Which records are shown; kept in the address. */
export function AuditFilters() {
  const [read, write] = useAddress();
  const action = read('action') ?? '';
  return (
    <div className="filters" role="group" aria-label="Filters">
      <select
        className="input"
        aria-label="Only this action"
        value={action}
        onChange={({ target }) => write({ action: target.value })}
      >
        <option value="">Every action</option>
        {/* The address may name one that this page does not know. */}
        {action === '' || ACTIONS.some((each) => each === action) ? null : <option>{action}</option>}
        {ACTIONS.map((each) => (
          <option key={each}>{each}</option>
        ))}
      </select>
      <ExactFilter name="actor" label="Only done by" placeholder="By: a token’s name" />
      <ExactFilter name="subject" label="Only done to" placeholder="To: a name or id" />
      {['action', 'actor', 'subject'].some((name) => read(name)) ? (
        <button
          type="button"
          className="button bare chip-button"
          onClick={() => write({ action: null, actor: null, subject: null })}
        >
          Show all
        </button>
      ) : null}
    </div>
  );
}

interface ExactFilterProps {
  readonly name: 'actor' | 'subject';
  readonly label: string;
  readonly placeholder: string;
}

/** The server finds only what is exactly so: nothing is asked before the word is whole. */
function ExactFilter({ name, label, placeholder }: ExactFilterProps) {
  const [read, write] = useAddress();
  const given = read(name) ?? '';
  const [text, setText] = useState(given);
  useEffect(() => setText(given), [given]);
  const finish = (): void => {
    if (text.trim() !== given) write({ [name]: text.trim() });
  };
  return (
    <input
      className="input"
      type="search"
      aria-label={label}
      placeholder={placeholder}
      value={text}
      onChange={({ target }) => setText(target.value)}
      onBlur={finish}
      onKeyDown={({ key }) => {
        if (key === 'Enter') finish();
      }}
    />
  );
}
