import type { ProgressCount } from '@gantry/plugin-kit/runner';
import { isDeepStrictEqual } from 'node:util';
import { matches, type Answer } from './answer.ts';
import { failure, type Failed } from './failure.ts';
import type { Condition, Progress } from './job-config.ts';

/** Whether a condition holds, or any of several. Null when it looks into a body that is no
 * JSON, or where a key is written twice: nobody can tell. */
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
  const fault = answer.faultAt(jsonPointer);
  // A number that no double holds is equal to none that a task can write.
  if (fault !== null) return fault.code === 'DUPLICATE_KEY' ? null : false;
  return (among ?? [equals]).some((wanted) => isDeepStrictEqual(wanted, value));
}

/** The failure of an answer of which nobody can tell whether a condition holds. @param shown What it is: `The callback`. */
export function undecided(shown: string, answer: Answer): Failed {
  if (answer.json !== undefined)
    return failure('DUPLICATE_KEY', `${shown} has a key twice in one object, and its conditions look at it.`);
  return failure('RESPONSE_NOT_JSON', `${shown} ${answer.whyNoJson}, and its conditions look into it.`);
}

/** How far a job says that it is, as `attempt.progress` takes it; null when the answer does not tell. */
export function toldProgress(
  { jsonPointer, of, message }: Progress,
  answer: Answer,
): { readonly at: number | ProgressCount; readonly message?: string } | null {
  const done = answer.at(jsonPointer);
  if (typeof done !== 'number') return null;
  const total = typeof of === 'object' ? answer.at(of.jsonPointer) : of;
  const at = of === undefined ? done : typeof total === 'number' ? { done, total } : { done };
  const said = message === undefined ? undefined : answer.at(message);
  if (said === undefined) return { at };
  return { at, message: typeof said === 'string' ? said : JSON.stringify(said) };
}

const isOne = (condition: Condition | readonly Condition[]): condition is Condition => !Array.isArray(condition);
