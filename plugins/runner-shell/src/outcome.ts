import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { constants } from 'node:os';
import { dirname, resolve } from 'node:path';
import { lackOfSpace, mayBeCutShort, type LackOfSpace } from '@gantry/plugin-kit/disk-space';
import type { Attempt, Outcome } from '@gantry/plugin-kit/runner';
import type { AttemptFiles } from './attempt-files.ts';
import type { End } from './command.ts';
import type { ShellConfig } from './config.ts';
import { readOutputOf, withOutputFiles } from './output-files.ts';
import { NOT_BOUND } from './shell-text.ts';
import type { Usage } from './usage-meter.ts';
import { readOutputs, type Outputs } from '@gantry/plugin-kit/outputs';

/** So much of the end of stderr is looked at for a shell's word of a signal, and for a command's of a full disk. Bytes. */
const SAID_BYTES = 64;
const LAST_WORDS_BYTES = 4_096;

export type Failed = Extract<Outcome, { ok: false }>;

/** A failure with its reason. */
export const failed = (kind: Failed['kind'], code: string, message: string, remedy?: string): Failed => ({
  ok: false,
  kind,
  reason: remedy === undefined ? { code, message } : { code, message, remedy },
});

/** Of an attempt that a restarted agent asks for, and that no helper has begun. */
export const neverStarted = (): Failed =>
  failed(
    'REJECTED',
    'ATTEMPT_NOT_FOUND',
    'The agent was restarted before the command was started: no helper has a record of it.',
  );

/** Of an attempt that a restarted agent asks for, that has begun, and of which all records were removed. */
export const traceGone = (): Failed =>
  failed('UNKNOWN', 'ATTEMPT_NOT_FOUND', 'The command was started, and what this node knew of it was removed.');

/** Of an attempt that a restarted agent asks for, and that a helper may still begin. */
export const undecided = (): Failed =>
  failed(
    'UNKNOWN',
    'HELPER_DOES_NOT_END',
    'The agent was restarted, and a helper process of the one before that may have been given the command does not end.',
    'Look for the process on the node, and end it.',
  );

/** An outcome with what else is known of the command. */
export function withUsage(
  outcome: Outcome,
  { usage, endedBeforeStop }: { readonly usage: Usage; readonly endedBeforeStop: boolean },
): Outcome {
  let whole = outcome;
  if (endedBeforeStop) whole = { ...whole, endedBeforeStop };
  for (const _ in usage) return { ...whole, usage };
  return whole;
}

/** Of an attempt: what its outputs are to be read from, and where it may have written. */
type ItsOutputs = Pick<Attempt<Pick<ShellConfig, 'outputFiles' | 'workdir'>>, 'config' | 'workdir' | 'env'>;

function outputsOf(files: AttemptFiles, attempt: ItsOutputs): Outputs {
  const { userFolder } = files;
  const owner = userFolder?.user.uid ?? null;
  const written = owner === null ? readOutputs(files.path('output')) : readOutputOf(files.path('output'), owner);
  const { outputFiles } = attempt.config;
  if (outputFiles === undefined) return written;
  return withOutputFiles(written, outputFiles, userFolder?.workdir ?? attempt.workdir, owner);
}

/** What is reported of a command that has ended one way or the other. */
export function outcomeOf(end: End, files: AttemptFiles, attempt: ItsOutputs): Outcome {
  switch (end.type) {
    case 'ENDED':
      return outcomeOfStatus(end, files, attempt);
    case 'EXCEEDED':
      return exceeded(end);
    case 'KILLED':
      return { ...failed('APPLICATION', 'SIGNAL', 'It was ended by SIGKILL.'), signal: 'SIGKILL' };
    case 'NOT_STARTED':
      return failed('REJECTED', 'NOT_STARTED', 'The command was not started.');
    case 'REBOOTED':
      return failed('INFRASTRUCTURE', 'HOST_REBOOTED', 'The machine was started anew while the command ran.');
    case 'UNKNOWN':
      // The helper says this instead of starting the command, and ends.
      if (NO_PROCESS.test(end.remark))
        return failed(
          'REJECTED',
          'NO_PROCESS',
          `The command was not started, because the machine has no process for it: ${end.remark}`,
          'Look at the memory and at the limits of processes on the node.',
        );
      return failed(
        'UNKNOWN',
        'EXIT_STATUS_UNKNOWN',
        `The command has ended, and how is not known: the helper process that ran it had been ended.${end.remark === '' ? '' : ` Its last words: ${end.remark}`}`,
      );
    default:
      return end satisfies never;
  }
}

/** What shells say that cannot fork: dash, bash. */
const NO_PROCESS = /cannot v?fork|fork: (resource temporarily unavailable|cannot allocate memory)/i;

/** What a command is told that went beyond a limit. */
function exceeded({ what, allowed, status }: Extract<End, { type: 'EXCEEDED' }>): Failed {
  const ended = status === null || Number(status) === 137 ? { signal: 'SIGKILL' } : { exitCode: Number(status) };
  switch (what) {
    case 'MEMORY': {
      const message = `It needed more than the ${allowed} bytes of memory that it was given, and was ended.`;
      return {
        ...failed('OOM', 'OUT_OF_MEMORY', message, 'Ask for more under resources.memory of the task.'),
        ...ended,
      };
    }
    case 'TASKS': {
      const message = `It had more than the ${allowed} processes and threads that it may have, and was ended.`;
      return { ...failed('APPLICATION', 'PROCESS_LIMIT', message, 'Raise `pids`, or start fewer.'), ...ended };
    }
    case 'OUTPUT': {
      const message = `It printed more than the ${allowed} bytes that it may, and was ended.`;
      return {
        ...failed('APPLICATION', 'OUTPUT_LIMIT', message, 'Raise `maxOutputBytes`, or print to a file.'),
        ...ended,
      };
    }
    default:
      return what satisfies never;
  }
}

function outcomeOfStatus(end: Extract<End, { type: 'ENDED' }>, files: AttemptFiles, attempt: ItsOutputs): Outcome {
  const { status, remark } = end;
  if (remark.split('\n').includes(NOT_BOUND))
    return failed(
      'INFRASTRUCTURE',
      'LIMITS_NOT_SET',
      `It was not started, because its limits could not be set: ${remark.replace(NOT_BOUND, '').trim()}`,
    );
  if (status === 'cd')
    return attempt.config.workdir === undefined
      ? failed('INFRASTRUCTURE', 'WORKDIR_GONE', 'The working folder could not be entered.')
      : failed('APPLICATION', 'WORKDIR_NOT_FOUND', `The working folder ${attempt.config.workdir} cannot be entered.`);
  if (status === 'journal')
    return failed('REJECTED', 'DISK_FULL', 'The command was not started: its start could not be written down.', ROOM);
  const exitCode = Number(status);
  if (exitCode === 0) return succeeded(files, attempt);
  // The shell could not open the files: then it has not started anything.
  if (!files.hasStream('stderr')) return outputUnwritable(files);
  const signal = signalOf(exitCode);
  if (signal !== null && isTold(signal, remark, files)) {
    // What is mapped to a file on a full disk cannot be written to.
    const lack = signal === 'SIGBUS' ? lackOf(files, attempt) : null;
    if (lack !== null) return { ...failedFor(lack, `It was ended by ${signal}`), exitCode, signal };
    return { ...failed('APPLICATION', 'SIGNAL', `It was ended by ${signal}.${hintOf(signal)}`), exitCode, signal };
  }
  const lack = lackOf(files, attempt);
  if (lack !== null) return { ...failedFor(lack, `It exited with code ${exitCode}`), exitCode };
  const refused = end.refusedTaskCount ?? 0;
  const hint =
    refused === 0 ? '' : ` The kernel refused it a process or thread ${refused} times: see its limit \`pids\`.`;
  return {
    ...failed('APPLICATION', 'EXIT_CODE', `It exited with code ${exitCode}${meaningOf(exitCode)}.${hint}`),
    exitCode,
  };
}

const ROOM = 'Make room on the disk that holds the agent’s folder.';

function succeeded(files: AttemptFiles, attempt: ItsOutputs): Outcome {
  const outputs = outputsOf(files, attempt);
  if (!outputs.ok) return { ...failed('APPLICATION', outputs.code, outputs.message, outputs.remedy), exitCode: 0 };
  // A restart may ask for an attempt whose end was delivered, and its files removed.
  if (!files.hasStream('stdout')) return outputUnwritable(files);
  if (
    !mayBeCutShort(dirname(files.folder)) &&
    (files.userFolder === null || !mayBeCutShort(dirname(files.userFolder.path)))
  )
    return outputs;
  const message =
    'It exited with code 0, but the node’s disk is full: what it printed, or wrote to $GANTRY_OUTPUT, may be cut short.';
  return { ...failed('APPLICATION', 'DISK_FULL', message, ROOM), exitCode: 0 };
}

/** Where what it prints and hands on is written to. */
const foldersOf = (files: AttemptFiles): readonly string[] =>
  files.userFolder === null ? [files.folder] : [files.folder, files.userFolder.path];

/** Whether a command that failed lacked space, wherever it may have written. */
function lackOf(files: AttemptFiles, { config, workdir, env }: ItsOutputs): LackOfSpace | null {
  const own = files.userFolder?.workdir ?? workdir;
  const named = config.workdir === undefined ? [] : [resolve(own, config.workdir)];
  const temporary = [env['TMPDIR'], env['HOME'], '/tmp'].filter((path) => path?.startsWith('/') === true);
  const lastWords = files.isPassedOn ? '' : endOfFile(files.path('stderr'), LAST_WORDS_BYTES);
  return lackOfSpace([own, ...named, ...foldersOf(files), ...(temporary as string[])], lastWords);
}

const failedFor = ({ kind, code, message, remedy }: LackOfSpace, what: string): Failed =>
  failed(kind, code, `${what}, and ${message}.`, remedy);

function outputUnwritable(files: AttemptFiles): Failed {
  if (mayBeCutShort(dirname(files.folder)))
    return failed(
      'REJECTED',
      'DISK_FULL',
      'The command was not started: the files of its output could not be made.',
      ROOM,
    );
  return failed(
    'INFRASTRUCTURE',
    'OUTPUT_FILES_MISSING',
    'The files that take the output of the command are not there: they could not be made, or are gone.',
    'Look at the disk that holds the folder of the node’s runners.',
  );
}

/** What shells mean by their own codes. */
function meaningOf(code: number): string {
  if (code === 126) return ': a command was found and could not be executed';
  if (code === 127) return ': a command was not found';
  const signal = signalOf(code);
  return signal === null ? '' : `, as shells do after ${signal}`;
}

const hintOf = (signal: string): string =>
  signal === 'SIGKILL' ? ' Gantry did not send it; the kernel does when memory runs out.' : '';

const signalOf = (code: number): NodeJS.Signals | null => SIGNALS.get(code - 128) ?? null;
const SIGNALS = new Map(Object.entries(constants.signals).map(([name, number]) => [number, name as NodeJS.Signals]));

/** The names by which shells say that a signal has ended a command. */
const SAID: Readonly<Partial<Record<NodeJS.Signals, string>>> = {
  SIGHUP: 'Hangup',
  SIGQUIT: 'Quit',
  SIGILL: 'Illegal instruction',
  SIGTRAP: 'Trace/breakpoint trap',
  SIGABRT: 'Aborted',
  SIGBUS: 'Bus error',
  SIGFPE: 'Floating point exception',
  SIGKILL: 'Killed',
  SIGUSR1: 'User defined signal 1',
  SIGSEGV: 'Segmentation fault',
  SIGUSR2: 'User defined signal 2',
  SIGALRM: 'Alarm clock',
  SIGTERM: 'Terminated',
  SIGXCPU: 'CPU time limit exceeded',
  SIGXFSZ: 'File size limit exceeded',
};

/**
 * Whether a shell said that the signal ended the command. The status alone cannot tell it from `exit 137`. dash says it
 * on the command's own standard error, bash on the helper's. Neither does for SIGINT and SIGPIPE.
 */
function isTold(signal: NodeJS.Signals, remark: string, files: AttemptFiles): boolean {
  const said = SAID[signal];
  if (said === undefined) return false;
  if (remark.includes(said)) return true;
  if (files.isPassedOn) return false;
  const lastLine = endOfFile(files.path('stderr'), SAID_BYTES).trimEnd().split('\n').at(-1)!;
  return lastLine === said || lastLine === `${said} (core dumped)`;
}

function endOfFile(path: string, bytes: number): string {
  const descriptor = openSync(path, 'r');
  try {
    const { size } = fstatSync(descriptor);
    const end = Buffer.alloc(Math.min(size, bytes));
    readSync(descriptor, end, 0, end.length, size - end.length);
    return end.toString('latin1');
  } finally {
    closeSync(descriptor);
  }
}
