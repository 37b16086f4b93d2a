import { realpathSync, statSync } from 'node:fs';
import { posix, sep } from 'node:path';
import type { DockerConfig } from './config.ts';
import { DockerFailure } from './failure.ts';
import type { DockerSettings } from './settings.ts';

const refused = (message: string): DockerFailure =>
  new DockerFailure('REJECTED', 'MOUNT_REFUSED', message, 'The node’s settings say which folders may be mounted.');

/** What a container cannot be without, and Gantry's own: engines fail in many ways when something lies over it. */
const TAKEN = /^\/$|^\/(proc|gantry)(\/|$)|^\/dev$/;

/** Throws for a target, of a folder of the node or of one in memory, that no container can have. */
export function checkTargets({ mounts, tmpfs }: Pick<DockerConfig, 'mounts' | 'tmpfs'>): void {
  for (const target of [...mounts.map(({ target: each }) => each), ...tmpfs]) {
    const path = posix.normalize(target);
    if (!TAKEN.test(path)) continue;
    const message = `Nothing can be mounted on ${target} in a container${path === target ? '' : `, which is ${path}`}.`;
    throw new DockerFailure(
      'APPLICATION',
      'MOUNT_INVALID',
      message,
      'Choose another target: never /, /proc, /dev or /gantry.',
    );
  }
}

/** The mounts of a task as the engine takes them. Throws for what the node does not allow. */
export function bindsOf(
  { mounts }: Pick<DockerConfig, 'mounts'>,
  settings: Pick<DockerSettings, 'mounts'>,
  socket: string | null,
): readonly { Type: 'bind'; Source: string; Target: string; ReadOnly: boolean }[] {
  return mounts.map(({ source, target, readOnly }) => {
    const real = realPathOf(source);
    if (real === null) throw refused(`There is no ${source} on this node.`);
    const allowed = settings.mounts.find(({ path }) => isWithin(real, realPathOf(path)));
    if (!allowed) throw refused(`${source} may not be mounted on this node.`);
    if (allowed.readOnly && !readOnly) throw refused(`${source} may only be mounted to be read.`);
    // Whoever has the engine's socket has the machine; and any other socket speaks for somebody.
    if (statSync(real).isSocket() || (socket !== null && isWithin(realPathOf(socket) ?? socket, real))) {
      throw refused(`${source} is, or holds, the socket of a service.`);
    }
    // The path that was checked, not the one that was written: a link may be turned meanwhile.
    return { Type: 'bind', Source: real, Target: target, ReadOnly: readOnly };
  });
}

function realPathOf(path: string): string | null {
  try {
    return realpathSync(path);
  } catch {
    return null;
  }
}

const isWithin = (path: string, folder: string | null): boolean =>
  folder !== null && (path === folder || path.startsWith(folder.endsWith(sep) ? folder : folder + sep));
