import { defineRunner, zodConfig, type Attempt, type Outcome, type RunnerNode } from '@gantry/plugin-kit/runner';
import { AttemptFiles, nameOf } from './attempt-files.ts';
import type { Bounds } from './bounds.ts';
import { Command, handleOf, type Handle } from './command.ts';
import { shellConfig, type ShellConfig } from './config.ts';
import { detected } from './detection.ts';
import { prepare } from './prepare.ts';
import { failed, neverStarted, outcomeOf, traceGone, undecided, withUsage } from './outcome.ts';
import { nodeFault } from './node-fault.ts';
import { BadSettings } from './settings.ts';
import { ShellNode } from './shell-node.ts';
import { userOf, type User } from './user.ts';
import { lineOf } from './shell-text.ts';
import { UsageLooks } from './usage-looks.ts';
import { Watch } from './watch.ts';

/** A helper that died before it began a job has done nothing: another may. So many times. */
const TRIES = 3;

const lookers = { watch: new Watch(), looks: new UsageLooks() };
type ShellAttempt = Attempt<ShellConfig, Handle>;

/** By the folder of their state. */
const nodes = new Map<string, ShellNode>();

/** Runs a command, a script or a program in a session of its own, and sees that nothing of it is left. */
export default defineRunner<ShellConfig, Handle>({
  name: 'shell',
  version: '1.0.0',
  summary: 'Runs a command, a script or a program on the node.',
  config: zodConfig(shellConfig),
  // As Kubernetes has it for Jobs: whoever writes a command that must not run twice says `idempotent: false`.
  isIdempotent: () => true,

  async run(attempt, node) {
    const stage = { hasBegun: false };
    try {
      const shellNode = shellNodeOf(node);
      const group = shellNode.groupOf(nameOf(attempt.id));
      const bounds = shellNode.boundsOf(attempt.resources, attempt.config, group);
      const user = attempt.config.user === undefined ? null : await userOf(attempt.config.user, shellNode.settings);
      if (user !== null && 'code' in user) return failed(user.kind, user.code, user.message, user.remedy);
      try {
        group?.make(bounds.limits);
        return await runWithin(attempt, shellNode, user, bounds, stage);
      } finally {
        await group?.remove();
      }
    } catch (error) {
      return nodeFault(error, stage.hasBegun);
    }
  },

  handleOf,

  forget(attempt, node) {
    try {
      return shellNodeOf(node).forget(attempt);
    } catch (error) {
      // With settings that cannot be used nothing was started.
      if (error instanceof BadSettings) return undefined;
      throw error;
    }
  },

  async reattach(attempt, handle, node) {
    try {
      const shellNode = shellNodeOf(node);
      const found = await shellNode.former.search(handle.attempt);
      if (found === 'NEVER_STARTED') return handle['begun'] === undefined ? neverStarted() : traceGone();
      if (found === 'UNDECIDED') return undecided();
      const group = shellNode.groupOf(nameOf(attempt.id));
      const bounds = shellNode.boundsOf(attempt.resources, attempt.config, group?.exists() ? group : null);
      const { user: name } = attempt.config;
      const user = name === undefined ? null : await userOf(name, shellNode.settings);
      // It was let run, and runs: what has changed since does not make its end unknown.
      const folder = user === null || 'code' in user ? null : shellNode.userFolderOf(nameOf(attempt.id), user);
      const files = new AttemptFiles(found.folder, attempt.id, folder, found.entry.streams);
      try {
        const command = new Command(attempt, files, bounds, lookers);
        const end = await command.reattach(found);
        return withUsage(outcomeOf(end, files, attempt), command);
      } finally {
        shellNode.kept.add(attempt.id, files, null);
      }
    } catch (error) {
      return nodeFault(error, true);
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
  },
});

function shellNodeOf(node: RunnerNode): ShellNode {
  let known = nodes.get(node.stateDirectory);
  if (!known) nodes.set(node.stateDirectory, (known = new ShellNode(node)));
  return known;
}

/** @param stage Told when the command may have begun. */
async function runWithin(
  attempt: ShellAttempt,
  shellNode: ShellNode,
  user: User | null,
  bounds: Bounds,
  stage: { hasBegun: boolean },
): Promise<Outcome> {
  const { helpers } = shellNode;
  const userFolder = user && shellNode.userFolderOf(nameOf(attempt.id), user);
  for (let tries = 1; ; tries++) {
    const taken = helpers.take();
    const helper = taken instanceof Promise ? await taken : taken;
    const files = new AttemptFiles(helper.folder, attempt.id, userFolder, helper.takeStreams());
    try {
      if (attempt.stop.aborted) return outcomeOf({ type: 'NOT_STARTED' }, files, attempt);
      // Of a try before, if any.
      if (tries > 1) await userFolder?.remove();
      userFolder?.make();
      const job = prepare(attempt, files, bounds);
      if ('ok' in job) return job;
      const command = new Command(attempt, files, bounds, lookers);
      const line = lineOf(job, files);
      helper.hold(attempt.id);
      stage.hasBegun = true;
      const end = await command.run(helper, line);
      if (command.hasLeftNoOutput) helper.keep(files.passOn());
      if (end.type !== 'NOT_STARTED' || tries === TRIES) return withUsage(outcomeOf(end, files, attempt), command);
      stage.hasBegun = false;
    } finally {
      shellNode.kept.add(attempt.id, files, helper);
      helpers.giveBack(helper);
    }
  }
}
