// Before start and test: installs node_modules when it is missing or from another lock file.
// Plain JavaScript without dependencies, because it runs on the machine's own Node (20 or newer).
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { isInstalled, stampLock } from './stamp.mjs';

if (!isInstalled()) {
  console.log('gantry: node_modules is missing or does not match package-lock.json, running npm ci …');
  const npm = spawnSync('npm', ['ci'], { cwd: fileURLToPath(new URL('..', import.meta.url)), stdio: 'inherit' });
  if (npm.error) console.error(`gantry: npm could not be started (${npm.error.message}); install npm 10 or newer.`);
  if (npm.status !== 0) process.exit(npm.status ?? 1);
  stampLock();
}
