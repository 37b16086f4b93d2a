import type { Outcome } from '@gantry/plugin-kit/runner';
import { NoHelper } from './helpers.ts';
import { failed } from './outcome.ts';
import { BadSettings } from './settings.ts';

/** What the system lacks, by its code: it passes, and says nothing against the task. */
const LACKS: Readonly<Record<string, readonly [code: string, what: string, remedy: string]>> = {
  ENOSPC: ['DISK_FULL', 'the disk is full', 'Make room on the disk that holds the agent’s folder.'],
  EDQUOT: ['DISK_FULL', 'the quota of the agent’s user is used up', 'Raise the quota, or make room.'],
  EMFILE: ['TOO_MANY_FILES', 'the agent has too many files open', 'Raise the limit of open files (ulimit -n).'],
  ENFILE: ['TOO_MANY_FILES', 'the machine has too many files open', 'Raise fs.file-max.'],
  EAGAIN: ['NO_PROCESS', 'the machine has no more processes', 'Look at the limits of processes on the node.'],
  ENOMEM: ['NO_PROCESS', 'the machine has no more memory', 'Look at the memory of the node.'],
};

/**
 * What is wrong with the node and not with the task.
 *
 * @param hasBegun Whether the command may have begun: whatever the node lacked before that, another node may have.
 */
export function nodeFault(error: unknown, hasBegun: boolean): Outcome {
  if (error instanceof BadSettings)
    return failed('REJECTED', 'BAD_SETTINGS', error.message, 'Correct them in the configuration of the node.');
  if (error instanceof NoHelper)
    return failed(
      'REJECTED',
      'NO_HELPER',
      `No helper process could be started: ${error.message}`,
      'Look at the limits of processes and files on the node.',
    );
  const { code, message, cause } = error as NodeJS.ErrnoException;
  const systemCode = code ?? (cause as NodeJS.ErrnoException | undefined)?.code ?? 'RUNNER_FAULT';
  const lacks = LACKS[systemCode];
  if (lacks !== undefined) {
    const [kind, what, remedy] = lacks;
    const did = hasBegun ? 'learn how the command ended' : 'begin the command';
    return failed(hasBegun ? 'UNKNOWN' : 'REJECTED', kind, `The node could not ${did}: ${what} (${message}).`, remedy);
  }
  // What was handed to a helper goes on, whatever has gone wrong here. A fault of this program is not tried for ever.
  const kind = hasBegun ? 'UNKNOWN' : /^E[A-Z]+$/.test(systemCode) ? 'REJECTED' : 'INFRASTRUCTURE';
  return failed(kind, systemCode, `The node could not run the command: ${message}.`);
}
