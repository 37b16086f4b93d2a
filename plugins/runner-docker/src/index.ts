import { defineRunner, zodConfig, type Outcome } from '@gantry/plugin-kit/runner';
import { dockerConfig, type DockerConfig } from './config.ts';
import { Container, type Handle } from './container.ts';
import { engineOf, missingSocket } from './engine.ts';
import { DockerFailure, failureOf, isUnreachable, messageOf } from './failure.ts';
import { endedInTime } from './hard-stop.ts';
import { forgetContainer, removeLeftovers } from './leftovers.ts';

const DETECT_MS = 5_000;

/** Runs a command in a container that can do nothing but that, and leaves none behind. */
export default defineRunner<DockerConfig, Handle>({
  name: 'docker',
  version: '1.0.0',
  summary: 'Runs a command in a container of Docker or Podman.',
  config: zodConfig(dockerConfig),
  // As Kubernetes has it for Jobs: whoever writes a command that must not run twice says `idempotent: false`.
  isIdempotent: () => true,

  async run(attempt, node): Promise<Outcome> {
    let container: Container | null = null;
    try {
      container = new Container(attempt, await engineOf(node));
      return await endedInTime(attempt.kill, container.run());
    } catch (error) {
      const outcome = failureOf(error, attempt.config);
      return container?.isAtLarge ? { ...outcome, kind: 'UNKNOWN' } : outcome;
    }
  },

  async reattach(attempt, handle, node): Promise<Outcome> {
    try {
      const container = new Container(attempt, await engineOf(node));
      return await endedInTime(attempt.kill, container.reattach(handle));
    } catch (error) {
      const outcome = failureOf(error, attempt.config);
      // Whatever holds up the question for the container, it does not tell what became of it.
      const isKnown = error instanceof DockerFailure && outcome.kind === 'INFRASTRUCTURE';
      return isKnown ? outcome : { ...outcome, kind: 'UNKNOWN' };
    }
  },

  /** The engine finds a container by the attempt's id, which is its name. */
  handleOf: (attempt) => ({ container: attempt }),

  async forget(attempt, node) {
    // With settings that cannot be used nothing was made.
    const engine = await engineOf(node).catch(() => null);
    if (engine !== null) await forgetContainer(engine, attempt);
  },

  async detect(signal, node) {
    try {
      const missing = missingSocket(node);
      if (missing !== null) {
        const message = `There is no container engine on this node: ${missing} does not exist.`;
        return { health: 'ABSENT', reason: { code: 'NO_ENGINE', message, remedy: 'Install Docker or Podman.' } };
      }
      const engine = await engineOf(node);
      const version = await within(engine.docker.version(), signal);
      await removeLeftovers(engine, Date.now());
      const isPodman = JSON.stringify(version).includes('Podman');
      return {
        health: 'HEALTHY',
        attributes: { engine: isPodman ? 'podman' : 'docker', version: version.Version },
        enforces: ['cpu', 'memory'],
      };
    } catch (error) {
      if (error instanceof DockerFailure) return { health: 'UNHEALTHY', reason: error.outcome.reason };
      const health = isUnreachable(error) ? 'ABSENT' : 'UNHEALTHY';
      const message = `The container engine does not answer: ${messageOf(error)}`;
      return { health, reason: { code: 'ENGINE_UNREACHABLE', message } };
    }
  },
});

/** An engine that hangs is as good as none. */
function within<Value>(answer: Promise<Value>, signal: AbortSignal): Promise<Value> {
  const late = AbortSignal.any([signal, AbortSignal.timeout(DETECT_MS)]);
  return Promise.race([
    answer,
    new Promise<never>((_, reject) =>
      late.addEventListener('abort', () => reject(new Error('It took too long.')), { once: true }),
    ),
  ]);
}
