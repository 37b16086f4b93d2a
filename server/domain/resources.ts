import type { Reason, Resources } from '@gantry/plugin-kit/vocabulary';
import { excerpt } from './excerpt.ts';

/** The amount in the resource's unit (millicores, bytes, whole units), or why the text is no quantity. */
export type ParsedQuantity =
  { readonly ok: true; readonly amount: number } | { readonly ok: false; readonly reason: Reason };

const BINARY = ['Ki', 'Mi', 'Gi', 'Ti', 'Pi', 'Ei'] as const;
const DECIMAL = ['k', 'M', 'G', 'T', 'P', 'E'] as const;
const MULTIPLES: ReadonlyMap<string, bigint> = new Map([
  ['', 1n],
  ...BINARY.map((suffix, at) => [suffix, 1024n ** BigInt(at + 1)] as const),
  ...DECIMAL.map((suffix, at) => [suffix, 1000n ** BigInt(at + 1)] as const),
]);
const QUANTITY = /^(\d{1,20})(?:\.(\d{1,15}))?(?:e(\d{1,2}))?([A-Za-z]{0,5})$/;
const LARGEST = BigInt(Number.MAX_SAFE_INTEGER);
const NAME = /^[a-z](?:[a-z0-9./-]{0,61}[a-z0-9])?$/;

/** Whether a node may declare, and a task ask for, a resource of this name: `cpu`, `gpu`, `licence/matlab`. */
export function isResourceName(name: string): boolean {
  // What every object has would be found where nothing was declared.
  return NAME.test(name) && !(name in {});
}

/**
 * Reads a quantity as Kubernetes writes them. `cpu`: `500m`, `2`, `0.5`, to millicores. `memory`, `disk`: `512Mi`, `1G`,
 * `1.5Gi`, plain bytes; a fraction of a byte is rounded up. `gpu`: as `cpu`, to thousandths; a part of one, or whole
 * ones. Anything else: whole numbers. Never negative.
 */
export function parseQuantity(resource: string, value: string | number): ParsedQuantity {
  const text = String(value).trim();
  const match = QUANTITY.exec(text);
  if (match === null) {
    if (text.startsWith('-')) return refused(resource, `${resource} cannot be negative, and “${excerpt(text)}” is.`);
    return refused(resource, `“${excerpt(text)}” is not an amount of ${resource}.`);
  }
  const [, whole = '0', fraction = '', exponent = '0', suffix = ''] = match;
  // As a whole number of 10^-decimals, so that no rounding of binary fractions gets in.
  const digits = BigInt(whole + fraction) * 10n ** BigInt(exponent);
  const decimals = 10n ** BigInt(fraction.length);
  if (isInThousandths(resource)) return thousandthsOf(resource, text, digits, decimals, suffix);
  if (isBytes(resource)) return bytesOf(resource, text, digits, decimals, suffix);
  if (suffix !== '' || digits % decimals !== 0n) {
    return refused(resource, `${resource} is counted in whole units, and “${excerpt(text)}” is none.`);
  }
  return inRange(resource, text, digits / decimals);
}

/** As Kubernetes writes it, and as `parseQuantity` reads it back to the same amount: `500m`, `2`, `512Mi`, `1G`, `3`. */
export function formatQuantity(resource: string, amount: number): string {
  if (isInThousandths(resource)) return amount % 1000 === 0 ? String(amount / 1000) : `${amount}m`;
  const plain = String(amount);
  if (!isBytes(resource) || amount === 0) return plain;
  let shortest = plain;
  for (const [suffix, multiple] of MULTIPLES) {
    if (suffix === '' || BigInt(amount) % multiple !== 0n) continue;
    const text = `${BigInt(amount) / multiple}${suffix}`;
    if (shortest === plain || text.length < shortest.length) shortest = text;
  }
  return shortest;
}

/**
 * The same for people to read, to a tenth of the unit where the exact amount would be long: `23.5Gi`.
 *
 * @param toward `down` for what there is, `up` for what is needed: so what is said is true and enough.
 */
export function roundedQuantity(resource: string, amount: number, toward: 'down' | 'up'): string {
  const exact = formatQuantity(resource, amount);
  if (exact.length <= LEGIBLE || !isBytes(resource)) return exact;
  const at = Math.min(BINARY.length, Math.floor(Math.log2(amount) / 10)) - 1;
  const tenths = (amount / 1024 ** (at + 1)) * 10;
  return `${(toward === 'down' ? Math.floor(tenths) : Math.ceil(tenths)) / 10}${BINARY[at]}`;
}
/** A quantity of so many characters is legible. */
const LEGIBLE = 6;

/** Whether `needs` can be taken from `free` and nothing goes below 0. What is absent is 0. */
export function fits(needs: Resources, free: Resources): boolean {
  for (const name in needs) if ((needs[name] ?? 0) > (free[name] ?? 0)) return false;
  return true;
}

/** The sum of both, name by name. */
export function addResources(one: Resources, other: Resources): Resources {
  const sum: Record<string, number> = { ...one };
  for (const name in other) sum[name] = (sum[name] ?? 0) + (other[name] ?? 0);
  return sum;
}

/** What is left of `from` when `taken` is taken away, name by name; may be negative. */
export function subtractResources(from: Resources, taken: Resources): Resources {
  const left: Record<string, number> = { ...from };
  for (const name in taken) left[name] = (left[name] ?? 0) - (taken[name] ?? 0);
  return left;
}

function isBytes(resource: string): boolean {
  return resource === 'memory' || resource === 'disk';
}

function isInThousandths(resource: string): boolean {
  return resource === 'cpu' || resource === 'gpu';
}

function thousandthsOf(
  resource: string,
  text: string,
  digits: bigint,
  decimals: bigint,
  suffix: string,
): ParsedQuantity {
  if (suffix !== '' && suffix !== 'm') return refused(resource, `“${excerpt(text)}” is not an amount of ${resource}.`);
  const millis = suffix === 'm' ? digits : digits * 1000n;
  if (millis % decimals !== 0n) {
    return refused(resource, `“${excerpt(text)}” of ${resource} is finer than a thousandth (1m).`);
  }
  if (resource === 'gpu' && millis / decimals > 1000n && (millis / decimals) % 1000n !== 0n) {
    return refused(resource, `“${excerpt(text)}” of gpu is neither a part of one nor whole ones.`);
  }
  return inRange(resource, text, millis / decimals);
}

function bytesOf(resource: string, text: string, digits: bigint, decimals: bigint, suffix: string): ParsedQuantity {
  const multiple = MULTIPLES.get(suffix);
  if (multiple === undefined) {
    const letter = suffix.charAt(0).toUpperCase();
    const number = text.slice(0, text.length - suffix.length);
    if (!'KMGTPE'.includes(letter)) return refused(resource, `“${excerpt(text)}” is not an amount of ${resource}.`);
    return refused(
      resource,
      `“${excerpt(text)}” is not an amount of ${resource}: there is no unit “${suffix}”.`,
      `Write ${number}${letter}i (powers of 1024) or ${number}${letter === 'K' ? 'k' : letter} (powers of 1000).`,
    );
  }
  return inRange(resource, text, (digits * multiple + decimals - 1n) / decimals);
}

function inRange(resource: string, text: string, amount: bigint): ParsedQuantity {
  if (amount > LARGEST) return refused(resource, `“${excerpt(text)}” of ${resource} is more than can be counted.`);
  return { ok: true, amount: Number(amount) };
}

function refused(resource: string, message: string, remedy?: string): ParsedQuantity {
  const usual = isInThousandths(resource)
    ? 'Write for example 500m, 0.5 or 2.'
    : isBytes(resource)
      ? 'Write for example 512Mi, 1G or a number of bytes.'
      : 'Write a whole number from 0.';
  return { ok: false, reason: { code: 'BAD_QUANTITY', message, remedy: remedy ?? usual } };
}
