// Builds the web UI into web/out when its sources have changed since. Before start and test, and as `npm run web`.
// Plain JavaScript without dependencies, because it runs on the machine's own Node (20 or newer).
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const web = join(root, 'web');
const stamp = join(web, 'out', '.gantry-sources');
const LEFT_OUT = new Set(['out', '.next', 'node_modules']);

/** Every file that the build reads, and the lock that says with what it is built. */
function sources(folder) {
  return readdirSync(folder, { withFileTypes: true })
    .filter(({ name }) => !LEFT_OUT.has(name) && name !== 'next-env.d.ts')
    .sort((one, other) => (one.name < other.name ? -1 : 1))
    .flatMap((entry) => (entry.isDirectory() ? sources(join(folder, entry.name)) : [join(folder, entry.name)]));
}

/** The files of the build that a browser keeps: as it asks for them, with the brackets of `[id]` escaped. */
function writeServiceWorker() {
  const out = join(web, 'out');
  const files = sources(out)
    .map((file) => file.slice(out.length).split(sep).map(encodeURIComponent).join('/'))
    .filter((file) => !file.startsWith('/.') && file !== '/service-worker.js');
  const build = JSON.stringify({ id: digest.slice(0, 16), files });
  const program = readFileSync(join(web, 'worker', 'service-worker.js'), 'utf8');
  writeFileSync(join(out, 'service-worker.js'), `const BUILD = ${build};\n${program}`);
}

const hash = createHash('sha256');
const shared = ['package-lock.json', 'plugins/kit/src/beginning.ts', 'plugins/kit/src/exact-json.ts'].map((file) =>
  join(root, file),
);
for (const file of [...shared, ...sources(web)]) {
  hash.update(file.slice(root.length)).update('\0').update(readFileSync(file)).update('\0');
}
const digest = hash.digest('hex');

if (process.argv.includes('--force') || !existsSync(stamp) || readFileSync(stamp, 'utf8') !== digest) {
  console.log('gantry: building the web UI …');
  const node = join(root, 'node_modules', '.bin', 'node');
  const next = join(root, 'node_modules', 'next', 'dist', 'bin', 'next');
  const { status, stdout, stderr } = spawnSync(node, [next, 'build', '--webpack'], {
    cwd: web,
    encoding: 'utf8',
    env: { ...process.env, NEXT_TELEMETRY_DISABLED: '1', NODE_ENV: 'production' },
  });
  if (status !== 0) {
    console.error(`${stdout}${stderr}\ngantry: the web UI could not be built.`);
    process.exit(1);
  }
  writeServiceWorker();
  writeFileSync(stamp, digest);
}
