import type { ControlGroup, Controller } from './control-group.ts';
import { quoted } from './shell-text.ts';
import type { Limits } from './limits.ts';

/** What a command cannot go beyond, and who sees to it. */
export interface Bounds {
  readonly limits: Limits;
  /** Its control group, made already; null on a node without. */
  readonly group: ControlGroup | null;
  /** What that really limits. */
  readonly controllers: readonly Controller[];
  /** What it may print on both streams together; null when that is not limited. Bytes. */
  readonly maxOutputBytes: number | null;
}

/** What went beyond its limit. */
export type Exceeded = 'MEMORY' | 'TASKS' | 'OUTPUT';

/** The limits that the kernel does not keep for all processes of a command together: they are to be looked at. */
export function watchedLimits({ limits, controllers }: Bounds): Limits {
  const { memoryBytes, taskCount } = limits;
  return {
    ...(memoryBytes !== undefined && !controllers.includes('memory') && { memoryBytes }),
    ...(taskCount !== undefined && !controllers.includes('pids') && { taskCount }),
  };
}

/** What a command may have at once and is looked at for only later; and a runtime's own needs. Bytes. */
const HEADROOM_BYTES = 2_147_483_648;

/**
 * What the process does before it becomes the command. Without a memory controller each process has a limit of its own
 * (RLIMIT_DATA), far enough above for looks to come first: it stops what grows faster than anybody looks. RLIMIT_AS
 * would count what runtimes like Node's only reserve, and RLIMIT_NPROC counts all processes of a user on the machine.
 */
export function shellBounds(bounds: Bounds): readonly string[] {
  const { memoryBytes } = watchedLimits(bounds);
  return [
    ...(bounds.group?.doors.map((door) => `echo 0 >${quoted(door)}`) ?? []),
    // It cannot be raised above one that the agent has itself, which then is strict enough.
    ...(memoryBytes === undefined
      ? []
      : [`{ ulimit -d ${Math.ceil((memoryBytes + HEADROOM_BYTES) / 1_024)} 2>/dev/null || :; }`]),
  ];
}
