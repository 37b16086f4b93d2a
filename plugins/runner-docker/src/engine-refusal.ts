import { shebangOf } from '@gantry/plugin-kit/shebang';
import type { DockerConfig } from './config.ts';
import type { Failed } from './failure.ts';

/** What a task says that an engine may refuse. */
export type Asked = Pick<DockerConfig, 'image' | 'user' | 'workdir' | 'command' | 'entrypoint'>;

interface Refusal {
  readonly said: RegExp;
  readonly kind: Failed['kind'];
  readonly code: string;
  /** What it means, before the engine’s own words. */
  readonly means: (asked: Asked) => string;
  readonly remedy?: string;
  /** As a shell would say it. */
  readonly exitCode?: number;
}

const GPU_REMEDY =
  'Install the GPU’s driver and the NVIDIA Container Toolkit on the node (nvidia-ctk runtime configure, nvidia-ctk cdi generate), and restart the engine; or let the node offer no GPUs.';

/** What helps against a command that the image does not have. */
export const MISSING_COMMAND_REMEDY =
  'Name a program of the image. A list of words as `command` needs no shell; a line needs /bin/sh in the image.';

/** Faults of the node, wherever in a message the words stand: the same task may do well on another node, or later. */
const OF_THE_NODE: readonly Refusal[] = [
  {
    said: /no space left on device|disk quota exceeded/i,
    kind: 'INFRASTRUCTURE',
    code: 'DISK_FULL',
    means: () => 'The engine’s disk is full',
    remedy: 'Make room: docker system prune.',
  },
  {
    said: /could not select device driver|nvidia-container-cli|unresolvable CDI devices|unknown device .*gpu/i,
    kind: 'INFRASTRUCTURE',
    code: 'NO_GPU_SUPPORT',
    means: () => 'The container engine cannot hand in the GPUs of the node',
    remedy: GPU_REMEDY,
  },
  {
    said: /init binary not found|exec: "?[^"]*(catatonit|docker-init|podman-init)/i,
    kind: 'REJECTED',
    code: 'NO_INIT',
    means: () => 'The container engine has no init',
    remedy:
      'Install the engine’s init on the node (catatonit for Podman, docker-init for Docker), or set `init: false`.',
  },
  {
    said: /cannot allocate memory|resource temporarily unavailable|too many open files|device or resource busy/i,
    kind: 'INFRASTRUCTURE',
    code: 'ENGINE_REFUSED',
    means: () => 'The node has too little left for another container',
    remedy: 'Look at the memory and at the limits of processes and files on the node.',
  },
];

/** Faults of the task: the same image, on any node, gives the same answer. By what is said, in this order. */
const OF_THE_TASK: readonly Refusal[] = [
  {
    said: /unable to find (user|group)|uids and gids must be in range|no matching entries in (passwd|group) file/i,
    kind: 'APPLICATION',
    code: 'USER_UNKNOWN',
    means: ({ user, image }) =>
      user === undefined
        ? `The user that the image ${image} itself names cannot be had in it`
        : `The user ${user} cannot be had in the image`,
    remedy: 'Name a user that the image has, or a `uid` or `uid:gid`, as `user`.',
  },
  {
    said: /invalid reference format|repository name must be|invalid (tag|repository) |normalizing (image|name)/i,
    kind: 'APPLICATION',
    code: 'IMAGE_INVALID',
    means: ({ image }) => `“${image}” is no name of an image`,
  },
  {
    said: /workdir|working dir|cannot mkdir:|chdir to cwd/i,
    kind: 'APPLICATION',
    code: 'WORKDIR_NOT_FOUND',
    means: ({ workdir, image }) =>
      workdir === undefined
        ? `The working folder that the image ${image} names cannot be entered`
        : `The working folder ${workdir} cannot be entered in the container`,
    remedy: '`workdir` is to be a folder of the image, or one that does not exist yet.',
  },
  {
    said: /exec: .*(executable file not found|no such file or directory)/i,
    kind: 'APPLICATION',
    code: 'COMMAND_NOT_FOUND',
    means: missingCommand,
    remedy: MISSING_COMMAND_REMEDY,
    exitCode: 127,
  },
  {
    said: /exec: .*(permission denied|is a directory|exec format error)/i,
    kind: 'APPLICATION',
    code: 'COMMAND_NOT_EXECUTABLE',
    means: () => 'The command may not be executed',
    exitCode: 126,
  },
  {
    said: /no command (specified|or entrypoint provided)/i,
    kind: 'APPLICATION',
    code: 'NO_COMMAND',
    means: ({ image }) => `Neither the task nor the image ${image} says what to run`,
    remedy: 'Give a `command`.',
  },
  {
    said: /rootfs at |to rootfs|mount point|mount destination|mount config|mounting |invalid specification: destination|reopening \/dev\/null|closing exec fds|ip_unprivileged_port_start|stat \/dev\/null/i,
    kind: 'APPLICATION',
    code: 'MOUNT_INVALID',
    means: () => 'Something cannot be mounted where the task wants it in the container',
    remedy: 'Choose other targets for `mounts` and `tmpfs`: never /, /proc, /sys or /dev, and no file of the image.',
  },
  {
    said: /invalid environment variable/i,
    kind: 'APPLICATION',
    code: 'BAD_SPEC',
    means: () => 'A variable of the environment is none',
  },
  {
    said: /invalid signal/i,
    kind: 'APPLICATION',
    code: 'STOP_SIGNAL_INVALID',
    means: () => 'The signal that `stopSignal` or the image names does not exist',
  },
  {
    said: /minimum memory limit|unable to set memory limit|memory limit (is )?too low|shm ?size/i,
    kind: 'APPLICATION',
    code: 'MEMORY_TOO_SMALL',
    means: () => 'A container cannot run with so little memory',
    remedy: 'Ask for more under resources.memory: 6Mi at the least.',
  },
  {
    said: /range of cpus|network .*not found|unable to find network/i,
    kind: 'REJECTED',
    code: 'NODE_LACKS',
    means: () => 'The engine does not have what the node promises',
    remedy: 'Correct the node’s capacity, or `networks` in the settings of its runner.',
  },
];

/** A runtime’s words that nobody knows: it has looked at the task’s own, so the machine is more likely. */
const UNKNOWN_OF_RUNTIME: Refusal = {
  said: /OCI runtime|cgroup/i,
  kind: 'INFRASTRUCTURE',
  code: 'ENGINE_REFUSED',
  means: () => 'The container engine could not start the container',
};

/** The words for a command that the image does not have: for a line, it is the shell that is missing. */
export function missingCommand({ image, command, entrypoint }: Asked): string {
  const hasEntrypoint = entrypoint !== undefined && entrypoint.length > 0;
  const interpreter = typeof command === 'string' ? shebangOf(command)?.[0] : undefined;
  if (interpreter !== undefined && !hasEntrypoint)
    return `The image ${image} does not have ${interpreter}, which runs \`command\` by its first line`;
  if (typeof command === 'string' && !hasEntrypoint)
    return `The image ${image} has no /bin/sh, which runs the line of \`command\``;
  const word = entrypoint?.[0] ?? (Array.isArray(command) ? command[0] : undefined);
  return `The image ${image} does not have the command${word === undefined ? '' : ` ${word}`}, or what its first line (#!) names`;
}

/** What the words of an engine mean for the task that it refused to make or start a container for; null for nothing. */
export function refusalOf(message: string, asked: Asked | null): Failed | null {
  const some: Asked = asked ?? {
    image: 'of the task',
    user: undefined,
    workdir: undefined,
    command: undefined,
    entrypoint: undefined,
  };
  const known =
    [...OF_THE_NODE, ...OF_THE_TASK].find(({ said }) => said.test(message)) ??
    ofWorkdir(message, some) ??
    (UNKNOWN_OF_RUNTIME.said.test(message) ? UNKNOWN_OF_RUNTIME : undefined);
  if (known === undefined) return null;
  const { kind, code, means, remedy, exitCode } = known;
  return {
    ok: false,
    kind,
    reason: { code, message: `${means(some)}: ${message}`, ...(remedy === undefined ? {} : { remedy }) },
    ...(exitCode === undefined ? {} : { exitCode }),
  };
}

/** Engines name the path alone that they could not make: it is the working folder's if it ends like it. */
function ofWorkdir(message: string, { workdir }: Asked): Refusal | undefined {
  const path = workdir?.replace(/\/+$/, '') ?? '';
  if (path === '' || !message.includes(path)) return undefined;
  if (
    !/not a directory|no such file or directory|permission denied|read-only file system|invalid argument/i.test(message)
  )
    return undefined;
  return OF_THE_TASK.find(({ code }) => code === 'WORKDIR_NOT_FOUND');
}
