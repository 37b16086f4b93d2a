import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { withinLimits } from '@gantry/plugin-kit/command-limits';
import type { Attempt } from '@gantry/plugin-kit/runner';
import { shebangOf } from '@gantry/plugin-kit/shebang';
import type Docker from 'dockerode';
import type { DockerConfig } from './config.ts';
import type { Engine } from './engine.ts';
import { DockerFailure } from './failure.ts';
import { bindsOf, checkTargets } from './mounts.ts';

/** Where an attempt's own folder lies in its container: the file of outputs, and what it may read. */
const GANTRY_FOLDER = '/gantry';

/** What the kernel takes of words and environment together with the usual limit of a stack, and room for the image's own. Bytes. */
const MAX_TOTAL_BYTES = 2 * 1024 * 1024 - 128 * 1024;

/** The label that says of which attempt a container is. */
export const ATTEMPT_LABEL = 'dev.gantry.attempt';
/** The label that says whose it is: the node's name and its agent's folder. */
export const NODE_LABEL = 'dev.gantry.node';
/** The label that says whether the container is to stay when it has ended, as the task says it. */
export const KEEP_LABEL = 'dev.gantry.keep';

/** The kernel has no smaller share of a processor to bound anybody by: 1 ms of each 100. Thousandths. */
const LEAST_CPU_MILLIS = 10;

/** What the engine is told to make of an attempt. Whatever could reach out of the container is denied. */
export function containerOptions(
  attempt: Attempt<DockerConfig>,
  engine: Pick<Engine, 'settings' | 'socket' | 'nodeLabel'>,
  exchange: string,
  command: ContainerCommand,
): Docker.ContainerCreateOptions {
  const { config, resources, gpus } = attempt;
  const { workdir, user, stopSignal } = config;
  checkTargets(config);
  return {
    Image: config.image,
    ...command,
    ...(workdir === undefined ? {} : { WorkingDir: workdir }),
    ...(user === undefined ? {} : { User: user }),
    ...(stopSignal === undefined ? {} : { StopSignal: stopSignal }),
    Env: environmentOf(attempt, exchange, command),
    Labels: {
      ...config.labels,
      [ATTEMPT_LABEL]: attempt.id,
      [NODE_LABEL]: engine.nodeLabel,
      [KEEP_LABEL]: config.keep,
      'dev.gantry.run': attempt.runId,
      'dev.gantry.task': attempt.taskKey,
    },
    AttachStdin: false,
    HostConfig: {
      NetworkMode: networkOf(config, engine.settings.networks),
      Mounts: [
        { Type: 'bind', Source: exchange, Target: GANTRY_FOLDER, ReadOnly: false },
        ...bindsOf(config, engine.settings, engine.socket),
      ],
      ReadonlyRootfs: config.readOnly,
      Tmpfs: Object.fromEntries(config.tmpfs.map((path) => [path, 'rw,nosuid,nodev'])),
      Privileged: false,
      CapDrop: ['ALL'],
      SecurityOpt: ['no-new-privileges'],
      PidsLimit: config.pids,
      Init: config.init,
      RestartPolicy: { Name: 'no' },
      AutoRemove: false,
      // What is not listened to while it is printed is kept, up to so much.
      LogConfig: { Type: 'json-file', Config: { 'max-size': '64m', 'max-file': '2' } },
      ...(config.shm === undefined ? {} : { ShmSize: config.shm }),
      ...(resources['cpu'] ? { NanoCpus: Math.max(resources['cpu'], LEAST_CPU_MILLIS) * 1_000_000 } : {}),
      // No swap beyond it: a task that needs more than it asked for is told so, not slowed down.
      ...(resources['memory'] ? { Memory: resources['memory'], MemorySwap: resources['memory'] } : {}),
      ...(gpus.length === 0
        ? {}
        : { DeviceRequests: [{ Driver: 'nvidia', DeviceIDs: gpus.map(String), Capabilities: [['gpu']] }] }),
    },
  };
}

/** The file, in the attempt's own folder, of a command whose first line (#!) names who runs it. */
export const SCRIPT = 'script';

/** What runs in a container; what is absent is the image's. */
export type ContainerCommand = Pick<Docker.ContainerCreateOptions, 'Cmd' | 'Entrypoint'>;

/**
 * A line is the shell's, or whom its own first line (#!) names, whatever the image's entrypoint would make of it; words follow the entrypoint, as with
 * `docker run`. An entrypoint of the task's own comes before either. Engines differ in what an empty one is, so whole
 * commands are entrypoints where there is to be none.
 *
 * @param imageCommand What the image runs; asked for where a task has an empty entrypoint and no command.
 */
export async function commandOf(
  { command, entrypoint }: Pick<DockerConfig, 'command' | 'entrypoint'>,
  imageCommand: () => Promise<readonly string[]>,
): Promise<ContainerCommand> {
  const isLine = typeof command === 'string';
  const interpreter = isLine ? shebangOf(command) : null;
  const line =
    interpreter === null ? ['/bin/sh', '-c', command as string] : [...interpreter, `${GANTRY_FOLDER}/${SCRIPT}`];
  const words = isLine ? line : command;
  const hasNoEntrypoint = entrypoint === undefined ? isLine : entrypoint.length === 0;
  if (hasNoEntrypoint) return { Entrypoint: [...(words ?? (await imageCommand()))], Cmd: [] };
  return {
    ...(words === undefined ? {} : { Cmd: words }),
    ...(entrypoint === undefined ? {} : { Entrypoint: entrypoint }),
  };
}

function environmentOf(attempt: Attempt<DockerConfig>, exchange: string, command: ContainerCommand): string[] {
  const { env, id, number, runId, taskKey, inputs, gpus } = attempt;
  const all: Record<string, string> = {
    ...env,
    ...gpuVariables(gpus),
    GANTRY_RUN_ID: runId,
    GANTRY_TASK: taskKey,
    GANTRY_ATTEMPT: String(number),
    GANTRY_ATTEMPT_ID: id,
    GANTRY_OUTPUT: `${GANTRY_FOLDER}/output`,
    GANTRY_PROGRESS: `${GANTRY_FOLDER}/progress`,
    GANTRY_CHECKPOINT: `${GANTRY_FOLDER}/checkpoint`,
    ...(Object.keys(inputs).length === 0 ? {} : { GANTRY_INPUTS: `${GANTRY_FOLDER}/inputs.json` }),
  };
  const words = [...[command.Entrypoint ?? []].flat(), ...(command.Cmd ?? [])];
  const given = withinLimits(words, all, MAX_TOTAL_BYTES, (name, value) => {
    writeFileSync(join(exchange, name), value, { mode: 0o644 });
    return `${GANTRY_FOLDER}/${name}`;
  });
  if ('problem' in given)
    throw new DockerFailure('APPLICATION', 'BAD_SPEC', given.problem.message, given.problem.remedy);
  for (const note of given.notes) attempt.stderr.write(`gantry: ${note}\n`);
  return Object.entries(given.env).map(([name, value]) => `${name}=${value}`);
}

/**
 * The engine counts from 0 what it hands in, so CUDA's numbers are other ones in the container than on the node. Where
 * every container goes through NVIDIA's runtime, an image asks for all GPUs by a variable of its own: `void` are none.
 */
function gpuVariables(gpus: readonly number[]): Readonly<Record<string, string>> {
  if (gpus.length === 0) return { NVIDIA_VISIBLE_DEVICES: 'void' };
  return { NVIDIA_VISIBLE_DEVICES: gpus.join(','), CUDA_VISIBLE_DEVICES: [...gpus.keys()].join(',') };
}

function networkOf({ network }: Pick<DockerConfig, 'network'>, allowed: readonly string[]): string {
  const wanted = network ?? allowed[0] ?? 'none';
  if (wanted === 'none' || (allowed.includes(wanted) && !isForeign(wanted))) {
    return wanted;
  }
  if (isForeign(wanted)) {
    const message = `No container of a task may have the network ${wanted}: it would be no network of its own.`;
    throw new DockerFailure('APPLICATION', 'NETWORK_REFUSED', message, 'Name another one, or `none`.');
  }
  const message = `The network ${wanted} may not be used on this node; it allows ${['none', ...allowed].join(', ')}.`;
  throw new DockerFailure('REJECTED', 'NETWORK_REFUSED', message);
}

/** The host's, or another container's. */
const isForeign = (network: string): boolean => network === 'host' || network.startsWith('container:');
