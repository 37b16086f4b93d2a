import { excerpt } from '../domain/excerpt.ts';
import { MAX_ENTRIES, MAX_ENV_CHARACTERS } from './limits.ts';
import type { Path, ProblemList } from './problem.ts';

const NAME = /^[A-Z_][A-Z0-9_]{0,127}$/;

/** Names with which a value could take over the command that it is handed to, and our own. */
const RESERVED = /^(PATH|BASH_ENV|ENV|IFS|NODE_OPTIONS|LD_.*|DYLD_.*|PYTHON.*|GANTRY_.*)$/;

/** What is wrong with the name of an environment variable, or null. */
export function envNameProblem(name: string): { readonly code: string; readonly message: string } | null {
  if (!NAME.test(name)) {
    const rule = 'capital letters, digits and “_”, at most 128 of them, not beginning with a digit';
    return { code: 'BAD_ENV_NAME', message: `The name “${excerpt(name)}” of an environment variable must be ${rule}.` };
  }
  if (!RESERVED.test(name)) return null;
  return { code: 'RESERVED_ENV_NAME', message: `The environment variable “${name}” is reserved.` };
}

/** Checks names and sizes of a task's `env`. */
export function checkEnv(env: Readonly<Record<string, string>>, path: Path, problems: ProblemList): void {
  const names = Object.keys(env);
  if (names.length > MAX_ENTRIES) {
    problems.add({ code: 'OUT_OF_RANGE', message: `“env” may have at most ${MAX_ENTRIES} variables.`, path });
    return;
  }
  for (const name of names) {
    const problem = envNameProblem(name);
    if (problem !== null)
      problems.add({ ...problem, path: [...path, name], suggestion: otherName(name), place: 'KEY' });
    if ((env[name] ?? '').length > MAX_ENV_CHARACTERS) {
      const message = `The value of “${excerpt(name)}” is larger than 64 KiB.`;
      problems.add({
        code: 'OUT_OF_RANGE',
        message,
        path: [...path, name],
        suggestion: 'Hand over the path of a file.',
      });
    }
  }
}

function otherName(name: string): string {
  const capital = name
    .toUpperCase()
    .replaceAll(/[^A-Z0-9_]/g, '_')
    .replace(/^\d/, '_$&');
  const free = RESERVED.test(capital) ? `MY_${capital}` : capital;
  return envNameProblem(free) === null ? `Write ${free}.` : 'Choose another name.';
}
