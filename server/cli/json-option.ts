import { CommandFailure } from './failure.ts';
import { oneLine } from './terminal-text.ts';

/** The value of an option that takes JSON. */
export function jsonOption(option: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new CommandFailure({ code: 'USAGE', message: `--${option} takes JSON, not “${oneLine(text)}”.` });
  }
}
