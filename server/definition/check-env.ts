import { excerpt } from '../domain/excerpt.ts';
import { MAX_ENTRIES, MAX_ENV_CHARACTERS } from './limits.ts';
import type { Path, ProblemList } from './problem.ts';

const NAME = /^[A-Za-z_][A-Za-z0-9_]{0,127}$/;

/**
 * Names with which a value could take over the command that it is handed to, and our own. Case matters, as it does to
 * the operating system: `path` and `ld_preload` mean nothing to anybody.
 */
const RESERVED = /^(PATH|BASH_ENV|ENV|IFS|NODE_OPTIONS|LD_.*|DYLD_.*|PYTHON.*|GANTRY_.*)$/;

/** What is wrong with the name of an environment variable, or null. */
export function envNameProblem(name: string): { readonly code: string; readonly message: string } | null {
  if (!NAME.test(name)) {
    const rule = 'letters, digits and “_”, at most 128 of them, not beginning with a digit';
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
      problems.add({ ...problem, path: [...path, name], suggestion: otherName(name, env), place: 'KEY' });
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

/** The nearest name that may be used and is not taken. */
function otherName(name: string, env: Readonly<Record<string, string>>): string {
  const plain = name.replaceAll(/[^A-Za-z0-9_]/g, '_').replace(/^\d/, '_$&');
  const free = RESERVED.test(plain) ? `MY_${plain}` : plain;
  return envNameProblem(free) === null && !Object.hasOwn(env, free) ? `Write ${free}.` : 'Choose another name.';
}
