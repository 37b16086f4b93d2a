import { amountText } from '../../design/quantity.ts';
import type { Fill } from './node-groups.ts';

/** From here on a resource counts as nearly used up. */
const NEARLY = 0.9;

const toneOf = ({ reserved, capacity }: Fill): string =>
  reserved > capacity ? 'bad' : reserved >= NEARLY * capacity ? 'warn' : 'busy';

/** `cpu: 3 of 8 (38 %)`. */
export const fillText = ({ name, reserved, capacity }: Fill): string =>
  `${name}: ${amountText(name, reserved)} of ${amountText(name, capacity)} (${shareText(reserved, capacity)})`;

const shareText = (reserved: number, capacity: number): string =>
  `${Math.round((100 * reserved) / Math.max(capacity, 1))} %`;

/** How full each resource is, as thin bars: for tiles and rows. Said in words once for all of them. */
export function FillBars({ fills }: { readonly fills: readonly Fill[] }) {
  if (fills.length === 0) return <span className="faint">declares nothing</span>;
  const text = fills.map(fillText).join(', ');
  return (
    <span className="fill-bars" role="img" aria-label={text} title={text.replaceAll(', ', '\n')}>
      {fills.map((fill) => (
        <span key={fill.name} className={`fill-bar tone-${toneOf(fill)}`}>
          <span style={{ width: `${Math.min(100, (100 * fill.reserved) / fill.capacity)}%` }} />
        </span>
      ))}
    </span>
  );
}

/** How full each resource is, with names and amounts. */
export function FillFacts({ fills }: { readonly fills: readonly Fill[] }) {
  return (
    <dl className="fills">
      {fills.map((fill) => (
        <div key={fill.name} className={`fill tone-${toneOf(fill)}`}>
          <dt>{fill.name}</dt>
          <dd>
            <span className="strong">{amountText(fill.name, fill.reserved)}</span>{' '}
            <span className="faint">of {amountText(fill.name, fill.capacity)}</span>
          </dd>
          <span className="fill-bar" aria-hidden="true">
            <span style={{ width: `${Math.min(100, (100 * fill.reserved) / fill.capacity)}%` }} />
          </span>
          <dd className="fill-share">{shareText(fill.reserved, fill.capacity)}</dd>
        </div>
      ))}
    </dl>
  );
}
