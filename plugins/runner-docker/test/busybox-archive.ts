import { spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const APPLETS = ['sh', 'echo', 'sleep', 'cat', 'id', 'dd', 'kill', 'ls', 'touch', 'env', 'tail', 'grep', 'yes', 'head'];

/**
 * A root file system with Debian's static busybox and nothing else, to be imported as an image.
 *
 * @param folder Where to write it.
 * @param filler A file in it, which makes its layer one that no other image has.
 * @param applets Its commands; without `sh` there is no shell.
 * @returns The path of the archive.
 */
export function busyboxArchive(
  folder: string,
  filler: Buffer | null = null,
  applets: readonly string[] = APPLETS,
): string {
  const busybox = ['/usr/bin/busybox', '/bin/busybox'].find((path) => existsSync(path));
  if (busybox === undefined)
    throw new Error('The tests of the docker runner need busybox: apt-get install busybox-static');
  const root = join(folder, 'root');
  for (const each of ['bin', 'tmp', 'etc', 'gantry']) mkdirSync(join(root, each), { recursive: true });
  copyFileSync(busybox, join(root, 'bin/busybox'));
  for (const applet of applets) symlinkSync('busybox', join(root, 'bin', applet));
  if (filler !== null) writeFileSync(join(root, 'filler'), filler);
  const archive = join(folder, 'root.tar');
  const tar = spawnSync('tar', ['-C', root, '-cf', archive, '.']);
  if (tar.status !== 0) throw new Error(tar.stderr.toString());
  rmSync(root, { recursive: true });
  return archive;
}
