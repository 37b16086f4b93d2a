import type { Failed } from './failure.ts';

/** What an exit code says. Without a shell in between, 126 and 127 are the init's word for a command that is none. */
export function failedWith(exitCode: number, hasShell: boolean, mayHaveLackedMemory: boolean): Failed {
  const failed = (code: string, message: string, more: { readonly signal?: string } = {}): Failed => ({
    ok: false,
    kind: 'APPLICATION',
    reason: { code, message },
    exitCode,
    ...more,
  });
  if (!hasShell && exitCode === 127) return failed('COMMAND_NOT_FOUND', 'The image has no such command.');
  if (!hasShell && exitCode === 126) return failed('COMMAND_NOT_EXECUTABLE', 'The command may not be executed.');
  const signal = exitCode > 128 && exitCode <= 128 + 64 ? exitCode - 128 : null;
  if (signal === null) return failed('EXIT_CODE', `The command ended with exit code ${exitCode}.`);
  const name = SIGNALS[signal] ?? `signal ${signal}`;
  // On a busy machine an engine may miss why a container was killed that was gone at once.
  const perhaps = signal === 9 && mayHaveLackedMemory ? ' If nobody has killed it, it was short of memory.' : '';
  return failed('SIGNAL', `The command was ended by ${name}.${perhaps}`, { signal: name });
}

const SIGNALS: Readonly<Record<number, string>> = {
  1: 'SIGHUP',
  2: 'SIGINT',
  6: 'SIGABRT',
  9: 'SIGKILL',
  11: 'SIGSEGV',
  15: 'SIGTERM',
};
