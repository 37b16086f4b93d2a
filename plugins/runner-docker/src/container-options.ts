import type { Attempt } from '@gantry/plugin-kit/runner';
import type Docker from 'dockerode';
import type { DockerConfig } from './config.ts';
import type { Engine } from './engine.ts';
import { DockerFailure } from './failure.ts';
import { bindsOf } from './mounts.ts';

/** Where an attempt's own folder lies in its container: the file of outputs, and what it may read. */
const GANTRY_FOLDER = '/gantry';

/** The label that says of which attempt a container is. */
export const ATTEMPT_LABEL = 'dev.gantry.attempt';
/** The label that says whose it is: the node's name and its agent's folder. */
export const NODE_LABEL = 'dev.gantry.node';
/** The label that says whether the container is to stay when it has ended, as the task says it. */
export const KEEP_LABEL = 'dev.gantry.keep';

/** What the engine is told to make of an attempt. Whatever could reach out of the container is denied. */
export function containerOptions(
  attempt: Attempt<DockerConfig>,
  engine: Pick<Engine, 'settings' | 'socket' | 'nodeLabel'>,
  exchange: string,
): Docker.ContainerCreateOptions {
  const { config, resources, gpus } = attempt;
  const { command, entrypoint, workdir, user } = config;
  return {
    name: attempt.id,
    Image: config.image,
    ...(command === undefined ? {} : { Cmd: typeof command === 'string' ? ['/bin/sh', '-c', command] : command }),
    ...(entrypoint === undefined ? {} : { Entrypoint: entrypoint }),
    ...(workdir === undefined ? {} : { WorkingDir: workdir }),
    ...(user === undefined ? {} : { User: user }),
    Env: environmentOf(attempt),
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
      ...(resources['cpu'] ? { NanoCpus: resources['cpu'] * 1_000_000 } : {}),
      // No swap beyond it: a task that needs more than it asked for is told so, not slowed down.
      ...(resources['memory'] ? { Memory: resources['memory'], MemorySwap: resources['memory'] } : {}),
      ...(gpus.length === 0
        ? {}
        : { DeviceRequests: [{ Driver: 'nvidia', DeviceIDs: gpus.map(String), Capabilities: [['gpu']] }] }),
    },
  };
}

function environmentOf({ env, id, number, runId, taskKey, inputs, gpus }: Attempt): string[] {
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
  for (const [name, value] of Object.entries(all)) {
    if (name === '' || name.includes('=') || name.includes('\0') || value.includes('\0')) {
      const message = `The variable ${name.replaceAll('\0', '\\0')} cannot be given to a command: no “=” in its name, no NUL.`;
      throw new DockerFailure('APPLICATION', 'BAD_SPEC', message);
    }
  }
  return Object.entries(all).map(([name, value]) => `${name}=${value}`);
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
  if (wanted === 'none' || (allowed.includes(wanted) && wanted !== 'host' && !wanted.startsWith('container:'))) {
    return wanted;
  }
  const message = `The network ${wanted} may not be used on this node; it allows ${['none', ...allowed].join(', ')}.`;
  throw new DockerFailure('REJECTED', 'NETWORK_REFUSED', message);
}
