import { accessSync, constants, readFileSync, statSync } from 'node:fs';
import { delimiter, resolve } from 'node:path';
import type { Attempt } from '@gantry/plugin-kit/runner';
import type { AttemptFiles } from './attempt-files.ts';
import { baseEnvironment } from './starter.ts';

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

/** What the kernel takes of arguments and environment together: a quarter of the stack's limit, at most 6 MiB. Bytes. */
export function maxTotalBytes(): number {
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
