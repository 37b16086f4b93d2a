import { accessSync, constants, mkdirSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { defineRunner, zodConfig, type Attempt, type Outcome } from '@gantry/plugin-kit/runner';
import { Command, type End, type Handle } from './command.ts';
import { shellConfig, type ShellConfig } from './config.ts';
import { environmentOf, refusalOf } from './environment.ts';
import { Helpers } from './helpers.ts';
import { readOutputs } from './outputs.ts';
import { Watch } from './watch.ts';

const helpers = new Helpers();
const watch = new Watch();

type Failed = Extract<Outcome, { ok: false }>;
const failed = (kind: Failed['kind'], code: string, message: string, remedy?: string): Failed => ({
  ok: false,
  kind,
  reason: remedy === undefined ? { code, message } : { code, message, remedy },
});

/** Runs a command, a script or a program in a process group of its own, and sees that nothing of it is left. */
export default defineRunner<ShellConfig, Handle & Record<string, string | number | null>>({
  name: 'shell',
  version: '1.0.0',
  summary: 'Runs a command, a script or a program on the node.',
  config: zodConfig(shellConfig),

  async run(attempt, node) {
    const folder = join(node.stateDirectory, attempt.id);
    try {
      const prepared = prepare(attempt, folder);
      if ('refusal' in prepared) return failed('APPLICATION', 'BAD_SPEC', prepared.refusal);
      const command = new Command(attempt as never, folder, watch, Date.now());
      return outcomeOf(await command.start(helpers, prepared.message), folder, attempt.config);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  },

  async reattach(attempt, handle) {
    try {
      attempt.stderr.write('gantry: the agent was restarted; what was printed before may be repeated here.\n');
      const end = await new Command(attempt as never, handle.folder, watch, Date.now()).reattach(handle);
      return outcomeOf(end, handle.folder, null);
    } finally {
      await rm(handle.folder, { recursive: true, force: true });
    }
  },

  detect() {
    try {
      accessSync('/bin/sh', constants.X_OK);
      return Promise.resolve({ health: 'HEALTHY', enforces: [] });
    } catch {
      return Promise.resolve({
        health: 'ABSENT',
        reason: { code: 'NO_SHELL', message: 'There is no /bin/sh on this machine.' },
      });
    }
  },

  close: () => helpers.close(),
});

function prepare(attempt: Attempt<ShellConfig, never>, folder: string) {
  const { config } = attempt;
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const hasInputs = Object.keys(attempt.inputs).length > 0;
  const env = environmentOf(attempt as never, folder, hasInputs);
  const argv = argvOf(config, folder);
  const refusal = refusalOf(argv, env);
  if (refusal !== null) return { refusal };
  if (hasInputs) writeFileSync(env['GANTRY_INPUTS']!, JSON.stringify(attempt.inputs), { mode: 0o600 });
  const stdin = config.stdin === undefined ? null : join(folder, 'stdin');
  if (stdin !== null) writeFileSync(stdin, config.stdin!, { mode: 0o600 });
  const cwd =
    config.workingDirectory === undefined ? attempt.workdir : resolve(attempt.workdir, config.workingDirectory);
  return { message: { id: attempt.id, folder, argv, cwd, env, stdin } };
}

function argvOf({ command, script, argv, shell, interpreter }: ShellConfig, folder: string): readonly string[] {
  if (argv !== undefined) return argv;
  if (command !== undefined) return [shell, '-c', command];
  const path = join(folder, 'script');
  writeFileSync(path, script!, { mode: 0o700 });
  return [...[interpreter].flat(), path];
}

function outcomeOf(end: End, folder: string, config: ShellConfig | null): Outcome {
  switch (end.type) {
    case 'UNKNOWN':
      return failed('INFRASTRUCTURE', 'EXIT_STATUS_UNKNOWN', 'The command has ended while nobody could hear how.');
    case 'FAILED':
      return couldNotStart(end.code, end.message, config);
    case 'EXITED':
      break;
    default:
      return end satisfies never;
  }
  if (end.signal !== null)
    return { ...failed('APPLICATION', 'SIGNAL', `It was ended by ${end.signal}.`), signal: end.signal };
  const exitCode = end.code ?? 0;
  if (exitCode !== 0)
    return {
      ...failed('APPLICATION', 'EXIT_CODE', `It exited with code ${exitCode}${meaningOf(exitCode)}.`),
      exitCode,
    };
  const outputs = readOutputs(join(folder, 'output'));
  return outputs.ok ? outputs : { ...failed('APPLICATION', outputs.code, outputs.message), exitCode };
}

/** What shells mean by their own codes. */
function meaningOf(code: number): string {
  if (code === 126) return ': the command was found and could not be executed';
  if (code === 127) return ': the command was not found';
  if (code > 128 && code <= 192) return `, as shells do when a command was ended by signal ${code - 128}`;
  return '';
}

function couldNotStart(code: string, message: string, config: ShellConfig | null): Failed {
  const program = config?.argv?.[0] ?? config?.shell ?? 'the command';
  if (code === 'ENOENT')
    return failed(
      'APPLICATION',
      'COMMAND_NOT_FOUND',
      `${program} or its working folder does not exist (${message}).`,
      'Look at the PATH of the node and at workingDirectory.',
    );
  if (code === 'EACCES')
    return failed('APPLICATION', 'COMMAND_NOT_EXECUTABLE', `${program} may not be executed (${message}).`);
  if (code === 'E2BIG')
    return failed(
      'APPLICATION',
      'BAD_SPEC',
      'Arguments and environment together are too large.',
      'Read inputs from the file $GANTRY_INPUTS.',
    );
  return failed('INFRASTRUCTURE', code, `The command could not be started: ${message}.`);
}
