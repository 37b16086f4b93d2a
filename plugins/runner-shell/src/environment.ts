import { dirname } from 'node:path';
import type { Attempt } from '@gantry/plugin-kit/runner';

/** What one argument or variable may hold: the kernel's own limit. Bytes. */
const MAX_VALUE_BYTES = 128 * 1024;

/** A clean environment: what every command needs, the attempt's own, and Gantry's. Nothing of the server's leaks in. */
export function environmentOf(
  attempt: Attempt<never, never>,
  folder: string,
  hasInputs: boolean,
): Record<string, string> {
  const { PATH, LANG } = process.env;
  return {
    // The server's own Node first, so that scripts run on the version that Gantry brings.
    PATH: `${dirname(process.execPath)}:${PATH ?? '/usr/local/bin:/usr/bin:/bin'}`,
    LANG: LANG ?? 'C.UTF-8',
    HOME: attempt.workdir,
    TMPDIR: attempt.workdir,
    ...attempt.env,
    GANTRY_RUN_ID: attempt.runId,
    GANTRY_TASK: attempt.taskKey,
    GANTRY_ATTEMPT: String(attempt.number),
    GANTRY_ATTEMPT_ID: attempt.id,
    GANTRY_WORKDIR: attempt.workdir,
    GANTRY_OUTPUT: `${folder}/output`,
    ...(hasInputs ? { GANTRY_INPUTS: `${folder}/inputs.json` } : {}),
  };
}

/** Why the kernel would not take these; null when it would. */
export function refusalOf(argv: readonly string[], env: Readonly<Record<string, string>>): string | null {
  for (const [name, value] of [
    ...argv.map((argument, index) => [`argument ${index}`, argument] as const),
    ...Object.entries(env),
  ]) {
    if (value.includes('\0')) return `${name} holds a NUL character, which no command can be given.`;
    if (value.length > MAX_VALUE_BYTES / 4 && Buffer.byteLength(value) >= MAX_VALUE_BYTES) {
      return `${name} has ${Buffer.byteLength(value)} bytes; ${MAX_VALUE_BYTES} are allowed. Read it from the file $GANTRY_INPUTS instead.`;
    }
  }
  return null;
}
