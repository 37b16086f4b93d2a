import { missingCommand, MISSING_COMMAND_REMEDY, type Asked } from './engine-refusal.ts';
import type { Failed } from './failure.ts';
import type { LogPosition } from './log-frames.ts';

/** By these codes an init, or the engine's runtime, ends when it could not become the command. */
const CODES = new Set([1, 126, 127, 255]);

/** What they print then, and nothing else: tini (Docker's), catatonit (Podman's), runc. */
const SAID = [
  /^\[FATAL tini \(\d+\)\] (?:exec .* failed|fork failed): (.+)\n$/s,
  /^ERROR \(catatonit:\d+\): failed to (?:exec pid1|fork child): (.+)\n/s,
  /^exec \S+: (argument list too long|invalid argument|exec format error|no such file or directory|permission denied)\n$/s,
];

/**
 * Why a container that ended by itself never became its command: what the init inside it said. Null for a command that
 * ran. Whoever prints anything of their own has begun.
 */
export function neverBegan(exitCode: number, { stdout, stderr, lastWords }: LogPosition, asked: Asked): Failed | null {
  if (stdout > 0 || stderr !== lastWords.length || !CODES.has(exitCode)) return null;
  const said = lastWords.toString('latin1');
  const why = SAID.flatMap((pattern) => pattern.exec(said)?.[1] ?? [])[0];
  return why === undefined ? null : (ofWords(why, exitCode, asked) ?? null);
}

function ofWords(why: string, exitCode: number, asked: Asked): Failed | null {
  const failed = (code: string, message: string, remedy: string): Failed => ({
    ok: false,
    kind: 'APPLICATION',
    reason: { code, message, remedy },
    exitCode,
  });
  if (/no such file/i.test(why))
    return failed('COMMAND_NOT_FOUND', `${missingCommand(asked)}.`, MISSING_COMMAND_REMEDY);
  if (/permission denied/i.test(why)) {
    const message = 'The command may not be executed in the container: it is no program, or not for this user.';
    return failed('COMMAND_NOT_EXECUTABLE', message, 'Is it a file with the right to be executed?');
  }
  if (/exec format/i.test(why)) {
    const message = 'The command is no program that this processor runs.';
    return failed('COMMAND_NOT_EXECUTABLE', message, 'A script needs a first line #!; an image, the node’s processor.');
  }
  if (/temporarily unavailable/i.test(why)) {
    const message = 'The container may have too few processes to begin.';
    return failed('PROCESS_LIMIT', message, 'Raise `pids`: an init needs one, the command another.');
  }
  if (/too long|invalid argument/i.test(why)) {
    const message = 'The kernel does not take the words of the command and its environment: they are too large.';
    return failed('BAD_SPEC', message, 'Hand large values over as files.');
  }
  return null;
}
