import { statSync } from 'node:fs';
import { resolve } from 'node:path';
import { defineRunner, zodConfig, type Attempt, type Outcome, type RunnerNode } from '@gantry/plugin-kit/runner';
import { AttemptFiles, nameOf } from './attempt-files.ts';
import { shellBounds, type Bounds } from './bounds.ts';
import { Command, handleOf, type Handle } from './command.ts';
import { shellConfig, type ShellConfig } from './config.ts';
import { environmentOf, findProgram, refusalOf } from './environment.ts';
import { detected } from './detection.ts';
import { NoHelper, type Helpers } from './helpers.ts';
import { findInJournals } from './journal.ts';
import { failed, notFound, outcomeOf, withUsage, type Failed } from './outcome.ts';
import { RemovedLater } from './removed-later.ts';
import { BadSettings } from './settings.ts';
import { ShellNode } from './shell-node.ts';
import { lineOf, type Job } from './shell-text.ts';
import { UsageLooks } from './usage-looks.ts';
import { Watch } from './watch.ts';

/** A helper that died before it began a job has done nothing: another may. So many times. */
const TRIES = 3;

const lookers = { watch: new Watch(), looks: new UsageLooks() };
type ShellAttempt = Attempt<ShellConfig, Handle>;

const removedLater = new RemovedLater();
/** By the folder of their state. */
const nodes = new Map<string, ShellNode>();

/** Runs a command, a script or a program in a session of its own, and sees that nothing of it is left. */
export default defineRunner<ShellConfig, Handle>({
  name: 'shell',
  version: '1.0.0',
  summary: 'Runs a command, a script or a program on the node.',
  config: zodConfig(shellConfig),

  async run(attempt, node) {
    try {
      const shellNode = shellNodeOf(node);
      const group = shellNode.groupOf(nameOf(attempt.id));
      const bounds = shellNode.boundsOf(attempt.resources, attempt.config, group);
      try {
        group?.make(bounds.limits);
        return await runWithin(attempt, shellNode.helpers, bounds);
      } finally {
        await group?.remove();
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
      const shellNode = shellNodeOf(node);
      const group = shellNode.groupOf(nameOf(attempt.id));
      const bounds = shellNode.boundsOf(attempt.resources, attempt.config, group?.exists() ? group : null);
      const files = new AttemptFiles(found.folder, attempt.id);
      try {
        const command = new Command(attempt, files, bounds, lookers);
        const end = await command.reattach(found);
        return withUsage(outcomeOf(end, files), command.usage);
      } finally {
        files.remove();
      }
    } catch (error) {
      return nodeFault(error);
    }
  },

  detect(_signal, node) {
    return Promise.resolve(detected(() => shellNodeOf(node)));
  },

  async close() {
    const all = [...nodes.values()];
    nodes.clear();
    await Promise.all(all.map(({ helpers }) => helpers.close()));
    // What still runs is followed by nobody now.
    lookers.watch.clear();
    lookers.looks.clear();
    removedLater.close();
  },
});

function shellNodeOf(node: RunnerNode): ShellNode {
  let known = nodes.get(node.stateDirectory);
  if (!known) nodes.set(node.stateDirectory, (known = new ShellNode(node)));
  return known;
}

async function runWithin(attempt: ShellAttempt, helpers: Helpers, bounds: Bounds): Promise<Outcome> {
  for (let tries = 1; ; tries++) {
    const taken = helpers.take();
    const helper = taken instanceof Promise ? await taken : taken;
    const files = new AttemptFiles(helper.folder, attempt.id);
    try {
      if (attempt.stop.aborted) return outcomeOf({ type: 'NOT_STARTED' }, files);
      const job = prepare(attempt, files, bounds);
      if ('ok' in job) return job;
      const command = new Command(attempt, files, bounds, lookers);
      const end = await command.run(helper, lineOf(job, files));
      if (end.type !== 'NOT_STARTED' || tries === TRIES) return withUsage(outcomeOf(end, files), command.usage);
    } finally {
      removedLater.add(files);
      helpers.giveBack(helper);
    }
  }
}

/** What a helper is told; a failure when the command cannot be given to this machine at all. */
function prepare(attempt: ShellAttempt, files: AttemptFiles, bounds: Bounds): Job | Failed {
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
    before: shellBounds(bounds),
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
  if (error instanceof BadSettings)
    return failed('REJECTED', 'BAD_SETTINGS', error.message, 'Mend them in the configuration of the node.');
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
