import type { Json, JsonObject } from '@gantry/plugin-kit/vocabulary';
import { excerpt } from '../domain/excerpt.ts';
import { problemsOfConfig, type RunnerChecks } from './check-runner.ts';
import type { Path, ProblemList } from './problem.ts';
import type { ReadForm } from './read-form.ts';
import type { Rewritten } from './yaml-scalar.ts';

/*
 * `3.10` is the number 3.1, and `010` is 10. Where a number is meant that is as good; where text may be made of it, the
 * author's text would be changed. So it is refused where text would do as well: in the items of `forEach`, in a param
 * of type json, and where the runner takes text and number alike.
 */

/** Refuses what would be changed on its way to where text may be made of it. */
export function checkRewritten(
  rewritten: readonly Rewritten[],
  form: ReadForm,
  checks: RunnerChecks,
  problems: ProblemList,
): void {
  for (const each of rewritten) {
    if (problems.isFull) return;
    if (!mayBecomeText(each, form, checks)) continue;
    const written = excerpt(each.written);
    problems.add({
      code: 'BAD_NUMBER',
      message: `${written} is ${typeof each.value === 'number' ? 'a number' : 'no text'} here, and would be handed on as ${each.value}.`,
      path: each.path,
      suggestion: `If text is meant, write it in quotes: "${written}". Otherwise write ${each.value}.`,
    });
  }
}

function mayBecomeText({ path, written }: Rewritten, form: ReadForm, checks: RunnerChecks): boolean {
  const [root, name, field] = path;
  if (root === 'params') {
    const isValue = field === 'default' || field === 'options';
    return isValue && Object.hasOwn(form.params, String(name)) && form.params[String(name)]?.type === 'json';
  }
  if (root !== 'tasks') return false;
  if (field === 'forEach') return true;
  return field === 'with' && wouldTakeText(form, Number(name), path.slice(3), written, checks);
}

/** Whether the runner would take the text as well as the number: then it has to be said which is meant. */
function wouldTakeText(form: ReadForm, index: number, path: Path, written: string, checks: RunnerChecks): boolean {
  const task = form.tasks.find((each) => each.index === index)?.form;
  if (task === undefined || task.runner === '' || task.with === undefined) return false;
  const config = replaced(task.with as JsonObject, path, written) as JsonObject;
  return !problemsOfConfig(task.runner, config, checks).some(
    (problem) => problem.code === 'UNKNOWN_RUNNER' || isOnTheWay(problem.path, path),
  );
}

/** Whether one of the paths leads to where the other ends, or beyond. */
const isOnTheWay = (one: Path, other: Path): boolean =>
  one.every((step, at) => at >= other.length || String(step) === String(other[at]));

function replaced(value: Json, [step, ...rest]: Path, text: string): Json {
  if (step === undefined) return text;
  if (Array.isArray(value)) {
    const list = value as readonly Json[];
    return list.with(Number(step), replaced(list[Number(step)] ?? null, rest, text));
  }
  const object = value as JsonObject;
  return { ...object, [step]: replaced(object[step] ?? null, rest, text) };
}
