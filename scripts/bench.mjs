// `npm run bench -- name` runs bench/name.ts; without a name it lists them.
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const folder = fileURLToPath(new URL('../bench/', import.meta.url));
const [name, ...args] = process.argv.slice(2);
const file = `${folder}${name}.ts`;

if (!name || !existsSync(file)) {
  const files = existsSync(folder) ? readdirSync(folder).filter((each) => each.endsWith('.ts')) : [];
  const names = files.map((each) => each.slice(0, -'.ts'.length)).join(', ');
  console.error(`Usage: npm run bench -- <name> [options]. There is: ${names || 'none yet'}.`);
  process.exit(1);
}
process.exit(spawnSync(process.execPath, ['--expose-gc', file, ...args], { stdio: 'inherit' }).status ?? 1);
