import { NODE_LABEL } from './container-options.ts';
import type { Engine } from './engine.ts';
import { statusOf } from './failure.ts';

/** A container that has ended is kept so long, for whoever wants to look at it, or for an agent that comes back. */
const KEPT_MS = 24 * 3_600_000;

/** Told apart here, because Podman refuses a filter by a state that it does not have. `stopped` is its own. */
const ENDED: readonly string[] = ['exited', 'dead', 'created', 'stopped'];

/** Removes a container, running or not. Does not throw: what cannot be removed now is remembered, and removed later. */
export async function removeContainer({ docker, abandoned }: Engine, id: string): Promise<void> {
  try {
    await docker.getContainer(id).remove({ force: true, v: true });
    abandoned.delete(id);
  } catch (error) {
    if (statusOf(error) === 404) abandoned.delete(id);
    else abandoned.add(id);
  }
}

/** Removes containers of this node's agent that could not be removed, or that ended long ago and that nobody has removed. */
export async function removeLeftovers(engine: Engine, now: number): Promise<void> {
  const { docker, nodeLabel, abandoned } = engine;
  for (const id of abandoned) await removeContainer(engine, id);
  const filters = { label: [`${NODE_LABEL}=${nodeLabel}`] };
  for (const { Id, Created, State } of await docker.listContainers({ all: true, filters })) {
    if (ENDED.includes(State) && now - Created * 1_000 > KEPT_MS) await removeContainer(engine, Id);
  }
}
