// Remembers which package-lock.json node_modules was installed from. By content, not by
// time: git gives every file of a fresh checkout the time of the checkout.
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';

const lock = new URL('../package-lock.json', import.meta.url);
const stamp = new URL('../node_modules/.gantry-lock', import.meta.url);

const digest = () => createHash('sha256').update(readFileSync(lock)).digest('hex');

export const isInstalled = () => existsSync(stamp) && readFileSync(stamp, 'utf8') === digest();

export const stampLock = () => writeFileSync(stamp, digest());
