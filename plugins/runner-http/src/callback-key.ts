import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { BadSettings } from './settings.ts';

const KEY_BYTES = 32;

/**
 * What a node signs the addresses of callbacks with: who shows a token was given it, for that attempt and until then.
 * The key stays on the node and outlives its agent, for what was signed before a restart must hold after it.
 */
export class CallbackKey {
  readonly #key: Buffer;

  /** @param folder The runner's own on the node. Throws BadSettings when the key can neither be read nor made. */
  constructor(folder: string) {
    this.#key = readOrMake(join(folder, 'callback-key'));
  }

  /** @param expiresAt Seconds since 1970. */
  sign(attempt: string, expiresAt: number): string {
    return createHmac('sha256', this.#key).update(`gantry callback\n${attempt}\n${expiresAt}`).digest('base64url');
  }

  /** Whether a token was signed here, for this attempt and this time. Takes as long for a wrong one as for the right. */
  isSigned(attempt: string, expiresAt: number, token: string): boolean {
    const [right, given] = [Buffer.from(this.sign(attempt, expiresAt)), Buffer.from(token)];
    return right.length === given.length && timingSafeEqual(right, given);
  }
}

function readOrMake(file: string): Buffer {
  try {
    // Never over one that is there: another process of the node may have made it just now.
    writeFileSync(file, randomBytes(KEY_BYTES), { mode: 0o600, flag: 'wx', flush: true });
  } catch (error) {
    if (codeOf(error) !== 'EEXIST')
      throw new BadSettings(`The key for callbacks, ${file}, cannot be made (${codeOf(error)})`);
  }
  try {
    const key = readFileSync(file);
    if (key.length === KEY_BYTES) return key;
  } catch (error) {
    throw new BadSettings(`The key for callbacks, ${file}, cannot be read (${codeOf(error)})`);
  }
  throw new BadSettings(
    `The key for callbacks, ${file}, does not have ${KEY_BYTES} bytes: remove it, and a new one is made`,
  );
}

const codeOf = (error: unknown): string => (error as NodeJS.ErrnoException).code ?? String(error);
