import { isUtf8 } from 'node:buffer';
import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { parseOutputs, readOutputJson, type Outputs } from '@gantry/plugin-kit/outputs';
import type { Json } from '@gantry/plugin-kit/runner';

/** What all outputs of a command may take together. Bytes. */
const MAX_BYTES = 1_048_576;

/** What is wrong with the outputs of a command, or with a file. */
type Problem = Extract<Outputs, { ok: false }>;
const problem = (code: string, message: string): Problem => ({ ok: false, code, message });

/** A file whose content becomes an output. */
export interface OutputFile {
  readonly file: string;
  readonly format: 'text' | 'json';
}

/**
 * Reads a text that a command wrote; null when there is none. A link is not followed, and what is no plain file, or not
 * the user's, is refused: a command could otherwise have root hand it any file.
 *
 * @param owner Whose it has to be; anybody's when null.
 */
export function readWritten(path: string, shown: string, owner: number | null): string | Problem | null {
  let descriptor: number;
  try {
    // Without waiting for somebody to write, should it be a FIFO.
    descriptor = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return null;
    const why = code === 'ELOOP' ? 'is a link' : `cannot be read (${code})`;
    return problem('OUTPUT_UNREADABLE', `${shown} ${why}.`);
  }
  try {
    const state = fstatSync(descriptor);
    if (!state.isFile()) return problem('OUTPUT_UNREADABLE', `${shown} is no plain file.`);
    if (owner !== null && state.uid !== owner)
      return problem('OUTPUT_UNREADABLE', `${shown} belongs to another user than the command's.`);
    const content = Buffer.alloc(MAX_BYTES + 1);
    let length = 0;
    for (let count = -1; count !== 0 && length < content.length; length += count)
      count = readSync(descriptor, content, length, content.length - length, length);
    if (length > MAX_BYTES) return tooLarge(shown, Math.max(state.size, length));
    const text = content.subarray(0, length);
    return isUtf8(text) ? text.toString() : problem('OUTPUT_MALFORMED', `${shown} is not UTF-8.`);
  } finally {
    closeSync(descriptor);
  }
}

const tooLarge = (shown: string, bytes: number): Problem =>
  problem(
    'OUTPUTS_TOO_LARGE',
    `${shown} holds ${bytes} bytes; ${MAX_BYTES} are allowed for all outputs together. Write large results to a place of their own, and hand on its path.`,
  );

/** What a command wrote to $GANTRY_OUTPUT, where the path might lead astray. */
export function readOutputOf(path: string, owner: number): Outputs {
  const text = readWritten(path, '$GANTRY_OUTPUT', owner);
  return typeof text === 'string' || text === null ? parseOutputs(text ?? '') : text;
}

/** Adds the contents of files to outputs. @param folder The attempt's. */
export function withOutputFiles(
  outputs: Outputs,
  files: Readonly<Record<string, OutputFile>>,
  folder: string,
  owner: number | null,
): Outputs {
  if (!outputs.ok) return outputs;
  const all: Record<string, Json> = { ...outputs.outputs };
  let bytes = 0;
  for (const [name, { file, format }] of Object.entries(files)) {
    const text = readWritten(join(folder, file), `The file ${file}`, owner);
    if (text === null)
      return problem(
        'OUTPUT_FILE_MISSING',
        `The file ${file}, which was to become the output ${name}, was not written.`,
      );
    if (typeof text !== 'string') return text;
    bytes += Buffer.byteLength(text);
    if (bytes > MAX_BYTES) return tooLarge(`The file ${file}, with those before it,`, bytes);
    if (format === 'text') {
      all[name] = text;
      continue;
    }
    const read = readOutputJson(text, `The file ${file}`);
    if (!read.ok) return read;
    all[name] = read.value;
  }
  return { ok: true, outputs: all };
}
