import type { Json, JsonObject, Reason } from '@gantry/plugin-kit/vocabulary';
import type { AttemptSpec } from '../domain/effect.ts';
import type { SecretPlace } from '../domain/expression.ts';
import { SecretMask } from './secret-mask.ts';
import type { SecretSource } from './secret-source.ts';

/** What an attempt is given, with its secrets in their places, and what hides them again. */
export interface Unsealed {
  readonly with: JsonObject;
  readonly env: Readonly<Record<string, string>>;
  readonly mask: SecretMask;
}

/** What of an attempt may hold secrets. */
export type Sealed = Pick<AttemptSpec, 'with' | 'env' | 'secrets'>;

/** Puts the node's secrets where the server has said that they belong; or says which one cannot be had. */
export function putSecrets(sealed: Sealed, source: SecretSource): Unsealed | { readonly refusal: Reason } {
  const values = new Map<string, string>();
  for (const { name } of sealed.secrets) {
    if (values.has(name)) continue;
    const answer = source.read(name);
    if (!answer.ok) return { refusal: answer.reason };
    values.set(name, answer.value);
  }
  let filled: Json = { with: sealed.with, env: sealed.env };
  // From the last on, so that the places before it stay where they are.
  for (const place of sealed.secrets.toReversed()) {
    const next = filledAt(filled, place, 0, values.get(place.name)!);
    if (next === null)
      return { refusal: { code: 'BAD_SPEC', message: `A secret belongs where no text is: ${place.at.join('.')}.` } };
    filled = next;
  }
  const { with: config, env } = filled as { with: JsonObject; env: Record<string, string> };
  return { with: config, env, mask: new SecretMask([...values.values()]) };
}

/**
 * The same for work that was begun before a restart. Its environment is its own by now, and what cannot be read any
 * more is not put in; but then nobody can tell what to hide, and nothing that it says is shown.
 */
export function putSecretsAgain(sealed: Sealed, source: SecretSource): Unsealed {
  const inConfig = sealed.secrets.filter(({ at }) => at[0] === 'with');
  const put = putSecrets({ ...sealed, secrets: inConfig }, source);
  const { with: config, env } = 'refusal' in put ? sealed : put;
  const answers = sealed.secrets.map(({ name }) => source.read(name));
  const values = answers.flatMap((answer) => (answer.ok ? [answer.value] : []));
  return { with: config, env, mask: new SecretMask(values.length === answers.length ? values : null) };
}

/** A copy with the value put in; null when the place is none. */
function filledAt(value: Json, place: SecretPlace, depth: number, secret: string): Json {
  const { at, offset } = place;
  if (depth === at.length)
    return typeof value === 'string' ? value.slice(0, offset) + secret + value.slice(offset) : null;
  if (typeof value !== 'object' || value === null) return null;
  const step = at[depth]!;
  if (!Object.hasOwn(value, step)) return null;
  const inner = filledAt((value as JsonObject)[step]!, place, depth + 1, secret);
  if (inner === null) return null;
  if (Array.isArray(value)) return (value as readonly Json[]).with(Number(step), inner);
  return { ...(value as JsonObject), [step]: inner };
}
