import type * as z from 'zod';
import type { Json, JsonObject } from '@gantry/plugin-kit/vocabulary';
import { excerpt } from '../domain/excerpt.ts';
import { didYouMean } from '../domain/suggestion.ts';
import { MAX_TASKS } from './limits.ts';
import { pathText, type Path, type ProblemList } from './problem.ts';
import {
  headerForm,
  labelRuleFields,
  paramsForm,
  placementForm,
  taskForm,
  type PipelineHeader,
  type TaskForm,
} from './schema.ts';

/** A task as far as it could be read: fields of a wrong type are left out, key and runner are then empty. */
export interface ReadTask {
  readonly index: number;
  readonly form: TaskForm;
  /** A field was unknown or of a wrong type, so that something may only seem to be missing. */
  readonly isUncertain: boolean;
}

/** The author's form as far as it could be read. */
export interface ReadForm {
  /** Null when anything but a task is of the wrong shape. */
  readonly header: PipelineHeader | null;
  /** The params that could be read. */
  readonly params: NonNullable<PipelineHeader['params']>;
  /** The names of all params, also of those that could not be read. */
  readonly paramNames: readonly string[];
  readonly tasks: readonly ReadTask[];
  /** The keys of all tasks, also of those that could not be read: by index, null where there is none. */
  readonly keys: readonly (string | null)[];
}

const HEADER_FIELDS = Object.keys(headerForm.shape);
const TASK_FIELDS = Object.keys(taskForm.shape);
const partialTaskForm = taskForm.partial();
const PLACEMENT_FIELDS = Object.keys(placementForm.shape);
const RULE_FIELDS = [...labelRuleFields, 'weight'];

/** Checks shape and types. A field that is null counts as absent. Every problem is added, task by task. */
export function readForm(value: Json, problems: ProblemList): ReadForm {
  if (!isObject(value)) {
    const found = value === null ? 'this is empty' : `this is ${describe(value)}`;
    const message = `A pipeline must be a map with “name” and “tasks”, and ${found}.`;
    problems.add({ code: 'WRONG_TYPE', message, path: [] });
    return { header: null, params: {}, paramNames: [], tasks: [], keys: [] };
  }
  const { known } = knownFields(value, HEADER_FIELDS, [], problems);
  const header = headerForm.safeParse(known);
  if (!header.success) addIssues(header.error.issues, known, [], problems);

  const list = Array.isArray(known['tasks']) ? (known['tasks'] as readonly Json[]) : [];
  const written = list.length > MAX_TASKS ? [] : list;
  const tasks: ReadTask[] = [];
  for (const [index, task] of written.entries()) {
    if (problems.isFull) break;
    const read = readTask(task, index, problems);
    if (read !== null) tasks.push(read);
  }
  const keys = written.map((task) => (isObject(task) && typeof task['key'] === 'string' ? task['key'] : null));
  const params = isObject(known['params']) ? known['params'] : {};
  return {
    header: header.success ? header.data : null,
    params: header.success ? (header.data.params ?? {}) : readableParams(params),
    paramNames: Object.keys(params),
    tasks,
    keys,
  };
}

/** The params without mistakes, when there are mistakes elsewhere. */
function readableParams(params: JsonObject): ReadForm['params'] {
  const readable: Record<string, ReadForm['params'][string]> = {};
  for (const [name, value] of Object.entries(params)) {
    const read = paramsForm.safeParse({ [name]: value });
    if (read.success) Object.assign(readable, read.data);
  }
  return readable;
}

function readTask(task: Json, index: number, problems: ProblemList): ReadTask | null {
  const path = ['tasks', index];
  if (!isObject(task)) {
    const message = `A task must be a map with “key” and “runner”, not ${describe(task)}.`;
    problems.add({ code: 'WRONG_TYPE', message, path });
    return null;
  }
  const { known, hasUnknown } = knownFields(task, TASK_FIELDS, path, problems);
  const form = taskForm.safeParse(known);
  if (form.success) return { index, form: form.data, isUncertain: hasUnknown };
  addIssues(form.error.issues, known, path, problems);
  // The fields without mistakes are checked all the same.
  const mistaken = new Set(form.error.issues.map((issue) => issue.path[0]));
  const rest = Object.fromEntries(Object.entries(known).filter(([name]) => !mistaken.has(name)));
  const partial = partialTaskForm.safeParse(rest);
  if (!partial.success) return null;
  return { index, form: { key: '', runner: '', ...withoutUndefined(partial.data) }, isUncertain: true };
}

function withoutUndefined(fields: z.output<typeof partialTaskForm>): Partial<TaskForm> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}

/** Reports fields that do not exist and leaves them out, so that the others are checked all the same. */
function knownFields(
  object: JsonObject,
  fields: readonly string[],
  path: Path,
  problems: ProblemList,
): { readonly known: JsonObject; readonly hasUnknown: boolean } {
  const known: Record<string, Json> = {};
  let hasUnknown = false;
  for (const [name, value] of Object.entries(object)) {
    if (fields.includes(name)) {
      if (value !== null) known[name] = value;
    } else {
      hasUnknown = true;
      addUnknownField(name, fields, path, problems);
    }
  }
  return { known, hasUnknown };
}

/** A field that does not exist, with the one that was meant or all that there are. */
export function addUnknownField(name: string, fields: readonly string[], path: Path, problems: ProblemList): void {
  // A suggestion takes longer than everything else about a problem.
  if (problems.isFull) return;
  problems.add({
    code: 'UNKNOWN_FIELD',
    message: `There is no field “${excerpt(name)}”${path.length === 0 ? '' : ` in ${pathText(path)}`}.`,
    path: [...path, name],
    suggestion: didYouMeanOneOf(name, fields),
    place: 'KEY',
  });
}

/** A question when one of the words was likely meant, otherwise all of them. */
export function didYouMeanOneOf(word: string, words: readonly string[]): string | null {
  const meant = didYouMean(word, words);
  if (meant !== null) return `Did you mean “${meant}”?`;
  if (words.length === 0) return null;
  const more = words.length > 20 ? ', …' : '.';
  return `There is: ${words
    .slice(0, 20)
    .map((each) => excerpt(each))
    .join(', ')}${more}`;
}

/** Where expressions are rendered. */
export const EXPRESSION_FIELDS = 'Expressions may stand in with, env and forEach of a task.';

type Issue = z.core.$ZodIssue;

/** Says in the words of this format what zod found. `value` is what it looked at. */
function addIssues(issues: readonly Issue[], value: Json, path: Path, problems: ProblemList): void {
  for (const issue of issues) {
    if (problems.isFull) return;
    addIssue(issue, value, path, problems);
  }
}

function addIssue(issue: Issue, root: Json, prefix: Path, problems: ProblemList): void {
  const inner = issue.path.filter((step) => typeof step !== 'symbol');
  const path = [...prefix, ...inner];
  const found = valueAt(root, inner);
  const name = path.length === 0 ? 'The pipeline' : `“${excerpt(pathText(path))}”`;
  switch (issue.code) {
    case 'unrecognized_keys':
      for (const key of issue.keys) addUnknownField(key, fieldsAt(path), path, problems);
      return;
    case 'invalid_union': {
      // The branch whose type was right says what is wrong inside it.
      const branch = issue.errors.find(
        (each) => !each.some((one) => one.code === 'invalid_type' && one.path.length === 0),
      );
      if (branch !== undefined && found !== undefined) {
        for (const one of branch) addIssue({ ...one, path: [...issue.path, ...one.path] }, root, prefix, problems);
        return;
      }
      return addWrongType(name, issue.message, found, path, problems);
    }
    case 'invalid_type':
      return addWrongType(
        name,
        typeNames[issue.expected] ?? `a value of type ${issue.expected}`,
        found,
        path,
        problems,
      );
    case 'invalid_value': {
      const values = issue.values.map(String);
      const suggestion = typeof found === 'string' ? didYouMeanOneOf(found, values) : null;
      const message =
        found === undefined
          ? `${name} is missing; it must be one of ${values.join(', ')}.`
          : `${name} must be one of ${values.join(', ')}, not ${describe(found, problems.sourceOf(path))}.`;
      return problems.add({ code: found === undefined ? 'MISSING_FIELD' : 'BAD_VALUE', message, path, suggestion });
    }
    case 'too_small':
    case 'too_big':
      return problems.add({ code: 'OUT_OF_RANGE', message: `${name} ${rangeText(issue)}.`, path });
    case 'invalid_key': {
      const rule = issue.issues[0]?.message ?? 'text';
      const key = String(path.at(-1) ?? '');
      return problems.add({
        code: 'BAD_NAME',
        message: `The name “${excerpt(key)}” must be ${rule}.`,
        path,
        place: 'KEY',
      });
    }
    case 'invalid_format': {
      const suggestion = typeof found === 'string' ? asKey(found) : null;
      return problems.add({ code: 'BAD_NAME', message: `${name} must be ${issue.message}.`, path, suggestion });
    }
    default:
      problems.add({ code: 'BAD_VALUE', message: `${name}: ${issue.message}.`, path });
  }
}

function addWrongType(
  name: string,
  expected: string,
  found: Json | undefined,
  path: Path,
  problems: ProblemList,
): void {
  if (found === undefined) {
    return problems.add({ code: 'MISSING_FIELD', message: `${name} is missing; it must be ${expected}.`, path });
  }
  const source = problems.sourceOf(path);
  const message = `${name} must be ${expected}, not ${describe(found, source)}.`;
  problems.add({ code: 'WRONG_TYPE', message, path, suggestion: rewritten(expected, found, path, source) });
}

const typeNames: Readonly<Record<string, string>> = {
  string: 'text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'a map',
  record: 'a map',
};

/** How the value would be right, where that is likely: the value is repeated as it is written, never as it was read. */
function rewritten(expected: string, found: Json, path: Path, source: string | null): string | null {
  if (expected === 'text' && (found === null || typeof found !== 'object')) return inQuotes(source);
  if (expected === 'a list' && !isObject(found)) {
    const item = asWritten(found, source);
    return item === null ? 'Write a list.' : `Write a list: [${item}].`;
  }
  if (expected === 'true or false' && typeof found === 'string') return asTruth(found);
  if (path.length === 2 && path[0] === 'params' && found !== null && typeof found !== 'object') {
    const type = Number.isInteger(found) ? 'integer' : typeof found;
    const value = asWritten(found, source);
    return value === null ? `Write { type: ${type}, default: … }.` : `Write { type: ${type}, default: ${value} }.`;
  }
  return null;
}

/** How a scalar becomes text. Without the text of the pipeline nobody knows how it was written. */
export function inQuotes(source: string | null): string {
  if (source === null) return 'Write it as text, in quotes.';
  if (source === '') return 'Write "" for an empty text.';
  return source.length > MAX_REPEATED ? 'Write it in quotes.' : `Write it in quotes: ${JSON.stringify(source)}.`;
}

/** Longer values are not repeated in a suggestion. */
const MAX_REPEATED = 100;

/** A value that keeps its meaning where it is written inside a list or a map in one line; null for a long one. */
function asWritten(value: Json, source: string | null): string | null {
  const text = typeof value === 'string' ? JSON.stringify(value) : (source ?? JSON.stringify(value));
  return text.length > MAX_REPEATED ? null : text;
}

function asTruth(text: string): string {
  if (/^(yes|on|true|y)$/i.test(text)) return 'Write true.';
  return /^(no|off|false|n)$/i.test(text) ? 'Write false.' : 'Write true or false.';
}

/** The fields of the strict objects inside the form. */
function fieldsAt(path: Path): readonly string[] {
  if (path[0] === 'params') return ['type', 'description', 'default', 'options'];
  if (path[2] === 'retry') return ['max', 'backoff', 'delay', 'maxDelay'];
  if (path[2] === 'tolerations') return ['key', 'value'];
  if (path[2] !== 'placement') return [];
  if (path.length === 3) return PLACEMENT_FIELDS;
  return typeof path.at(-1) === 'number' ? RULE_FIELDS : [];
}

function rangeText(issue: z.core.$ZodIssueTooBig | z.core.$ZodIssueTooSmall): string {
  const limit = Number(issue.code === 'too_big' ? issue.maximum : issue.minimum);
  const nouns: Readonly<Record<string, string>> = { array: 'item', string: 'character' };
  const noun = nouns[issue.origin];
  const unit = noun === undefined ? '' : ` ${noun}${limit === 1 ? '' : 's'}`;
  if (issue.code === 'too_big') return `may ${unit === '' ? 'be' : 'have'} at most ${limit}${unit}`;
  return `must ${unit === '' ? 'be' : 'have'} at least ${limit}${unit}`;
}

/** The nearest text that is a key. */
function asKey(text: string): string | null {
  if (text.includes('${{')) return EXPRESSION_FIELDS;
  const near = text
    .toLowerCase()
    .replaceAll(/[^a-z0-9_-]+/g, '-')
    .replace(/^[-_]+/, '')
    .slice(0, 63);
  return near === '' || near === text ? null : `Write ${near}.`;
}

function valueAt(root: Json, path: Path): Json | undefined {
  let value: Json | undefined = root;
  for (const step of path) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, step)) return undefined;
    value = (value as JsonObject)[step];
  }
  return value;
}

/** What a value is, for a sentence. `source` is how a number or a truth value is written, where that is known. */
export function describe(value: Json | undefined, source: string | null = null): string {
  if (value === undefined) return 'absent';
  if (value === null) return 'nothing';
  if (typeof value === 'string') return `the text “${excerpt(value)}”`;
  if (typeof value === 'number') return `the number ${source === null ? value : excerpt(source)}`;
  if (typeof value === 'boolean') return source ?? String(value);
  return Array.isArray(value) ? 'a list' : 'a map';
}

export function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
