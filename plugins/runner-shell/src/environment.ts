import { accessSync, constants, readFileSync, statSync } from 'node:fs';
import { delimiter, resolve } from 'node:path';
import type { Attempt } from '@gantry/plugin-kit/runner';
import type { AttemptFiles } from './attempt-files.ts';
import { baseEnvironment } from './starter.ts';

/** What one argument or variable may hold with its end mark: the kernel's MAX_ARG_STRLEN. Bytes. */
const MAX_STRING_BYTES = 128 * 1024;
/** What the kernel needs besides the texts of arguments and environment. Bytes. */
const SPARE_BYTES = 16 * 1024;

/**
 * What an attempt has of its own, besides what every command finds in its environment (baseEnvironment).
 *
 * @param workdir Its own folder. @param user As whom it runs, if not as the agent.
 */
export function environmentOf(
  attempt: Pick<Attempt, 'id' | 'number' | 'runId' | 'taskKey' | 'env'>,
  workdir: string,
  user: string | null,
  files: AttemptFiles,
  hasInputs: boolean,
): Record<string, string> {
  const env: Record<string, string> = { HOME: workdir, TMPDIR: workdir };
  if (user !== null) env['USER'] = env['LOGNAME'] = user;
  Object.assign(env, attempt.env);
  env['GANTRY_RUN_ID'] = attempt.runId;
  env['GANTRY_TASK'] = attempt.taskKey;
  env['GANTRY_ATTEMPT'] = String(attempt.number);
  env['GANTRY_ATTEMPT_ID'] = attempt.id;
  env['GANTRY_WORKDIR'] = workdir;
  env['GANTRY_OUTPUT'] = files.path('output');
  env['GANTRY_PROGRESS'] = files.path('progress');
  env['GANTRY_CHECKPOINT'] = files.path('checkpoint');
  if (hasInputs) env['GANTRY_INPUTS'] = files.path('inputs.json');
  return env;
}

/** Why the kernel would not take these; null when it would. */
export function refusalOf(argv: readonly string[], env: Readonly<Record<string, string>>): string | null {
  let total = 0;
  for (const argument of argv) {
    const bytes = Buffer.byteLength(argument) + 1;
    total += bytes + 8;
    if (bytes > MAX_STRING_BYTES || argument.includes('\0')) return refused(`argument "${shown(argument)}"`, bytes);
  }
  for (const name in env) {
    const value = env[name]!;
    const bytes = Buffer.byteLength(name) + Buffer.byteLength(value) + 2;
    total += bytes + 8;
    if (name === '' || name.includes('=') || name.includes('\0'))
      return `"${shown(name)}" cannot be the name of an environment variable.`;
    if (bytes > MAX_STRING_BYTES || value.includes('\0')) return refused(`variable ${name}`, bytes);
  }
  if (total > maxTotalBytes())
    return `Arguments and environment take ${total} bytes together; this node allows ${maxTotalBytes()}. Read inputs from the file $GANTRY_INPUTS instead.`;
  return null;
}

function refused(what: string, bytes: number): string {
  if (bytes > MAX_STRING_BYTES)
    return `The ${what} takes ${bytes} bytes; ${MAX_STRING_BYTES} are allowed. Read it from the file $GANTRY_INPUTS instead.`;
  return `The ${what} holds a NUL character, which no command can be given.`;
}

const shown = (text: string): string => text.slice(0, 40).replaceAll('\0', '\\0');

/** A quarter of the stack's limit, at most 6 MiB: the kernel's rule. */
function maxTotalBytes(): number {
  return (maxTotal ??= Math.min(6 * 1024 * 1024, stackBytes() / 4) - SPARE_BYTES);
}
let maxTotal: number | null = null;
function stackBytes(): number {
  try {
    const match = /^Max stack size +(\S+)/m.exec(readFileSync('/proc/self/limits', 'latin1'));
    return match?.[1] === 'unlimited' ? Infinity : Number(match?.[1] ?? 8 * 1024 * 1024);
  } catch {
    return 8 * 1024 * 1024;
  }
}

export type Program = { readonly path: string } | { readonly code: string; readonly message: string };

/** The program that a name stands for: a path as it is, a bare name by the command's own PATH. */
export function findProgram(name: string, env: Readonly<Record<string, string>>, workdir: string): Program {
  if (name.includes('/')) {
    const problem = problemOf(resolve(workdir, name));
    return problem === null ? { path: name } : { ...problem, message: `${name} ${problem.message}` };
  }
  const searched = env['PATH'] ?? baseEnvironment()['PATH']!;
  let found: { code: string; message: string } | null = null;
  for (const folder of searched.split(delimiter)) {
    const path = resolve(workdir, folder, name);
    const problem = problemOf(path);
    if (problem === null) return { path };
    if (problem.code !== 'COMMAND_NOT_FOUND') found ??= { ...problem, message: `${path} ${problem.message}` };
  }
  return found ?? { code: 'COMMAND_NOT_FOUND', message: `${name} is in no folder of the PATH ${searched}.` };
}

function problemOf(path: string): { code: string; message: string } | null {
  let isFile: boolean;
  try {
    isFile = statSync(path, { throwIfNoEntry: false })?.isFile() ?? false;
    if (!isFile) return { code: 'COMMAND_NOT_FOUND', message: 'does not exist, or is no file.' };
    accessSync(path, constants.X_OK);
    return null;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EACCES' || code === 'EPERM')
      return { code: 'COMMAND_NOT_EXECUTABLE', message: 'may not be executed on this node.' };
    return { code: 'COMMAND_NOT_FOUND', message: `cannot be looked at (${code}).` };
  }
}
