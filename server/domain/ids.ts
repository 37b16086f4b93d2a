/** Ids are strings with a brand, so that one cannot be handed in where another is meant. */
declare const brand: unique symbol;
type Branded<Name extends string> = string & { readonly [brand]: Name };

/** A UUIDv7 in lower case. */
export type RunId = Branded<'RunId'>;
/** `<run id>.<ordinal>`: the ordinal of a task run within its run never changes. */
export type TaskRunId = Branded<'TaskRunId'>;
/** `<task run id>.<number>`, deterministic: a repeated placement collides instead of running twice. */
export type AttemptId = Branded<'AttemptId'>;

export const runId = (text: string): RunId => text as RunId;
export const taskRunId = (run: RunId, ordinal: number): TaskRunId => `${run}.${ordinal}` as TaskRunId;
export const attemptId = (run: RunId, ordinal: number, number: number): AttemptId =>
  `${run}.${ordinal}.${number}` as AttemptId;

/** Takes a task run's id apart; null when the text is none. */
export function parseTaskRunId(text: string): { readonly run: RunId; readonly ordinal: number } | null {
  const dot = text.indexOf('.');
  const ordinal = wholeNumber(text, dot + 1, text.length);
  return dot <= 0 || ordinal === null ? null : { run: text.slice(0, dot) as RunId, ordinal };
}

/** Takes an attempt's id apart; null when the text is none. */
export function parseAttemptId(
  text: string,
): { readonly run: RunId; readonly ordinal: number; readonly number: number } | null {
  const first = text.indexOf('.');
  const second = text.indexOf('.', first + 1);
  if (first <= 0 || second < 0) return null;
  const ordinal = wholeNumber(text, first + 1, second);
  const number = wholeNumber(text, second + 1, text.length);
  return ordinal === null || number === null ? null : { run: text.slice(0, first) as RunId, ordinal, number };
}

/** Reads decimal digits in place: cheaper than slicing and Number() on the report path. */
function wholeNumber(text: string, from: number, to: number): number | null {
  if (from >= to || to - from > 9) return null;
  let value = 0;
  for (let index = from; index < to; index++) {
    const digit = text.charCodeAt(index) - 48;
    if (digit < 0 || digit > 9) return null;
    value = value * 10 + digit;
  }
  return value;
}
