import type Docker from 'dockerode';
import type { DockerConfig } from './config.ts';
import type { Engine } from './engine.ts';
import { untilInitListens } from './init-process.ts';

/**
 * The soft stop: the signal that the task or its image names (STOPSIGNAL), and SIGCONT, so that a command that is
 * stopped takes it as well. The container's init hands both on. Does not throw: it may have ended; and an engine that is
 * away is told again by nobody, for the hard stop follows the soft one.
 *
 * @param send Signals the container.
 */
export async function stopSoftly(
  container: Docker.Container,
  { socket }: Engine,
  { init }: Pick<DockerConfig, 'init'>,
  send: (signal: string) => Promise<void>,
): Promise<void> {
  try {
    const { State, Config } = await container.inspect();
    if (State.Pid > 0 && socket !== null && init) await untilInitListens(State.Pid, container.id);
    // The engine has put the image's in where the task names none; some engines give its number.
    const signal = String((Config as { readonly StopSignal?: string | number }).StopSignal || 'SIGTERM');
    await send(signal);
    if (signal !== 'SIGKILL' && signal !== '9') await send('SIGCONT');
  } catch {
    // See above.
  }
}
