import { isDeepStrictEqual } from 'node:util';
import { matches, type Answer } from './answer.ts';
import type { Condition, Progress } from './job-config.ts';

/** Whether a condition holds, or any of several. Null when it looks into a body that is no JSON: nobody can tell. */
export function holds(condition: Condition | readonly Condition[], answer: Answer): boolean | null {
  if (!isOne(condition)) {
    const results = condition.map((one) => holds(one, answer));
    return results.includes(true) ? true : results.includes(null) ? null : false;
  }
  const { status, jsonPointer, equals, in: among, exists } = condition;
  if (status !== undefined && !matches(status, answer.status)) return false;
  if (jsonPointer === undefined) return true;
  if (answer.json === undefined) return null;
  const value = answer.at(jsonPointer);
  if (exists !== undefined) return (value !== undefined) === exists;
  if (value === undefined) return false;
  return (among ?? [equals]).some((wanted) => isDeepStrictEqual(wanted, value));
}

/** How far a job is, from 0 to 1, and what it says of it; null when the answer does not tell. */
export function progressOf(
  progress: Progress,
  answer: Answer,
): { readonly fraction: number; readonly message?: string } | null {
  const done = answer.at(progress.jsonPointer);
  const whole = typeof progress.of === 'number' ? progress.of : answer.at(progress.of.jsonPointer);
  if (typeof done !== 'number' || typeof whole !== 'number' || whole <= 0) return null;
  const fraction = Math.min(Math.max(done / whole, 0), 1);
  const said = progress.message === undefined ? undefined : answer.at(progress.message);
  if (said === undefined) return { fraction };
  return { fraction, message: typeof said === 'string' ? said : JSON.stringify(said) };
}

const isOne = (condition: Condition | readonly Condition[]): condition is Condition => !Array.isArray(condition);
