import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { checkpointText } from '@gantry/plugin-kit/command-files';
import { withinLimits } from '@gantry/plugin-kit/command-limits';
import type { Attempt } from '@gantry/plugin-kit/runner';
import { shebangOf } from '@gantry/plugin-kit/shebang';
import type { AttemptFiles } from './attempt-files.ts';
import { shellBounds, type Bounds } from './bounds.ts';
import type { Handle } from './command.ts';
import type { GivenFile, ShellConfig } from './config.ts';
import { environmentOf, findProgram, maxTotalBytes } from './environment.ts';
import { failed, type Failed } from './outcome.ts';
import type { Job } from './shell-text.ts';
import { asUser } from './user.ts';
import { workdirOf } from './workdir.ts';

/** What a helper is told; a failure when the command cannot be given to this machine at all. */
export function prepare(attempt: Attempt<ShellConfig, Handle>, files: AttemptFiles, bounds: Bounds): Job | Failed {
  const { config } = attempt;
  const { userFolder } = files;
  let hasInputs = false;
  for (const _ in attempt.inputs) hasInputs = true;
  const own = userFolder?.workdir ?? attempt.workdir;
  const workdir = workdirOf(config.workdir, own);
  if (typeof workdir !== 'string') return workdir;
  const { field, text, argv } = commandOf(config, files);
  const all = environmentOf(attempt, own, userFolder?.user.name ?? null, files, hasInputs);
  const given = withinLimits(argv, all, maxTotalBytes(), (name, value) => files.write(`aside-${name}`, value));
  if ('problem' in given) return failed('APPLICATION', 'BAD_SPEC', given.problem.message, given.problem.remedy);
  for (const note of given.notes) attempt.stderr.write(`gantry: ${note}\n`);
  // Before the program is looked for: it may be one of them.
  if (config.files !== undefined) writeFiles(config.files, own, files);
  const program = findProgram(argv[0]!, given.env, workdir);
  if ('code' in program) return noProgram(field, program, config);
  argv[0] = program.path;
  if (text !== null) files.write('script', text, 0o700);
  if (hasInputs) files.write('inputs.json', JSON.stringify(attempt.inputs));
  const checkpoint = checkpointText(attempt);
  if (checkpoint !== null) files.write('checkpoint', checkpoint);
  const { umask } = config;
  return {
    attempt: attempt.id,
    argv,
    env: given.env,
    workdir,
    stdout: files.path('stdout'),
    stderr: files.path('stderr'),
    stdin: config.stdin === undefined ? null : files.write('stdin', config.stdin),
    before: [...shellBounds(bounds), ...(umask === undefined ? [] : [`umask ${umask}`])],
    asUser: userFolder === null ? [] : asUser(userFolder.user),
  };
}

function writeFiles(files: Readonly<Record<string, GivenFile>>, folder: string, { userFolder }: AttemptFiles): void {
  for (const name in files) {
    const path = join(folder, name);
    const { text, isExecutable } = files[name]!;
    const mode = isExecutable ? 0o700 : 0o600;
    if (userFolder === null) writeFileSync(path, text, { mode });
    else userFolder.write(path, text, mode);
  }
}

/** A path and words that mean to every shell what they say: it would execute just this. Spares its start. */
const PLAIN = /^\/[\w./-]+( [\w./:,@%+-]+)*$/;

/** What is run. */
interface Words {
  /** The field that names the program. */
  readonly field: string;
  readonly argv: string[];
  /** What is written to the file that is the last word; null where there is none. */
  readonly text: string | null;
}

/** Who runs a text: whom the task names, else whom the text's first line names, else a shell. */
function commandOf({ command, script, argv, shell, interpreter }: ShellConfig, files: AttemptFiles): Words {
  if (command !== undefined && PLAIN.test(command)) return { field: 'command', argv: command.split(' '), text: null };
  if (argv !== undefined) return { field: 'argv', argv: [...argv], text: null };
  const named = command === undefined ? interpreter : shell;
  const text = command ?? script!;
  const first = named === undefined ? shebangOf(text) : null;
  if (command !== undefined && first === null)
    return { field: 'shell', argv: [shell ?? '/bin/sh', '-c', command], text: null };
  const words = first ?? [interpreter ?? '/bin/sh'].flat();
  return { field: first === null ? 'interpreter' : '#!', argv: [...words, files.path('script')], text };
}

/** Why there is no such program, by the field that names it. */
function noProgram(field: string, { code, message }: { code: string; message: string }, config: ShellConfig): Failed {
  const name = config.argv?.[0];
  if (name !== undefined && config.files !== undefined && Object.hasOwn(config.files, name))
    return failed(
      'APPLICATION',
      code,
      `${field}: ${message}`,
      `To run the file that the task brings along, write ./${name}.`,
    );
  const remedy =
    code === 'COMMAND_NOT_EXECUTABLE' && name?.startsWith('./')
      ? 'A file of `files` may be run when it begins with #!, or as { text, executable: true }.'
      : undefined;
  return failed('APPLICATION', code, `${field}: ${message}`, remedy);
}
