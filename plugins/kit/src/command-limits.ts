/** What one argument or variable may hold, with its name and its end mark: Linux’ MAX_ARG_STRLEN. Bytes. */
export const MAX_STRING_BYTES = 128 * 1024;
/** A pointer to it, which counts as well. Bytes. */
const POINTER_BYTES = 8;

/** Why the kernel would not take a command. */
export interface LimitProblem {
  readonly message: string;
  readonly remedy: string;
}

type Environment = Readonly<Record<string, string>>;

/** What a command gets, when the kernel takes it. */
export interface WithinLimits {
  readonly env: Environment;
  /** What was left out, a sentence each. */
  readonly notes: readonly string[];
}

/** Gantry’s own variables that hold data of any size. A task’s author has not asked for them, so nothing fails for them. */
const isImplicit = (name: string): boolean => name === 'GANTRY_ITEM' || name.startsWith('GANTRY_PARAM_');

/**
 * An environment that the kernel takes: what the author of a task gave must fit, or there is a problem; what Gantry adds
 * of a task’s data (GANTRY_ITEM, GANTRY_PARAM_…) steps aside where it does not, into a file that `<NAME>_FILE` names.
 *
 * @param maxTotalBytes Of all words and variables together.
 * @param putAside Keeps a value in a file; returns its path, as the command knows it.
 */
export function withinLimits(
  argv: readonly string[],
  env: Environment,
  maxTotalBytes: number,
  putAside: (name: string, value: string) => string,
): WithinLimits | { readonly problem: LimitProblem } {
  const problem = problemOf(argv, env, maxTotalBytes);
  if (problem === null) return { env, notes: [] };
  const fitted: Record<string, string> = { ...env };
  const notes: string[] = [];
  for (const name of asideOf(argv, env, maxTotalBytes)) {
    const value = fitted[name]!;
    delete fitted[name];
    const file = `${name}_FILE`;
    // A param may be named so.
    const isFree = !(file in env);
    if (isFree) fitted[file] = putAside(name, value);
    const where = isFree ? `in the file $${file}` : 'in the file $GANTRY_INPUTS';
    notes.push(`$${name} cannot be a variable, with its ${Buffer.byteLength(value)} bytes: it is ${where}.`);
  }
  const left = problemOf(argv, fitted, maxTotalBytes);
  return left === null ? { env: fitted, notes } : { problem: left };
}

/** Which variables step aside: those that no command can have, then the largest ones until all others fit. */
function asideOf(argv: readonly string[], env: Environment, maxTotalBytes: number): readonly string[] {
  const implicit = Object.keys(env)
    .filter(isImplicit)
    .map((name) => ({ name, bytes: bytesOf(name, env[name]!), isPossible: !env[name]!.includes('\0') }))
    .sort((one, other) => other.bytes - one.bytes);
  let total = totalOf(argv, env);
  const aside: string[] = [];
  for (const { name, bytes, isPossible } of implicit) {
    if (isPossible && bytes <= MAX_STRING_BYTES && total <= maxTotalBytes) continue;
    aside.push(name);
    total -= bytes + POINTER_BYTES;
  }
  return aside;
}

const bytesOf = (name: string, value: string): number => Buffer.byteLength(name) + Buffer.byteLength(value) + 2;

function totalOf(argv: readonly string[], env: Environment): number {
  let total = 0;
  for (const word of argv) total += Buffer.byteLength(word) + 1 + POINTER_BYTES;
  for (const name in env) total += bytesOf(name, env[name]!) + POINTER_BYTES;
  return total;
}

const INPUTS = 'Read it from the file $GANTRY_INPUTS, which holds all that the task may read.';
const FILE = 'Hand it over as a file.';

/** Why the kernel would not take these; null when it would. */
function problemOf(argv: readonly string[], env: Environment, maxTotalBytes: number): LimitProblem | null {
  let total = 0;
  for (const word of argv) {
    const bytes = Buffer.byteLength(word) + 1;
    total += bytes + POINTER_BYTES;
    if (bytes > MAX_STRING_BYTES) return tooLarge(`argument “${shown(word)}”`, bytes, FILE);
    if (word.includes('\0')) return holdsNul(`argument “${shown(word)}”`);
  }
  const inputs = 'GANTRY_INPUTS' in env ? INPUTS : FILE;
  for (const name in env) {
    const value = env[name]!;
    const bytes = bytesOf(name, value);
    total += bytes + POINTER_BYTES;
    if (name === '' || name.includes('=') || name.includes('\0')) {
      const message = `“${shown(name)}” cannot be the name of an environment variable.`;
      return { message, remedy: 'A name has letters, digits and “_”.' };
    }
    if (bytes > MAX_STRING_BYTES) return tooLarge(`variable ${name}`, bytes, inputs);
    if (value.includes('\0')) return holdsNul(`variable ${name}`);
  }
  if (total <= maxTotalBytes) return null;
  const message = `Arguments and environment take ${total} bytes together; ${maxTotalBytes} are allowed here.`;
  return { message, remedy: 'GANTRY_INPUTS' in env ? 'Read inputs from the file $GANTRY_INPUTS instead.' : FILE };
}

const tooLarge = (what: string, bytes: number, remedy: string): LimitProblem => ({
  message: `The ${what} takes ${bytes} bytes; ${MAX_STRING_BYTES} are allowed.`,
  remedy,
});

const holdsNul = (what: string): LimitProblem => ({
  message: `The ${what} holds a NUL character, which no command can be given.`,
  remedy: 'Leave the character out, or hand the value over as a file.',
});

const shown = (text: string): string => text.slice(0, 40).replaceAll('\0', '\\0');
