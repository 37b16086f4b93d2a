import { readFile } from 'node:fs/promises';

/** Which start of the machine this is; null where the system does not say. What ran in another one runs no more. */
export async function bootId(): Promise<string | null> {
  const text = await readFile('/proc/sys/kernel/random/boot_id', 'latin1').catch(() => '');
  return text.trim() || null;
}
