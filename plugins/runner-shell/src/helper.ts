import { spawn } from 'node:child_process';
import { closeSync, fstatSync, openSync, renameSync, writeFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import type { Exit, HelperMessage, StartMessage } from './messages.ts';

/*
 * A small process that starts commands for the agent and learns how they end. It exists for two reasons. Fork copies
 * the page tables of whoever forks, which takes 36 times longer from a server of 1 GiB. And it outlives the agent:
 * when the agent dies, its commands run on, and their ends are still written down (`exit`), for the next agent to find.
 */

const tell = (message: HelperMessage): void => {
  process.stdout.write(`${JSON.stringify(message)}\n`);
};
// Nobody listens any more: the ends are in the files.
process.stdout.on('error', () => undefined);
// A terminal's Ctrl-C is the agent's to answer.
process.on('SIGINT', () => undefined);
process.on('SIGHUP', () => undefined);

createInterface({ input: process.stdin }).on('line', (line) => start(JSON.parse(line) as StartMessage));

function start({ id, folder, argv, cwd, env, stdin }: StartMessage): void {
  const failed = (error: unknown) => {
    const { code = 'UNKNOWN', message } = error as NodeJS.ErrnoException;
    tell({ id, type: 'FAILED', code, message });
  };
  const open: number[] = [];
  try {
    const input = stdin === null ? 'ignore' : openSync(stdin, 'r');
    // Appended to, so that the agent may cut off what it has read while the command goes on writing.
    const stdout = openSync(`${folder}/stdout`, 'a', 0o600);
    const stderr = openSync(`${folder}/stderr`, 'a', 0o600);
    open.push(stdout, stderr);
    if (input !== 'ignore') open.push(input);
    const child = spawn(argv[0]!, argv.slice(1), { cwd, env, stdio: [input, stdout, stderr], detached: true });
    if (child.pid !== undefined) tell({ id, type: 'STARTED', pid: child.pid });
    child.on('error', (error) => {
      close(open);
      failed(error);
    });
    child.on('exit', (code, signal) => {
      const exit: Exit = { code, signal, stdoutBytes: fstatSync(stdout).size, stderrBytes: fstatSync(stderr).size };
      close(open);
      try {
        writeFileSync(`${folder}/exit.new`, JSON.stringify(exit));
        renameSync(`${folder}/exit.new`, `${folder}/exit`);
      } catch {
        // The folder is gone or the disk is full; whoever listens is still told.
      }
      tell({ id, type: 'EXITED', ...exit });
    });
  } catch (error) {
    close(open);
    failed(error);
  }
}

function close(descriptors: number[]): void {
  for (const descriptor of descriptors.splice(0)) closeSync(descriptor);
}
