import { systemClock } from '../../server/clock.ts';
import { runCommandLine } from '../../server/cli/program.ts';

/** What a command line wrote and what it exited with. */
export interface Ended {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Terminal {
  readonly isTTY?: boolean;
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  readonly stdin?: string;
  /** Called with what was written so far, at each writing; returns true to press Ctrl-C, once. */
  readonly interruptWhen?: (stdout: string) => boolean;
}

/** Runs `gantry` with these words in this process, against a terminal of text. */
export async function gantry(words: readonly string[], terminal: Terminal = {}): Promise<Ended> {
  let stdout = '';
  let stderr = '';
  const listeners = new Set<() => void>();
  let isInterrupted = false;
  const { isTTY = false, env = {}, cwd = '/', stdin = '' } = terminal;
  const exitCode = await runCommandLine(words, {
    env: { GANTRY_TOKEN: 'the-right-token', ...env },
    cwd,
    stdin: (async function* () {
      yield stdin;
    })(),
    stdout: {
      isTTY,
      columns: 100,
      write(text) {
        stdout += text;
        if (!isInterrupted && terminal.interruptWhen?.(stdout)) {
          isInterrupted = true;
          for (const listener of listeners) listener();
        }
      },
    },
    stderr: { isTTY, write: (text) => (stderr += text) },
    now: () => Date.parse('2026-11-20T10:00:02.000Z'),
    // Waits are for others to catch up: here nobody needs them.
    sleep: (ms, signal) => systemClock.sleep(Math.min(ms, 5), signal),
    onInterrupt(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    exitNow: () => undefined,
  });
  return { exitCode, stdout, stderr };
}
