import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Docker from 'dockerode';
import { busyboxArchive } from './busybox-archive.ts';
import { unmountBelow } from './private-engine.ts';

/** As Podman names what it imports: it leaves the tag out that it was told. */
export const PODMAN_IMAGE = 'localhost/gantry-test:latest';

/** Podman's Docker-compatible service, with images, containers and a socket of the test's own. */
export class PrivatePodman {
  readonly #folder = mkdtempSync(join(tmpdir(), 'gantry-podman-'));
  #service: ChildProcess | null = null;

  get #socket(): string {
    return join(this.#folder, 'podman.sock');
  }
  get host(): string {
    return `unix://${this.#socket}`;
  }
  get docker(): Docker {
    return new Docker({ socketPath: this.#socket });
  }

  /** Resolves when it answers and has the image. */
  async start(): Promise<void> {
    const program = ['/usr/bin/podman', '/usr/local/bin/podman'].find((path) => existsSync(path));
    if (program === undefined)
      throw new Error('The tests of the docker runner need Podman: apt-get install podman catatonit');
    const at = (name: string) => join(this.#folder, name);
    // Podman raises limits as far as root may, which a machine that was itself given limits does not let it.
    const limits = 'default_ulimits = ["nofile=1024:1024", "nproc=1024:1024"]';
    writeFileSync(at('containers.conf'), `[containers]\n${limits}\n[engine]\nevents_logger = "file"\n`);
    const places = ['--root', at('images'), '--runroot', at('run'), '--tmpdir', at('tmp')];
    const words = [...places, '--cgroup-manager', 'cgroupfs', 'system', 'service', '--time', '0', this.host];
    const env = { PATH: process.env['PATH'], HOME: this.#folder, CONTAINERS_CONF: at('containers.conf') };
    const service = spawn(program, words, { cwd: this.#folder, env, stdio: ['ignore', 'pipe', 'pipe'] });
    this.#service = service;
    let said = '';
    for (const stream of [service.stdout, service.stderr]) stream.on('data', (text: Buffer) => (said += String(text)));
    while (!(await this.#answers())) {
      if (service.exitCode !== null) throw new Error(`Podman did not start:\n${said.slice(-4_000)}`);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    const stream = await this.docker.importImage(busyboxArchive(this.#folder), { repo: 'localhost/gantry-test' });
    await new Promise<void>((resolve, reject) => {
      this.docker.modem.followProgress(stream, (error) => (error ? reject(error) : resolve()));
    });
  }

  async stop(): Promise<void> {
    const service = this.#service;
    if (service !== null && service.exitCode === null) {
      for (const { Id } of await this.docker.listContainers({ all: true })) {
        await this.docker
          .getContainer(Id)
          .remove({ force: true })
          .catch(() => undefined);
      }
      const ended = new Promise((resolve) => service.once('exit', resolve));
      service.kill('SIGTERM');
      await ended;
    }
    unmountBelow(this.#folder);
    rmSync(this.#folder, { recursive: true, force: true });
  }

  #answers(): Promise<boolean> {
    return this.docker.ping().then(
      () => true,
      () => false,
    );
  }
}
