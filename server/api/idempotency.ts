import { badInput, refusalType, type Refusal } from './errors.ts';

/** The longest idempotency key, in characters. */
const MAX_KEY = 200;

/** What a mutation that makes a run says of its `idempotencyKey`. */
export const KEY_DESCRIPTION = `Up to ${MAX_KEY} characters. Asked again with the same key, the answer is the first run.`;

export const IdempotencyConflictRef = refusalType(
  'IdempotencyConflict',
  'The idempotency key was used before, for something else.',
);

/** The refusal of a key that was used for something else. */
export const idempotencyConflict: Refusal<'IdempotencyConflict'> = {
  refusal: 'IdempotencyConflict',
  message: 'This idempotency key was used before, for something else. Take a new one for a new run.',
};

/** Reads an idempotency key; undefined for none. Throws BAD_USER_INPUT. */
export function readKey(key: string | null | undefined): string | undefined {
  if (key === null || key === undefined) return undefined;
  if (key === '' || key.length > MAX_KEY) throw badInput(`\`idempotencyKey\` has 1 to ${MAX_KEY} characters.`);
  return key;
}
