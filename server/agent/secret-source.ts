import { isUtf8 } from 'node:buffer';
import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import { join } from 'node:path';
import type { Reason } from '@gantry/plugin-kit/vocabulary';
import { secretNameProblem } from '../domain/secret-name.ts';

/** Anything shorter could not be hidden in output without hiding half of it. Characters. */
export const MIN_SECRET_LENGTH = 4;
const MAX_SECRET_BYTES = 65_536;

/** A secret's value, or why this node does not hand it out. */
export type SecretAnswer =
  { readonly ok: true; readonly value: string } | { readonly ok: false; readonly reason: Reason };

/** Where a node has its secrets. */
export interface SecretSource {
  /** Read when it is needed, so that one that was exchanged counts from the next attempt on. */
  read(name: string): SecretAnswer;
}

/**
 * The secrets of a node: one file per name in a folder, or a variable `GANTRY_SECRET_<NAME>` of the agent. The file
 * wins. It must be closed to everybody but its owner, who is the agent's user or root.
 *
 * @param folder Null for none.
 */
export function nodeSecrets(folder: string | null, env: Readonly<Record<string, string | undefined>>): SecretSource {
  return {
    read(name) {
      // The name becomes a path: it is not taken from the server unseen.
      if (secretNameProblem(name) !== null) return refused('SECRET_MISSING', `There is no secret “${name}”.`);
      const variable = env[`GANTRY_SECRET_${name}`];
      const file = folder === null ? null : readSecretFile(join(folder, name), name);
      if (file !== null) return file;
      if (variable !== undefined) return checked(name, variable);
      const place = folder === null ? '' : ` in the file ${join(folder, name)} (mode 0600) or`;
      const message = `This node has no secret “${name}”.`;
      return refused('SECRET_MISSING', message, `Put it${place} in the variable GANTRY_SECRET_${name} of the agent.`);
    },
  };
}

/** Null where there is no such file. */
function readSecretFile(path: string, name: string): SecretAnswer | null {
  let file: number;
  try {
    // Not waiting for a pipe; a link is followed, as those are of mounted secrets.
    file = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return null;
    return refused('SECRET_UNREADABLE', `The secret “${name}” cannot be read from ${path} (${code}).`);
  }
  try {
    const stat = fstatSync(file);
    if (!stat.isFile()) return refused('SECRET_UNREADABLE', `${path} is no file.`);
    const isOwned = stat.uid === 0 || stat.uid === process.getuid?.();
    if ((stat.mode & 0o077) !== 0 || !isOwned) {
      const mode = (stat.mode & 0o777).toString(8);
      const message = `The file ${path} of the secret “${name}” is open to others (mode 0${mode}, owner ${stat.uid}).`;
      return refused('SECRET_UNREADABLE', message, `chmod 0600 ${path}, as a file of the agent’s user or of root.`);
    }
    if (stat.size > MAX_SECRET_BYTES) return tooLarge(name);
    const bytes = Buffer.alloc(stat.size);
    const content = bytes.subarray(0, readSync(file, bytes));
    if (!isUtf8(content)) return refused('SECRET_UNUSABLE', `The secret “${name}” is not UTF-8.`);
    // Editors and echo end a file with a line end that nobody means.
    return checked(name, content.toString().replace(/\r?\n$/, ''));
  } finally {
    closeSync(file);
  }
}

function checked(name: string, value: string): SecretAnswer {
  if (Buffer.byteLength(value) > MAX_SECRET_BYTES) return tooLarge(name);
  if (value.includes('\0')) return refused('SECRET_UNUSABLE', `The secret “${name}” holds a NUL character.`);
  if (value.length >= MIN_SECRET_LENGTH) return { ok: true, value };
  const message = `The secret “${name}” has fewer than ${MIN_SECRET_LENGTH} characters and could not be hidden in output.`;
  return refused('SECRET_UNUSABLE', message);
}

const tooLarge = (name: string): SecretAnswer =>
  refused('SECRET_UNUSABLE', `The secret “${name}” takes more than ${MAX_SECRET_BYTES} bytes.`);

const refused = (code: string, message: string, remedy?: string): SecretAnswer => ({
  ok: false,
  reason: remedy === undefined ? { code, message } : { code, message, remedy },
});
