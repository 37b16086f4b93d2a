import type { Json, JsonObject } from '@gantry/plugin-kit/vocabulary';
import { excerpt } from '../domain/excerpt.ts';
import { hasExpression, parseReferences, type Reference } from '../domain/expression.ts';
import { secretNameProblem } from '../domain/secret-name.ts';
import type { PipelineGraph } from '../domain/pipeline-graph.ts';
import type { Path, ProblemList } from './problem.ts';
import { didYouMeanOneOf, type ReadForm, type ReadTask } from './read-form.ts';
import { notUpstream, type Reading } from './upstream.ts';

const ROOTS = ['params', 'tasks', 'secrets', 'item', 'index', 'run'];

/** A reference to the outputs of another task, kept until it is known which tasks are upstream. */
interface OutputReading extends Reading {
  readonly path: Path;
  readonly reference: Reference;
}

/**
 * Checks every `${{ … }}` of the tasks: syntax, that it names what exists, and that it reads only the outputs of tasks
 * which have ended when the attempt starts.
 */
export function checkExpressions(form: ReadForm, graph: PipelineGraph, problems: ProblemList): void {
  const places = new Map<string, number>();
  for (const [place, { form: task }] of form.tasks.entries()) if (!places.has(task.key)) places.set(task.key, place);
  const keys = new Set(form.keys);
  const readings: OutputReading[] = [];
  for (const [reader, task] of form.tasks.entries()) {
    if (problems.isFull) return;
    for (const { reference, path } of referencesOf(task, problems)) {
      const source = checkReference(reference, path, { form, task, keys }, problems);
      const place = source === null ? undefined : places.get(source);
      if (place !== undefined && !task.isUncertain) readings.push({ reader, source: place, path, reference });
    }
  }
  // Where not every need is known, what is upstream is not known either.
  const isCertain = form.tasks.length === form.keys.length && form.tasks.every((task) => !task.isUncertain);
  if (graph.cycle === null && isCertain) checkUpstream(form, graph, readings, problems);
}

/** The references in what is rendered of a task; mistakes in them are added to the problems. */
function referencesOf(
  { index, form }: ReadTask,
  problems: ProblemList,
): readonly { readonly reference: Reference; readonly path: Path }[] {
  const found: { reference: Reference; path: Path }[] = [];

  function walk(value: Json, path: Path): void {
    if (typeof value === 'string') {
      const parsed = parseReferences(value);
      if (parsed.ok) for (const reference of parsed.references) found.push({ reference, path });
      else {
        const { code, message, remedy, offset } = parsed.problem;
        problems.add({ code, message, path, suggestion: remedy, place: { offset } });
      }
    } else if (Array.isArray(value)) {
      for (const [at, item] of (value as readonly Json[]).entries()) walk(item, [...path, at]);
    } else if (typeof value === 'object' && value !== null) {
      for (const [key, inner] of Object.entries(value as JsonObject)) {
        if (key.includes('${{')) {
          const message = 'A key cannot hold an expression, only a value can.';
          problems.add({ code: 'BAD_EXPRESSION', message, path: [...path, key], place: 'KEY' });
        }
        walk(inner, [...path, key]);
      }
    }
  }

  for (const field of ['with', 'env', 'forEach'] as const) {
    const value = form[field] as Json | undefined;
    if (value !== undefined && hasKeyOrValueExpression(value)) walk(value, ['tasks', index, field]);
  }
  return found;
}

function hasKeyOrValueExpression(value: Json): boolean {
  return hasExpression(value) || !parseReferences(value).ok;
}

interface Surroundings {
  readonly form: ReadForm;
  readonly task: ReadTask;
  readonly keys: ReadonlySet<string | null>;
}

/** Checks what a reference names, and answers with the key of the task whose outputs it reads, or null. */
function checkReference(
  reference: Reference,
  path: Path,
  { form, task, keys }: Surroundings,
  problems: ProblemList,
): string | null {
  const [root, name, third] = reference.path;
  const add = (code: string, message: string, suggestion: string | null): null => {
    problems.add({ code, message, path, suggestion, place: { offset: reference.offset } });
    return null;
  };
  switch (root) {
    case 'params': {
      const params = form.paramNames;
      if (typeof name !== 'string')
        return add('BAD_REFERENCE', 'A param is read by its name.', 'Write ${{ params.name }}.');
      if (params.includes(name)) return null;
      const suggestion = didYouMeanOneOf(name, params) ?? `Declare it: params: { ${excerpt(name)}: { type: string } }.`;
      return add('UNKNOWN_PARAM', `The pipeline has no param “${excerpt(name)}”.`, suggestion);
    }
    case 'tasks': {
      const key = String(name ?? '');
      if (name === undefined || third !== 'outputs') {
        const example = `Write \${{ tasks.${key === '' ? 'key' : key}.outputs }}.`;
        return add('BAD_REFERENCE', 'Of another task only its outputs can be read.', example);
      }
      if (key === task.form.key) return add('SELF_REFERENCE', 'A task cannot read its own outputs.', null);
      if (keys.has(key)) return key;
      const others = [...keys].filter((each) => each !== null && each !== task.form.key) as string[];
      return add('UNKNOWN_TASK', `There is no task “${excerpt(key)}”.`, didYouMeanOneOf(key, others));
    }
    case 'secrets': {
      const example = 'Write ${{ secrets.NAME }}.';
      if (name === undefined || third !== undefined)
        return add('BAD_REFERENCE', 'A secret is read by its name.', example);
      if (path[2] === 'forEach')
        return add('BAD_REFERENCE', 'A list cannot be made of a secret: the server does not know it.', null);
      const problem = secretNameProblem(String(name));
      return problem === null ? null : add('BAD_SECRET_NAME', problem, null);
    }
    case 'item':
    case 'index':
      if (path[2] === 'forEach')
        return add('BAD_REFERENCE', `“${root}” is not known before forEach has its list.`, null);
      if (task.form.forEach === undefined && !task.isUncertain) {
        return add('BAD_REFERENCE', `There is no “${root}” without forEach.`, 'Add forEach to the task.');
      }
      if (root === 'item' || name === undefined) return null;
      return add('BAD_REFERENCE', '“index” is a number and has no parts.', 'Write ${{ index }}.');
    case 'run':
      if (name === 'id' && third === undefined) return null;
      return add('BAD_REFERENCE', 'Of the run only its id can be read.', 'Write ${{ run.id }}.');
    default: {
      const suggestion = didYouMeanOneOf(String(root), ROOTS);
      return add('UNKNOWN_NAME', `“${excerpt(String(root))}” is nothing that an expression can read.`, suggestion);
    }
  }
}

function checkUpstream(
  form: ReadForm,
  graph: PipelineGraph,
  readings: readonly OutputReading[],
  problems: ProblemList,
): void {
  const missing = notUpstream(graph, readings);
  if (missing === null) {
    const first = readings.find(({ reader, source }) => graph.needs[reader]?.includes(source) !== true);
    const message = 'Too many tasks read the outputs of tasks that they do not need directly.';
    const suggestion = 'Add to “needs” what a task reads.';
    if (first !== undefined) problems.add({ code: 'TOO_LARGE', message, path: first.path, suggestion });
    return;
  }
  for (const { path, reference, reader, source } of missing) {
    const key = form.tasks[source]?.form.key ?? '';
    const isDownstream = notUpstream(graph, [{ reader: source, source: reader }])?.length === 0;
    problems.add({
      code: 'NOT_UPSTREAM',
      message: `“${key}” need not have ended when this task starts, so its outputs cannot be read.`,
      path,
      suggestion: isDownstream
        ? `“${key}” needs this task; read its outputs in a later one.`
        : `Add “${key}” to needs.`,
      place: { offset: reference.offset },
    });
    if (problems.isFull) return;
  }
}
