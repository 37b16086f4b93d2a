import { nameOf, type AttemptFiles } from './attempt-files.ts';

/* Text for a POSIX shell. Every value is quoted as a whole: data stays data. */

/** A word that the shell takes as it is. */
export const quoted = (value: string): string => `'${value.replaceAll("'", `'\\''`)}'`;

/** Names that a shell gives a meaning of its own, or does not let be set: bash's constants, what dash checks. */
const SHELL_NAMES = new Set(
  'UID EUID PPID BASHOPTS SHELLOPTS BASH_VERSINFO OPTIND HISTSIZE LINENO RANDOM SECONDS IFS _ POSIXLY_CORRECT'.split(
    ' ',
  ),
);
const isAssignable = (name: string): boolean =>
  /^[A-Za-z_][A-Za-z0-9_]*$/.test(name) && !SHELL_NAMES.has(name) && !name.startsWith('LC_');

/** One command for a helper. */
export interface Job {
  readonly attempt: string;
  /** The first is a path with a slash in it: a bare name might be one of the shell's own commands. */
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly workdir: string;
  /** Appended to, so that the agent may cut off what it has read while the command goes on writing. */
  readonly stdout: string;
  readonly stderr: string;
  /** A file to read from; null for none. */
  readonly stdin: string | null;
  /** Commands of the shell that come before, in the process that becomes the command: limits, a control group. */
  readonly before: readonly string[];
  /** What becomes another user and runs the words after it; none when empty. */
  readonly asUser: readonly string[];
}

/** Said in the journal when what comes before a command has failed, and it was not run. */
export const NOT_BOUND = 'gantry: the limits could not be set.';

/** A longer line would not be written at once, which a FIFO does for so much and no more (PIPE_BUF). Bytes. */
const MAX_LINE_BYTES = 4_096;

/** The status does not matter: what is said in the journal tells it from the command's own. */
const GIVE_UP = `{ echo ${quoted(NOT_BOUND)} >&2; exit 125; }`;

/** The line that makes a helper run the job; a longer text is put in a file, which the line names. */
export function lineOf(job: Job, files: AttemptFiles): string {
  const text = textOf(job, files);
  const isShort = text.length <= MAX_LINE_BYTES / 3 || Buffer.byteLength(text) <= MAX_LINE_BYTES;
  return isShort ? text : `. ${quoted(files.write('job', text))}\n`;
}

/**
 * The environment is set after root is left behind: it is the task's, and LD_PRELOAD would load into setpriv. Not as
 * words of `env`, where everybody on the machine could read secrets for a moment.
 */
function asUserText(asUser: readonly string[], text: string, files: AttemptFiles): string {
  const path = files.write('run', `${text}\n`);
  files.userFolder?.handOver();
  return `exec ${[...asUser, '/bin/sh', path].map(quoted).join(' ')} `;
}

function textOf(
  { attempt, argv, env, workdir, stdout, stderr, stdin, before, asUser }: Job,
  files: AttemptFiles,
): string {
  let assignments = '';
  let viaEnv = '';
  for (const name in env) {
    if (isAssignable(name)) assignments += `${name}=${quoted(env[name]!)} `;
    else viaEnv += `${quoted(`${name}=${env[name]!}`)} `;
  }
  let command = viaEnv === '' ? '' : `/usr/bin/env ${viaEnv}`;
  for (const word of argv) command += `${quoted(word)} `;
  const from = stdin === null ? '' : ` <${quoted(stdin)}`;
  const id = quoted(attempt);
  const begun = files.streams === nameOf(attempt) ? id : `${id} ${quoted(files.streams)}`;
  const streams = `>>${quoted(stdout)} 2>>${quoted(stderr)}${from}`;
  // With nothing before it, a command needs no subshell, which would be a fork instead of a vfork.
  const isPlain = before.length === 0 && asUser.length === 0;
  const run =
    asUser.length === 0 ? `${assignments}exec ${command}` : asUserText(asUser, `${assignments}exec ${command}`, files);
  const all = isPlain
    ? assignments + command + streams
    : `(${[...before, ':'].join(' && ')} || ${GIVE_UP}; ${run}${streams})`;
  return (
    `if begin ${begun}; then if cd ${quoted(workdir)}; then unset OLDPWD; ` +
    `${all}; end ${id} $?; cd /; ` +
    `else end ${id} cd; fi; else end ${id} journal; fi\n`
  );
}
