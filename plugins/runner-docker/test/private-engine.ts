import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Docker from 'dockerode';
import { busyboxArchive } from './busybox-archive.ts';

/** The image that the tests run: busybox and nothing else. */
export const IMAGE = 'gantry-test:1';

/** A Docker engine of the test's own: its data, its socket, its containers; nothing of the machine's is touched. */
export class PrivateEngine {
  readonly #folder = mkdtempSync(join(tmpdir(), 'gantry-dockerd-'));
  #daemon: ChildProcess | null = null;

  /** @param diskBytes How much its images and containers may take; null for as much as there is. */
  constructor(diskBytes: number | null = null) {
    mkdirSync(this.#data);
    if (diskBytes === null) return;
    const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${diskBytes}`, 'tmpfs', this.#data]);
    if (mounted.status !== 0) throw new Error(`No small disk could be made: ${mounted.stderr.toString()}`);
  }

  get #data(): string {
    return join(this.#folder, 'data');
  }

  get socket(): string {
    return join(this.#folder, 'docker.sock');
  }
  get host(): string {
    return `unix://${this.socket}`;
  }
  get docker(): Docker {
    return new Docker({ socketPath: this.socket });
  }

  /** Resolves when it answers. Rejects with what it wrote when it does not come up. */
  async start(): Promise<void> {
    const dockerd = ['/usr/sbin/dockerd', '/usr/bin/dockerd', '/usr/local/bin/dockerd'].find((path) =>
      existsSync(path),
    );
    if (dockerd === undefined)
      throw new Error('The tests of the docker runner need dockerd: apt-get install docker.io');
    const at = (name: string) => join(this.#folder, name);
    const networkless = ['--iptables=false', '--ip6tables=false', '--bridge=none'];
    const places = ['--data-root', this.#data, '--exec-root', at('run'), '--pidfile', at('pid'), '--host', this.host];
    const daemon = spawn(dockerd, [...places, ...networkless, '--storage-driver=vfs'], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#daemon = daemon;
    let said = '';
    let hasEnded = false;
    for (const stream of [daemon.stdout, daemon.stderr]) stream.on('data', (text: Buffer) => (said += text.toString()));
    daemon.once('exit', () => (hasEnded = true));
    while (!(await this.#answers())) {
      if (hasEnded) throw new Error(`dockerd did not start:\n${said.slice(-4_000)}`);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  /**
   * Makes an image from Debian's static busybox.
   *
   * @param image Its name with its tag.
   * @param filler A file in it, which makes its layer one that no other image has.
   */
  async importImage(image = IMAGE, filler: Buffer | null = null): Promise<void> {
    const [, repo, tag] = /^(.*):([^:]+)$/.exec(image)!;
    const archive = busyboxArchive(this.#folder, filler);
    await this.#untilDone(await this.docker.importImage(archive, { repo, tag }));
    rmSync(archive);
  }

  /** Makes an image without a shell: `/bin/busybox` is all that is in it. */
  async importShellless(image: string): Promise<void> {
    const [repo, tag] = image.split(':');
    const archive = busyboxArchive(this.#folder, null, []);
    await this.#untilDone(await this.docker.importImage(archive, { repo, tag }));
    rmSync(archive);
  }

  /** Has a registry keep an image of the engine's; the engine itself forgets it. */
  async pushAway(image: string, authconfig: { readonly username: string; readonly password: string }): Promise<void> {
    await this.#untilDone(await this.docker.getImage(image).push({ authconfig }));
    await this.docker.getImage(image).remove();
  }

  /** kill -9, as a crash would be. Its containers are not told. */
  async crash(): Promise<void> {
    const daemon = this.#daemon!;
    const ended = new Promise((resolve) => daemon.once('exit', resolve));
    daemon.kill('SIGKILL');
    await ended;
    // Its containerd has died with it; by now the number may be somebody else's.
    for (const pid of ['pid', 'run/containerd/containerd.pid']) rmSync(join(this.#folder, pid), { force: true });
  }

  /** Leaves so many bytes free on its disk. */
  fillDisk(leftBytes: number): void {
    const { bavail, bsize } = statfsSync(this.#data);
    writeFileSync(join(this.#data, 'filler'), Buffer.alloc(Math.max(0, bavail * bsize - leftBytes)));
  }
  emptyDisk(): void {
    rmSync(join(this.#data, 'filler'));
  }

  /** From now on it answers nothing, though it is there; its containers run on. */
  freeze(): void {
    this.#daemon!.kill('SIGSTOP');
  }
  thaw(): void {
    this.#daemon!.kill('SIGCONT');
  }

  async stop(): Promise<void> {
    const daemon = this.#daemon;
    if (daemon !== null && daemon.exitCode === null && daemon.signalCode === null) {
      for (const { Id } of await this.docker.listContainers({ all: true })) {
        await this.docker
          .getContainer(Id)
          .remove({ force: true })
          .catch(() => undefined);
      }
      const ended = new Promise((resolve) => daemon.once('exit', resolve));
      daemon.kill('SIGTERM');
      await ended;
    }
    unmountBelow(this.#folder);
    rmSync(this.#folder, { recursive: true, force: true });
  }

  #untilDone(stream: NodeJS.ReadableStream): Promise<void> {
    return new Promise((resolve, reject) => {
      this.docker.modem.followProgress(stream, (error) => (error ? reject(error) : resolve()));
    });
  }

  #answers(): Promise<boolean> {
    return this.docker.ping().then(
      () => true,
      () => false,
    );
  }
}

/** Unmounts what an engine has left mounted in a folder, which could not be removed otherwise. */
export function unmountBelow(folder: string): void {
  for (const mount of readFileSync('/proc/mounts', 'utf8').matchAll(/^\S+ (\S+) /gm)) {
    if (mount[1]!.startsWith(`${folder}/`)) spawnSync('umount', ['-l', mount[1]!]);
  }
}

/** Makes an image of another one, with more said in it: an entrypoint, a signal to stop by. @param changes Lines of a Dockerfile. */
export async function deriveImage(
  docker: Docker,
  from: string,
  image: string,
  config: object,
  changes?: string,
): Promise<void> {
  const [, repo, tag] = /^(.*):([^:]+)$/.exec(image)!;
  const container = await docker.createContainer({ Image: from, Cmd: ['true'], ...config });
  await container.commit({ repo, tag, ...(changes === undefined ? {} : { changes }) });
  await container.remove();
}
