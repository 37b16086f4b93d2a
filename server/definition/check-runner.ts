import type { Json, JsonObject, Problem } from '@gantry/plugin-kit/vocabulary';
import { excerpt } from '../domain/excerpt.ts';
import { hasExpression, parseReferences } from '../domain/expression.ts';
import { envNameProblem } from './check-env.ts';
import { markedStrings, type MarkedString, type Reads } from './marked-strings.ts';
import type { Path, ProblemList } from './problem.ts';
import { addUnknownField, inQuotes, isObject } from './read-form.ts';

/** What the plugins say of runners. */
export interface RunnerChecks {
  /**
   * What is wrong with a runner's config, paths within it. A runner that is not there is a problem with the code
   * `UNKNOWN_RUNNER`; its remedy names the ones that are.
   */
  checkRunner(runner: string, config: JsonObject): readonly Problem[];
  /** The JSON Schema of a runner's config, for suggestions and for what must hold no expression. */
  runnerSchema?(runner: string): Json | null;
}

/** Checks a task's runner and what stands under `with`. */
export function checkRunner(
  task: {
    readonly index: number;
    readonly runner: string;
    readonly config: JsonObject;
    readonly env: Readonly<Record<string, string>>;
  },
  checks: RunnerChecks,
  problems: ProblemList,
): void {
  const { index, runner, config, env } = task;
  const prefix: Path = ['tasks', index, 'with'];
  const schema = checks.runnerSchema?.(runner) ?? null;
  for (const problem of problemsOfConfig(runner, config, checks)) {
    if (problem.code === 'UNKNOWN_RUNNER') {
      problems.add({ ...problem, path: ['tasks', index, 'runner'], suggestion: problem.remedy });
      continue;
    }
    const part = partAt(config, problem.path);
    // What an expression will yield is checked when it has been put in.
    if (typeof part === 'string' && part.includes('${{')) continue;
    addRunnerProblem(problem, part, { runner, prefix, schema }, problems);
  }
  if (schema === null) return;
  for (const { path, text } of markedStrings(schema, config, 'x-secret'))
    if (!isSecret(text)) addPlainSecret(path, prefix, problems);
  if (!hasExpression(config)) return;
  for (const { path, text, reads } of markedStrings(schema, config, 'x-literal'))
    if (text.includes('${{')) {
      // A line that is some interpreter's is no shell's.
      const isProgram = reads === 'shell' && text.startsWith('#!');
      addSplicing({ path, reads: isProgram ? 'program' : reads }, { config, env, prefix }, problems);
    }
}

/** The plugin's answer; a plugin that throws is at fault and says so here instead of taking the request down. */
export function problemsOfConfig(runner: string, config: JsonObject, checks: RunnerChecks): readonly Problem[] {
  try {
    return checks.checkRunner(runner, config);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    const message = `The plugin of the runner “${excerpt(runner)}” failed while it checked this: ${excerpt(why, 200)}`;
    return [{ code: 'RUNNER_CHECK_FAILED', message, path: [], remedy: 'Tell the author of the plugin.' }];
  }
}

interface Place {
  readonly runner: string;
  readonly prefix: Path;
  readonly schema: Json | null;
}

function addRunnerProblem(problem: Problem, part: Json | undefined, place: Place, problems: ProblemList): void {
  const path = [...place.prefix, ...problem.path];
  const name = ['with', ...problem.path].join('.');
  if (problem.code === 'UNRECOGNIZED_KEYS' && isObject(part)) {
    const fields = fieldsOf(place.schema, problem.path);
    const unknown = Object.keys(part).filter((key) => problem.message.includes(`"${key}"`) && !fields.includes(key));
    for (const key of unknown) addUnknownField(key, fields, path, problems);
    if (unknown.length > 0) return;
  }
  if (part === undefined && problem.path.length > 0) {
    const message = `The runner “${excerpt(place.runner)}” needs “${name}”.`;
    problems.add({ code: 'MISSING_FIELD', message, path, suggestion: problem.remedy });
    return;
  }
  const message = `The runner “${excerpt(place.runner)}” does not accept “${name}”: ${problem.message}`;
  const isBare = typeof part === 'number' || typeof part === 'boolean';
  const isTextWanted = isBare && problem.message.includes('expected string');
  const suggestion = problem.remedy ?? (isTextWanted ? inQuotes(problems.sourceOf(path)) : undefined);
  problems.add({ code: problem.code, message, path, suggestion });
}

function fieldsOf(schema: Json | null, path: Path): readonly string[] {
  let rules: Json | undefined = schema ?? undefined;
  for (const step of path) {
    if (!isObject(rules)) return [];
    const properties: Json | undefined = rules['properties'];
    rules = typeof step === 'number' ? rules['items'] : isObject(properties) ? properties[step] : undefined;
  }
  return isObject(rules) && isObject(rules['properties']) ? Object.keys(rules['properties']) : [];
}

function partAt(config: JsonObject, path: Path): Json | undefined {
  let part: Json | undefined = config;
  for (const step of path) {
    if (typeof part !== 'object' || part === null || !Object.hasOwn(part, step)) return undefined;
    part = (part as JsonObject)[step];
  }
  return part;
}

/** Whether a secret is referred to. What cannot be read as an expression is told of elsewhere. */
function isSecret(text: string): boolean {
  const parsed = parseReferences(text);
  return !parsed.ok || parsed.references.some(({ path }) => path[0] === 'secrets');
}

/** A definition is kept and shown: what must stay a secret is named in it, and is the node's. */
function addPlainSecret(path: Path, prefix: Path, problems: ProblemList): void {
  const name = variableFor(path);
  problems.add({
    code: 'SECRET_IN_PLAIN',
    message: `“${['with', ...path].join('.')}” is a secret, and everybody who may see the pipeline would see it here.`,
    path: [...prefix, ...path],
    suggestion: `Put it on the node as a secret, and write "\${{ secrets.${name} }}" here.`,
  });
}

/** Data must not become part of a command: it is handed over as an environment variable. */
function addSplicing(
  { path, reads }: Omit<MarkedString, 'text'>,
  task: { readonly config: JsonObject; readonly env: Readonly<Record<string, string>>; readonly prefix: Path },
  problems: ProblemList,
): void {
  const { config, env, prefix } = task;
  const parsed = parseReferences(partAt(config, path) ?? null);
  const reference = parsed.ok ? parsed.references[0] : undefined;
  const name = freeName(variableFor(reference?.path ?? []), env);
  const expression = `\${{ ${reference?.text ?? 'params.name'} }}`;
  problems.add({
    code: 'EXPRESSION_IN_LITERAL',
    message: `“${['with', ...path].join('.')}” is executed as it is written: no data may be put into it, because it would become part of the command.`,
    path: [...prefix, ...path],
    suggestion: `Write env: { ${name}: ${expression} } and ${useOf(name, reads)}`,
    place: { offset: reference?.offset ?? 0 },
  });
}

/** How what stands there gets at a variable. */
function useOf(name: string, reads: Reads): string {
  switch (reads) {
    case 'shell':
      return `use "$${name}" here.`;
    case 'program':
      return `read the environment variable ${name} here; in a shell script, as "$${name}".`;
    case 'nothing':
      return `a line with "$${name}" as “command”, in place of this list: nothing expands its words.`;
    default:
      return reads satisfies never;
  }
}

/** The name, or with a number behind it the first that `env` does not have: what is there keeps its value. */
function freeName(name: string, env: Readonly<Record<string, string>>): string {
  let free = name;
  for (let number = 2; Object.hasOwn(env, free); number++) free = `${name}_${number}`;
  return free;
}

/** A name for the variable that carries what a path names. */
function variableFor(path: Path): string {
  const last = path.findLast((step) => typeof step === 'string') ?? 'value';
  const name = String(last)
    .toUpperCase()
    .replaceAll(/[^A-Z0-9_]/g, '_');
  return envNameProblem(name) === null ? name : 'VALUE';
}
