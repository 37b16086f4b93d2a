import type { Json, JsonObject } from '@gantry/plugin-kit/vocabulary';
import { checkParamValue } from '../domain/params.ts';
import type { Param } from '../domain/pipeline.ts';
import { addMisplacedExpressions } from './check-task.ts';
import { MAX_PARAMS } from './limits.ts';
import type { Path, ProblemList } from './problem.ts';
import type { ReadForm } from './read-form.ts';

/** Names that mean something to JavaScript; expressions refuse them too. */
const UNSAFE = ['__proto__', 'constructor', 'prototype'];

type ParamForm = ReadForm['params'][string];

/** The params of a pipeline; what is wrong with them is in the list. */
export function checkParamForms(forms: ReadForm['params'], problems: ProblemList): Readonly<Record<string, Param>> {
  const entries = Object.entries(forms);
  if (entries.length > MAX_PARAMS) {
    problems.add({
      code: 'OUT_OF_RANGE',
      message: `A pipeline may have at most ${MAX_PARAMS} params.`,
      path: ['params'],
    });
    return {};
  }
  const params: Record<string, Param> = {};
  const variables = new Map<string, string>();
  for (const [name, form] of entries) {
    const path = ['params', name];
    // A command receives them as GANTRY_PARAM_<NAME>.
    const taken = variables.get(name.toUpperCase());
    variables.set(name.toUpperCase(), name);
    if (taken !== undefined) {
      const message = `“${name}” differs from “${taken}” only in case; both would be the same environment variable.`;
      problems.add({ code: 'DUPLICATE_PARAM', message, path, suggestion: 'Choose another name.', place: 'KEY' });
    }
    if (UNSAFE.includes(name)) {
      problems.add({ code: 'BAD_NAME', message: `A param cannot be called “${name}”.`, path, place: 'KEY' });
      continue;
    }
    params[name] = checkParamForm(name, form, path, problems);
  }
  return params;
}

function checkParamForm(name: string, form: ParamForm, path: Path, problems: ProblemList): Param {
  const { type, description = '' } = form;
  const options = form.options as readonly Json[] | undefined;
  const values: [value: Json, path: Path, allowed: readonly Json[] | undefined][] = (options ?? []).map(
    (option, at) => [option, [...path, 'options', at], undefined],
  );
  if (form.default !== undefined) values.push([form.default as Json, [...path, 'default'], options]);
  for (const [value, place, allowed] of values) {
    if (problems.isFull) break;
    const declared = allowed === undefined ? { type } : { type, options: allowed };
    const checked = checkParamValue(name, declared, value, problems.sourceOf(place));
    if (!checked.ok) problems.add({ ...checked.problem, path: place, suggestion: checked.problem.remedy });
  }
  addMisplacedExpressions(
    { default: (form.default as Json) ?? null, options: options ?? [] } as JsonObject,
    path,
    problems,
  );
  return {
    type,
    description,
    ...(form.default === undefined ? {} : { default: form.default as Json }),
    ...(options === undefined ? {} : { options }),
  };
}
