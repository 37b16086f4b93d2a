import { ATTEMPT_LABEL, KEEP_LABEL, NODE_LABEL } from './container-options.ts';
import type { Engine } from './engine.ts';
import { statusOf } from './failure.ts';

/** A container that has ended is kept so long, for whoever wants to look at it, or for an agent that comes back. */
const KEPT_MS = 24 * 3_600_000;

/** An agent that was started has asked by then for all that the one before has left. Milliseconds. */
const ASKED_AFTER_MS = 10 * 60_000;

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
  const { docker, nodeLabel, abandoned, usedSince } = engine;
  for (const id of abandoned) await removeContainer(engine, id);
  if (performance.now() - usedSince < ASKED_AFTER_MS) return;
  const filters = { label: [`${NODE_LABEL}=${nodeLabel}`] };
  for (const { Id, Created, State, Labels } of await docker.listContainers({ all: true, filters })) {
    if (engine.ended.get(Labels[ATTEMPT_LABEL] ?? '') === 'REMOVE') continue;
    if (ENDED.includes(State) && now - Created * 1_000 > KEPT_MS) await removeContainer(engine, Id);
  }
}

/**
 * Nobody asks for this attempt any more: removes its container, unless the task wants it kept. Does not throw.
 */
export async function forgetContainer(engine: Engine, attempt: string): Promise<void> {
  const { docker, ended } = engine;
  const known = ended.get(attempt);
  ended.delete(attempt);
  if (known === 'STAY') return;
  if (known === undefined) {
    // Of an agent before, or never made.
    const found = await docker
      .getContainer(attempt)
      .inspect()
      .catch(() => null);
    if (found?.Config.Labels[ATTEMPT_LABEL] !== attempt) return;
    if (stays(found.Config.Labels[KEEP_LABEL] as Keep | undefined, found.State.ExitCode === 0)) return;
  }
  await removeContainer(engine, attempt);
}

type Keep = 'never' | 'failed' | 'always';

/** Whether the task wants an ended container kept. */
export const stays = (keep: Keep | undefined, isOk: boolean): boolean =>
  keep === 'always' || (keep === 'failed' && !isOk);
