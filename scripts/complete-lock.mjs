// Runs after every `npm install` (the `dependencies` script): makes package-lock.json whole.
//
// Tools such as oxlint and swc ship one optional package per platform. npm leaves out of the
// lock those it could not look up, which happens where a registry mirror holds only its own
// platform, and then `npm ci` refuses the lock everywhere. An entry needs no look-up: the
// parent names the exact version, and the name says the platform.
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { stampLock } from './stamp.mjs';

const OS = ['darwin', 'linux', 'win32', 'android', 'freebsd', 'openharmony'];
const CPU = ['arm64', 'x64', 'ia32', 'arm', 'ppc64', 's390x', 'riscv64', 'loong64'];
const EXACT_VERSION = /^\d+\.\d+\.\d+\S*$/;

/** What a platform package's name says about where it runs; undefined for any other package. */
export function platformOf(name) {
  const words = name.split(/[-/]/);
  const os = words.find((word) => OS.includes(word));
  const cpu = words.find((word) => CPU.includes(word));
  if (!os || !cpu) return undefined;
  const musl = words.some((word) => word.startsWith('musl'));
  const glibc = words.some((word) => word.startsWith('gnu'));
  return {
    cpu: [cpu],
    ...(os === 'linux' && (musl || glibc) ? { libc: [musl ? 'musl' : 'glibc'] } : {}),
    os: [os],
  };
}

/** Adds the missing platform packages to `lock`; returns how many. */
export function complete(lock) {
  let added = 0;
  for (const entry of Object.values(lock.packages)) {
    for (const [name, version] of Object.entries(entry.optionalDependencies ?? {})) {
      const key = `node_modules/${name}`;
      const platform = platformOf(name);
      if (lock.packages[key] || !platform || !EXACT_VERSION.test(version)) continue;
      const { cpu, ...rest } = platform;
      lock.packages[key] = { version, cpu, ...(entry.dev ? { dev: true } : {}), optional: true, ...rest };
      added++;
    }
  }
  lock.packages = Object.fromEntries(Object.entries(lock.packages).sort(([a], [b]) => a.localeCompare(b, 'en')));
  return added;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const file = new URL('../package-lock.json', import.meta.url);
  const lock = JSON.parse(readFileSync(file, 'utf8'));
  const added = complete(lock);
  if (added > 0) {
    writeFileSync(file, `${JSON.stringify(lock, null, 2)}\n`);
    console.log(`package-lock.json: added ${added} packages of other platforms`);
  }
  stampLock();
}
