import type { Outcome } from '@gantry/plugin-kit/runner';

type Failed = Extract<Outcome, { readonly ok: false }>;

/** What ends an attempt, thrown where it is found. */
export class DockerFailure extends Error {
  override readonly name = 'DockerFailure';
  readonly outcome: Failed;

  constructor(kind: Failed['kind'], code: string, message: string, remedy?: string) {
    super(message);
    this.outcome = { ok: false, kind, reason: { code, message, ...(remedy === undefined ? {} : { remedy }) } };
  }
}

interface EngineError extends Error {
  readonly code?: string;
  readonly statusCode?: number;
  readonly json?: { readonly message?: string };
}

const UNREACHABLE = new Set([
  'ECONNREFUSED',
  'ENOENT',
  'EACCES',
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
  'ENOTFOUND',
  'EHOSTUNREACH',
]);

/** Whether nobody answered, rather than somebody who said no. */
export const isUnreachable = (error: unknown): boolean => UNREACHABLE.has((error as EngineError).code ?? '');

/** The status of an engine's answer; null when it gave none. */
export const statusOf = (error: unknown): number | null => (error as EngineError).statusCode ?? null;

/** In the engine's own words. Of an answer that its client has not read as JSON, without what the client says of it. */
export function messageOf(error: unknown): string {
  const message = (error as EngineError).json?.message ?? (error instanceof Error ? error.message : String(error));
  return message.replace(/^\(HTTP code \d+\) [^-]* - /, '').trim();
}

/** What engines say that find no GPU: Docker, its runtime hook, and engines that know devices by CDI. */
const NO_GPU = /could not select device driver|nvidia-container-cli|unresolvable CDI devices|unknown device .*gpu/i;

/** What an error of the engine means for an attempt. */
export function failureOf(error: unknown): Failed {
  if (error instanceof DockerFailure) return error.outcome;
  return asFailure(error).outcome;
}

function asFailure(error: unknown): DockerFailure {
  const message = messageOf(error);
  if (isUnreachable(error)) {
    const remedy = 'See that the engine runs on the node, and that its agent may use the socket.';
    return new DockerFailure(
      'INFRASTRUCTURE',
      'ENGINE_UNREACHABLE',
      `The container engine does not answer: ${message}.`,
      remedy,
    );
  }
  if (/no space left on device/i.test(message)) {
    const remedy = 'Make room: docker system prune.';
    return new DockerFailure('INFRASTRUCTURE', 'DISK_FULL', `The engine’s disk is full: ${message}`, remedy);
  }
  if (NO_GPU.test(message)) {
    const remedy =
      'Install the GPU’s driver and the NVIDIA Container Toolkit on the node (nvidia-ctk runtime configure, nvidia-ctk cdi generate), and restart the engine; or let the node offer no GPUs.';
    const what = `The container engine cannot hand in the GPUs of the node: ${message}`;
    return new DockerFailure('INFRASTRUCTURE', 'NO_GPU_SUPPORT', what, remedy);
  }
  if (/init binary not found|catatonit|docker-init/i.test(message)) {
    const remedy =
      'Install the engine’s init on the node (catatonit for Podman, docker-init for Docker), or set `init: false`.';
    return new DockerFailure('REJECTED', 'NO_INIT', `The container engine has no init: ${message}`, remedy);
  }
  if (/executable file not found|no such file or directory/i.test(message) && /exec|runc|OCI|init/i.test(message)) {
    return new DockerFailure('APPLICATION', 'COMMAND_NOT_FOUND', `The image has no such command: ${message}`);
  }
  if (/permission denied/i.test(message) && /exec|runc|OCI/i.test(message)) {
    return new DockerFailure('APPLICATION', 'COMMAND_NOT_EXECUTABLE', `The command may not be executed: ${message}`);
  }
  const status = statusOf(error);
  const kind = status !== null && status >= 400 && status < 500 ? 'APPLICATION' : 'INFRASTRUCTURE';
  return new DockerFailure(kind, 'ENGINE_REFUSED', `The container engine refused: ${message}`);
}
