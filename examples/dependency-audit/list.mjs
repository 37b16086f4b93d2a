// Finds every package that is installed below a node_modules folder and splits them into shards.
// The lists go into files, because they may be long; the files' names are the output.
import { appendFileSync, existsSync, mkdirSync, mkdtempSync, readdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

const project = resolve(process.env.GANTRY_PARAM_FOLDER, '..', '..');
const root = resolve(project, process.env.GANTRY_PARAM_ROOT || 'node_modules');
const reports = resolve(project, process.env.GANTRY_PARAM_REPORTS || join('.gantry', 'reports'));
const shardCount = Number(process.env.GANTRY_PARAM_SHARDS);

if (!existsSync(root)) {
  console.error(`There is no folder ${root}. Run npm ci there first, or name another with the param “root”.`);
  process.exit(1);
}
if (!Number.isSafeInteger(shardCount) || shardCount < 1 || shardCount > 1000) {
  console.error(`The param “shards” must be a whole number from 1 to 1000, not ${process.env.GANTRY_PARAM_SHARDS}.`);
  process.exit(1);
}

/** Every package below a node_modules folder, nested ones included. A link is listed and not followed. */
function* packagesBelow(modules) {
  for (const entry of readdirSync(modules, { withFileTypes: true })) {
    if (entry.name.startsWith('.')) continue;
    const path = join(modules, entry.name);
    if (entry.isDirectory() && entry.name.startsWith('@')) yield* packagesBelow(path);
    else if (entry.isSymbolicLink() || existsSync(join(path, 'package.json'))) yield path;
    if (entry.isDirectory() && existsSync(join(path, 'node_modules'))) yield* packagesBelow(join(path, 'node_modules'));
  }
}

const packages = [...packagesBelow(root)].sort((a, b) => (a < b ? -1 : 1));
console.log(`${packages.length} packages below ${root}`);

mkdirSync(reports, { recursive: true });
const stamp = new Date().toISOString().replaceAll(':', '-').slice(0, 19);
const folder = mkdtempSync(join(reports, `${stamp}-`));
mkdirSync(join(folder, 'parts'));

const count = Math.min(shardCount, Math.max(1, packages.length));
const shards = [];
for (let index = 0; index < count; index++) {
  // Every count-th package: neighbours in the alphabet are of like size, and so the shards are too.
  const share = packages.filter((_, at) => at % count === index);
  const file = join(folder, 'parts', `shard-${index}.json`);
  writeFileSync(file, JSON.stringify(share));
  shards.push({ file, packages: share.length });
}
console.log(`${shards.length} shards in ${join(folder, 'parts')}`);

appendFileSync(
  process.env.GANTRY_OUTPUT,
  `root=${root}\nfolder=${folder}\npackages:=${packages.length}\nshards:=${JSON.stringify(shards)}\n`,
);
