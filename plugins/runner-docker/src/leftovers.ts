import { NODE_LABEL } from './container-options.ts';
import type { Engine } from './engine.ts';

/** A container that has ended is kept so long, for whoever wants to look at it, or for an agent that comes back. */
const KEPT_MS = 24 * 3_600_000;

/** Told apart here, because Podman refuses a filter by a state that it does not have. `stopped` is its own. */
const ENDED: readonly string[] = ['exited', 'dead', 'created', 'stopped'];

/** Removes containers of this node's agent that ended long ago and that nobody has removed. */
export async function removeLeftovers({ docker, nodeLabel }: Engine, now: number): Promise<void> {
  const filters = { label: [`${NODE_LABEL}=${nodeLabel}`] };
  for (const { Id, Created, State } of await docker.listContainers({ all: true, filters })) {
    if (ENDED.includes(State) && now - Created * 1_000 > KEPT_MS)
      await docker.getContainer(Id).remove({ force: true, v: true });
  }
}
