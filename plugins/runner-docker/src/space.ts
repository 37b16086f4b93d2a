import { lackOfSpace } from '@gantry/plugin-kit/disk-space';
import type { Outcome } from '@gantry/plugin-kit/runner';
import type Docker from 'dockerode';
import type { Engine } from './engine.ts';
import type { LogPosition } from './log-frames.ts';

/**
 * The failure of a command that lacked space, told as that; any other as it is. Looked at are the engine's disk, where
 * the container's own files are, and the node's folders that it may have written to.
 */
export async function spaceLackedBy(
  container: Docker.Container,
  failed: Outcome,
  { docker, socket }: Pick<Engine, 'docker' | 'socket'>,
  folders: readonly string[],
  { lastWords }: LogPosition,
): Promise<Outcome> {
  if (failed.ok || failed.reason.code !== 'EXIT_CODE') return failed;
  const own = socket === null ? [] : await foldersOf(container, docker);
  const lack = lackOfSpace([...folders, ...own], lastWords.toString());
  if (lack === null) return failed;
  const { kind, code, message, remedy } = lack;
  return {
    ...failed,
    kind,
    reason: { code, message: `${failed.reason.message.replace(/\.$/, '')}, and ${message}.`, remedy },
  };
}

/** Where an engine on this machine keeps what a container writes. */
async function foldersOf(container: Docker.Container, docker: Docker): Promise<readonly string[]> {
  try {
    const { GraphDriver } = await container.inspect();
    const { UpperDir } = (GraphDriver?.Data ?? {}) as { readonly UpperDir?: string };
    if (UpperDir !== undefined) return [UpperDir];
    const { DockerRootDir } = (await docker.info()) as { readonly DockerRootDir?: string };
    return DockerRootDir === undefined ? [] : [DockerRootDir];
  } catch {
    return [];
  }
}
