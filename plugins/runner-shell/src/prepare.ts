import { statSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { checkpointText } from '@gantry/plugin-kit/command-files';
import type { Attempt } from '@gantry/plugin-kit/runner';
import type { AttemptFiles } from './attempt-files.ts';
import { shellBounds, type Bounds } from './bounds.ts';
import type { Handle } from './command.ts';
import type { ShellConfig } from './config.ts';
import { environmentOf, findProgram, refusalOf } from './environment.ts';
import { failed, type Failed } from './outcome.ts';
import type { Job } from './shell-text.ts';
import { asUser } from './user.ts';

/** What a helper is told; a failure when the command cannot be given to this machine at all. */
export function prepare(attempt: Attempt<ShellConfig, Handle>, files: AttemptFiles, bounds: Bounds): Job | Failed {
  const { config } = attempt;
  const { userFolder } = files;
  let hasInputs = false;
  for (const _ in attempt.inputs) hasInputs = true;
  const own = userFolder?.workdir ?? attempt.workdir;
  const env = environmentOf(attempt, own, userFolder?.user.name ?? null, files, hasInputs);
  const workdir = config.workdir === undefined ? own : resolve(own, config.workdir);
  if (config.workdir !== undefined && !(statSync(workdir, { throwIfNoEntry: false })?.isDirectory() ?? false))
    return failed('APPLICATION', 'WORKDIR_NOT_FOUND', `The working folder ${workdir} does not exist on this node.`);
  const argv = argvOf(config, files);
  const refusal = refusalOf(argv, env);
  if (refusal !== null) return failed('APPLICATION', 'BAD_SPEC', refusal);
  const program = findProgram(argv[0]!, env, workdir);
  if ('code' in program) return failed('APPLICATION', program.code, program.message);
  argv[0] = program.path;
  if (config.script !== undefined) files.write('script', config.script, 0o700);
  if (hasInputs) files.write('inputs.json', JSON.stringify(attempt.inputs));
  const checkpoint = checkpointText(attempt);
  if (checkpoint !== null) files.write('checkpoint', checkpoint);
  if (config.files !== undefined) writeFiles(config.files, own, files);
  const { umask } = config;
  return {
    attempt: attempt.id,
    argv,
    env,
    workdir,
    stdout: files.path('stdout'),
    stderr: files.path('stderr'),
    stdin: config.stdin === undefined ? null : files.write('stdin', config.stdin),
    before: [...shellBounds(bounds), ...(umask === undefined ? [] : [`umask ${umask}`])],
    asUser: userFolder === null ? [] : asUser(userFolder.user),
  };
}

function writeFiles(contents: Readonly<Record<string, string>>, folder: string, { userFolder }: AttemptFiles): void {
  for (const name in contents) {
    const path = join(folder, name);
    if (userFolder === null) writeFileSync(path, contents[name]!, { mode: 0o600 });
    else userFolder.write(path, contents[name]!, 0o600);
  }
}

/** A path and words that mean to every shell what they say: it would execute just this. Spares its start. */
const PLAIN = /^\/[\w./-]+( [\w./:,@%+-]+)*$/;

function argvOf({ command, script, argv, shell, interpreter }: ShellConfig, files: AttemptFiles): string[] {
  if (command !== undefined) return PLAIN.test(command) ? command.split(' ') : [shell, '-c', command];
  if (script !== undefined) return [...[interpreter].flat(), files.path('script')];
  return [...argv!];
}
