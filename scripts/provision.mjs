// Before the tests: makes sure there is a MariaDB server to run the store's tests against.
// Only the program is needed; each suite starts its own server on a temporary folder and port.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';

const INSTALL = 'apt-get update && apt-get install -y --no-install-recommends mariadb-server';

// Debian puts servers into /usr/sbin, which is not on everybody's PATH.
const folders = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin', '/usr/local/sbin'];
const isPresent = () => folders.some((folder) => existsSync(join(folder, 'mariadbd')));

function install() {
  console.log('gantry: the tests need mariadbd, installing mariadb-server with apt-get …');
  const apt = spawnSync('sh', ['-c', INSTALL], {
    // The package would start a system-wide server, which the tests neither use nor want.
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' },
    encoding: 'utf8',
    maxBuffer: 64 << 20,
  });
  if (apt.status !== 0) console.error(apt.stdout, apt.stderr);
}

const canInstall = process.getuid?.() === 0 && existsSync('/usr/bin/apt-get');
if (!isPresent() && canInstall) install();
if (!isPresent()) {
  console.error(`gantry: the tests need MariaDB's server (mariadbd, 10.6 or newer), and it is not installed.
  Debian, Ubuntu:  sudo sh -c '${INSTALL}'
  macOS:           brew install mariadb`);
  process.exit(1);
}
