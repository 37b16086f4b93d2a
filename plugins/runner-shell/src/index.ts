import { accessSync, constants, statSync } from 'node:fs';
import { resolve } from 'node:path';
import { defineRunner, zodConfig, type Attempt, type Outcome, type RunnerNode } from '@gantry/plugin-kit/runner';
import { AttemptFiles } from './attempt-files.ts';
import { Command, handleOf, type Handle } from './command.ts';
import { shellConfig, type ShellConfig } from './config.ts';
import { environmentOf, findProgram, refusalOf } from './environment.ts';
import { Helpers, NoHelper } from './helpers.ts';
import { findInJournals } from './journal.ts';
import { failed, notFound, outcomeOf, withUsage, type Failed } from './outcome.ts';
import { RemovedLater } from './removed-later.ts';
import { lineOf, type Job } from './shell-text.ts';
import { UsageLooks } from './usage-looks.ts';
import { Watch } from './watch.ts';

/** A helper that died before it began a job has done nothing: another may. So many times. */
const TRIES = 3;

const watch = new Watch();
const looks = new UsageLooks();
const removedLater = new RemovedLater();
const helpersByFolder = new Map<string, Helpers>();

/** Runs a command, a script or a program in a session of its own, and sees that nothing of it is left. */
export default defineRunner<ShellConfig, Handle>({
  name: 'shell',
  version: '1.0.0',
  summary: 'Runs a command, a script or a program on the node.',
  config: zodConfig(shellConfig),

  async run(attempt, node) {
    try {
      const helpers = helpersOf(node);
      for (let tries = 1; ; tries++) {
        const taken = helpers.take();
        const helper = taken instanceof Promise ? await taken : taken;
        const files = new AttemptFiles(helper.folder, attempt.id);
        try {
          if (attempt.stop.aborted) return outcomeOf({ type: 'NOT_STARTED' }, files);
          const job = prepare(attempt, files);
          if ('ok' in job) return job;
          const command = new Command(attempt, files, watch, looks);
          const end = await command.run(helper, lineOf(job, files));
          if (end.type !== 'NOT_STARTED' || tries === TRIES) return withUsage(outcomeOf(end, files), command.usage);
        } finally {
          removedLater.add(files);
          helpers.giveBack(helper);
        }
      }
    } catch (error) {
      return nodeFault(error);
    }
  },

  handleOf,

  async reattach(attempt, handle, node) {
    try {
      const found = findInJournals(node.stateDirectory, handle.attempt);
      if (found === null) return notFound();
      const files = new AttemptFiles(found.folder, attempt.id);
      try {
        const command = new Command(attempt, files, watch, looks);
        const end = await command.reattach(found);
        return withUsage(outcomeOf(end, files), command.usage);
      } finally {
        files.remove();
      }
    } catch (error) {
      return nodeFault(error);
    }
  },

  detect() {
    try {
      accessSync('/bin/sh', constants.X_OK);
      accessSync('/proc/self/stat', constants.R_OK);
      return Promise.resolve({ health: 'HEALTHY', enforces: [] });
    } catch (error) {
      const message = `It needs /bin/sh and Linux’ /proc: ${(error as Error).message}.`;
      return Promise.resolve({ health: 'ABSENT', reason: { code: 'NO_SHELL', message } });
    }
  },

  async close() {
    const all = [...helpersByFolder.values()];
    helpersByFolder.clear();
    await Promise.all(all.map((helpers) => helpers.close()));
    // What still runs is followed by nobody now.
    watch.clear();
    looks.clear();
    removedLater.close();
  },
});

function helpersOf(node: RunnerNode): Helpers {
  let helpers = helpersByFolder.get(node.stateDirectory);
  if (!helpers) {
    const { helperShell } = node.settings;
    helpers = new Helpers(node.stateDirectory, typeof helperShell === 'string' ? helperShell : undefined);
    helpersByFolder.set(node.stateDirectory, helpers);
  }
  return helpers;
}

/** What a helper is told; a failure when the command cannot be given to this machine at all. */
function prepare(attempt: Attempt<ShellConfig, Handle>, files: AttemptFiles): Job | Failed {
  const { config } = attempt;
  let hasInputs = false;
  for (const _ in attempt.inputs) hasInputs = true;
  const env = environmentOf(attempt, files, hasInputs);
  const workdir = config.workdir === undefined ? attempt.workdir : resolve(attempt.workdir, config.workdir);
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
  return {
    attempt: attempt.id,
    argv,
    env,
    workdir,
    stdout: files.path('stdout'),
    stderr: files.path('stderr'),
    stdin: config.stdin === undefined ? null : files.write('stdin', config.stdin),
  };
}

/** A path and words that mean to every shell what they say: it would execute just this. Spares its start. */
const PLAIN = /^\/[\w./-]+( [\w./:,@%+-]+)*$/;

function argvOf({ command, script, argv, shell, interpreter }: ShellConfig, files: AttemptFiles): string[] {
  if (command !== undefined) return PLAIN.test(command) ? command.split(' ') : [shell, '-c', command];
  if (script !== undefined) return [...[interpreter].flat(), files.path('script')];
  return [...argv!];
}

/** What is wrong with the node and not with the task. */
function nodeFault(error: unknown): Outcome {
  if (error instanceof NoHelper)
    return failed(
      'REJECTED',
      'NO_HELPER',
      `No helper process could be started: ${error.message}`,
      'Look at the limits of processes and files on the node.',
    );
  const { code = 'RUNNER_FAULT', message } = error as NodeJS.ErrnoException;
  return failed('INFRASTRUCTURE', code, `The node could not see to the command: ${message}.`);
}
