import { ShellAttempt } from './harness.ts';

// The agent before: starts the command, tells its checkpoint, and dies as kill -9 lets it die.
const [folder, command] = process.argv.slice(2);
const first = new ShellAttempt(folder!, 'run.999.1', { command: command! });
(first.attempt as { checkpoint(handle: unknown): Promise<void> }).checkpoint = (handle) => {
  process.stdout.write(JSON.stringify(handle), () => process.kill(process.pid, 'SIGKILL'));
  return new Promise(() => undefined);
};
void first.run();
