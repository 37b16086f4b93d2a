import { faultText, readJson } from '@gantry/plugin-kit/exact-json';
import { CommandFailure } from './failure.ts';
import { oneLine } from './terminal-text.ts';

/** The value of an option that takes JSON. */
export function jsonOption(option: string, text: string): unknown {
  const read = readJson(text);
  if (read.ok) return read.value;
  if (read.fault.code !== 'NOT_JSON') {
    const message = `--${option} cannot be taken: ${faultText(read.fault)}`;
    throw new CommandFailure({ code: 'USAGE', message, remedy: read.fault.remedy });
  }
  throw new CommandFailure({ code: 'USAGE', message: `--${option} takes JSON, not “${oneLine(text)}”.` });
}
