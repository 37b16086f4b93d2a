// Reads what the packages of one shard say of themselves and what they take on disk.
import { appendFileSync, existsSync, lstatSync, readdirSync, readFileSync, realpathSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';

const INSTALL_SCRIPTS = ['preinstall', 'install', 'postinstall'];
const shard = JSON.parse(process.env.GANTRY_ITEM);

/** Bytes on disk of a package's own files: nested packages are counted for themselves. */
function bytesOf(folder) {
  let bytes = 0;
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    if (entry.name === 'node_modules') continue;
    const path = join(folder, entry.name);
    // `blocks` are of 512 bytes on every system that has them.
    bytes += entry.isDirectory() ? bytesOf(path) : lstatSync(path).blocks * 512;
  }
  return bytes;
}

/** The licence as the manifest states it, in today's or one of the older ways; null when it states none. */
function licenceOf(manifest) {
  const stated = manifest.license ?? manifest.licence ?? manifest.licenses;
  const one = (entry) => (typeof entry === 'string' ? entry : entry?.type);
  const names = (Array.isArray(stated) ? stated : [stated]).map(one).filter((name) => typeof name === 'string' && name);
  return names.length === 0 ? null : names.join(' OR ');
}

/** What npm would run at installation. A binding.gyp alone makes it compile. */
function installScriptsOf(folder, manifest) {
  const scripts = INSTALL_SCRIPTS.filter((name) => typeof manifest.scripts?.[name] === 'string').map((name) => ({
    name,
    command: manifest.scripts[name],
  }));
  if (scripts.length === 0 && existsSync(join(folder, 'binding.gyp'))) {
    return [{ name: 'install', command: 'node-gyp rebuild' }];
  }
  return scripts;
}

function audit(path) {
  const isLink = lstatSync(path).isSymbolicLink();
  const folder = isLink ? realpathSync(path) : path;
  const scope = basename(dirname(path));
  const fallback = scope.startsWith('@') ? `${scope}/${basename(path)}` : basename(path);
  const manifest = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  return {
    name: typeof manifest.name === 'string' ? manifest.name : fallback,
    version: typeof manifest.version === 'string' ? manifest.version : null,
    path,
    isLink,
    licence: licenceOf(manifest),
    hasLicenceFile: readdirSync(folder).some((name) => /^(licen[cs]e|copying)/i.test(name)),
    // A linked package is a folder of the project, not something that was installed.
    bytes: isLink ? 0 : bytesOf(folder),
    installScripts: installScriptsOf(folder, manifest),
  };
}

const packages = [];
const unreadable = [];
for (const path of JSON.parse(readFileSync(shard.file, 'utf8'))) {
  try {
    packages.push(audit(path));
  } catch (error) {
    console.error(`${path}: ${error.message}`);
    unreadable.push({ path, message: error.message });
  }
}

const file = shard.file.replace(/shard-(\d+)\.json$/, 'audit-$1.json');
writeFileSync(file, JSON.stringify({ packages, unreadable }));
const bytes = packages.reduce((sum, each) => sum + each.bytes, 0);
console.log(`${packages.length} packages, ${(bytes / 2 ** 20).toFixed(1)} MiB, ${unreadable.length} unreadable`);
appendFileSync(process.env.GANTRY_OUTPUT, `file=${file}\npackages:=${packages.length}\nbytes:=${bytes}\n`);
