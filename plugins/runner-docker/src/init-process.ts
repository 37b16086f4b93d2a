import { readFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';

const LOOK_MS = 5;
/** Longer than this no init takes to begin. Milliseconds. */
const LATEST_MS = 2_000;

/**
 * Resolves when the init of a container, which was started a moment ago, listens to signals: when it has a child. The
 * kernel drops what is sent to the first process of a container before it listens. Resolves at once where this machine
 * does not know the process, or not as that container's.
 *
 * @param pid Of the init, as the engine says it.
 */
export async function untilInitListens(pid: number, container: string): Promise<void> {
  for (let waitedMs = 0; waitedMs < LATEST_MS; waitedMs += LOOK_MS) {
    if (hasChild(pid, container) !== false) return;
    await pause(LOOK_MS);
  }
}

/** Null when nobody knows. */
function hasChild(pid: number, container: string): boolean | null {
  try {
    if (!readFileSync(`/proc/${pid}/cgroup`, 'utf8').includes(container)) return null;
    return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8') !== '';
  } catch {
    return null;
  }
}
