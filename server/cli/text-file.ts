import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { decodeText } from '@gantry/plugin-kit/text';
import { CommandFailure } from './failure.ts';

/** Reads a text file: UTF-8, or what its byte order mark says. Fails with USAGE, and the place of a byte that is none. */
export function readTextFile(file: string, cwd: string): string {
  let bytes: Buffer;
  try {
    bytes = readFileSync(resolve(cwd, file));
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? String(error);
    const why = code === 'ENOENT' ? 'there is no such file' : code === 'EISDIR' ? 'it is a folder' : code;
    throw new CommandFailure({ code: 'USAGE', message: `${file} cannot be read: ${why}.` });
  }
  return textOf(bytes, file);
}

/** Reads all of standard input as text, under the same rules. */
export async function readAllText(stdin: AsyncIterable<Uint8Array | string>): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of stdin) chunks.push(typeof chunk === 'string' ? Buffer.from(chunk) : chunk);
  return textOf(Buffer.concat(chunks), 'Standard input');
}

function textOf(bytes: Uint8Array, shown: string): string {
  const decoded = decodeText(bytes);
  if (decoded.ok) return decoded.text;
  const remedy = 'Save it as UTF-8, or as UTF-16 with a byte order mark.';
  throw new CommandFailure({ code: 'USAGE', message: `${shown} cannot be read as text: ${decoded.message}`, remedy });
}
