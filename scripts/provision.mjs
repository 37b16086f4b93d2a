// Before the tests: makes sure that there is what they run against: a MariaDB server, a Docker engine and a registry,
// Podman, busybox for an image, a proxy, and Chromium. Only the programs are needed; each suite starts servers of its own, on temporary
// folders.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';

/** Programs, and the Debian packages that have them. */
const NEEDED = [
  { program: 'mariadbd', package: 'mariadb-server', why: 'MariaDB’s server, 10.6 or newer' },
  { program: 'dockerd', package: 'docker.io', why: 'a Docker engine' },
  {
    program: 'docker-registry',
    package: 'docker-registry',
    why: 'a registry for the images of the docker runner’s tests',
  },
  { program: 'podman', package: 'podman', why: 'Podman, which the docker runner can use as well' },
  { program: 'catatonit', package: 'catatonit', why: 'the init of Podman’s containers' },
  { program: 'busybox', package: 'busybox-static', why: 'a command for the image of the docker runner’s tests' },
  { program: 'tinyproxy', package: 'tinyproxy-bin', why: 'a proxy for the tests of the http runner' },
  { program: 'chromium', package: 'chromium', why: 'a browser for the tests of the web UI' },
];

// Debian puts servers into /usr/sbin, which is not on everybody's PATH.
const folders = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin', '/usr/local/sbin'];
const missing = () => NEEDED.filter(({ program }) => !folders.some((folder) => existsSync(join(folder, program))));
const installOf = (packages) => `apt-get update && apt-get install -y --no-install-recommends ${packages.join(' ')}`;

function install() {
  const packages = missing().map(({ package: name }) => name);
  console.log(`gantry: the tests need ${packages.join(', ')}, installing with apt-get …`);
  const apt = spawnSync('sh', ['-c', installOf(packages)], {
    // The packages would start system-wide servers, which the tests neither use nor want.
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' },
    encoding: 'utf8',
    maxBuffer: 64 << 20,
  });
  if (apt.status !== 0) console.error(apt.stdout, apt.stderr);
}

const canInstall = process.getuid?.() === 0 && existsSync('/usr/bin/apt-get');
if (missing().length > 0 && canInstall) install();
const left = missing();
if (left.length > 0) {
  console.error(`gantry: the tests need what is not installed: ${left.map(({ program, why }) => `${program} (${why})`).join(', ')}.
  Debian, Ubuntu:  sudo sh -c '${installOf(left.map(({ package: name }) => name))}'
  macOS:           brew install mariadb tinyproxy; brew install --cask chromium; the docker runner’s tests need Linux`);
  process.exit(1);
}
