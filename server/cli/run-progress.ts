/** A run as the operations `run` and `follow-run` select it. */
export interface RunView {
  readonly id: string;
  readonly state: string;
  readonly isFinished: boolean;
  readonly pipelineName: string;
  readonly versionNumber: number;
  readonly params: Readonly<Record<string, unknown>>;
  readonly priority: number;
  readonly trigger: string;
  readonly createdBy: string;
  readonly poolName: string;
  readonly createdAt: string;
  readonly startedAt: string | null;
  readonly finishedAt: string | null;
  readonly reason: ReasonView | null;
  readonly counts: { readonly total: number; readonly finished: number; readonly failed: number };
}

export interface ReasonView {
  readonly code: string;
  readonly message: string;
  readonly remedy: string | null;
}

/** A task run as those operations select it. */
export interface TaskRunView {
  readonly id: string;
  readonly taskKey: string;
  readonly mapIndex: number | null;
  readonly state: string;
  readonly isFinished: boolean;
  readonly finishedAt: string | null;
  /** Why it ended as it did, or is tried again. */
  readonly reason: ReasonView | null;
  readonly progress: ProgressView | null;
  readonly attempt: AttemptView | null;
}

/** How far a task run is, as it says itself. */
export interface ProgressView {
  readonly fraction: number | null;
  readonly done: number | null;
  readonly total: number | null;
  readonly message: string | null;
}

export interface AttemptView {
  readonly number: number;
  readonly nodeName: string;
  readonly state: string;
  readonly assignedAt: string;
  readonly startedAt: string | null;
  readonly finishedAt: string | null;
  readonly failure: FailureView | null;
  /** Only where it is asked for: `run-task-runs`. */
  readonly usage?: UsageView | null;
}

export interface UsageView {
  readonly peakMemoryBytes: number | null;
  readonly cpuMs: number | null;
}

export interface FailureView {
  readonly kind: string;
  readonly code: string;
  readonly message: string;
  readonly remedy: string | null;
  readonly exitCode: number | null;
  readonly signal: string | null;
}

/** One event of the subscription. `run` is null after RESYNC. */
export interface RunEventView {
  readonly type: string;
  readonly cursor: string;
  readonly at: string;
  readonly run: RunView | null;
  readonly taskRun: TaskRunView | null;
}

/** All task runs of one task. */
export interface TaskGroup {
  readonly key: string;
  readonly isFannedOut: boolean;
  readonly total: number;
  readonly countByState: ReadonlyMap<string, number>;
  /** ISO 8601; of the earliest attempt. */
  readonly startedAt: string | null;
  /** Of the latest, once all have ended. */
  readonly finishedAt: string | null;
  /** Of a task that does not fan out, where it says. */
  readonly progress: ProgressView | null;
}

/**
 * What is known of a run while it is followed. Events carry the rows as they are when they are read, so they may
 * repeat; what comes late never undoes what has ended.
 */
export class RunProgress {
  #run: RunView | null = null;
  readonly #taskRuns = new Map<string, TaskRunView>();

  get run(): RunView | null {
    return this.#run;
  }

  get taskRuns(): Iterable<TaskRunView> {
    return this.#taskRuns.values();
  }

  /** Whether the run's state is news. */
  takeRun(run: RunView): boolean {
    const known = this.#run;
    if (known?.isFinished && !run.isFinished) return false;
    this.#run = run;
    return known?.state !== run.state;
  }

  /** Whether the task run's state, or its attempt, is news. */
  takeTaskRun(taskRun: TaskRunView): boolean {
    const known = this.#taskRuns.get(taskRun.id);
    if (known && isOlder(taskRun, known)) return false;
    this.#taskRuns.set(taskRun.id, taskRun);
    return known?.state !== taskRun.state || known.attempt?.number !== taskRun.attempt?.number;
  }

  /** By task, in the order of the run. */
  groups(): readonly TaskGroup[] {
    const groups = new Map<string, TaskRunView[]>();
    for (const taskRun of this.#taskRuns.values()) {
      const group = groups.get(taskRun.taskKey);
      if (group) group.push(taskRun);
      else groups.set(taskRun.taskKey, [taskRun]);
    }
    return [...groups].map(([key, members]) => groupOf(key, members));
  }

  /** Task runs that failed, in the order of the run. */
  failed(): readonly TaskRunView[] {
    return [...this.#taskRuns.values()].filter((taskRun) => taskRun.state === 'FAILED');
  }
}

function isOlder(taskRun: TaskRunView, known: TaskRunView): boolean {
  const [number, knownNumber] = [taskRun.attempt?.number ?? 0, known.attempt?.number ?? 0];
  return number < knownNumber || (known.isFinished && !taskRun.isFinished && number === knownNumber);
}

function groupOf(key: string, members: readonly TaskRunView[]): TaskGroup {
  const countByState = new Map<string, number>();
  for (const { state } of members) countByState.set(state, (countByState.get(state) ?? 0) + 1);
  const starts = members.flatMap(({ attempt }) => attempt?.startedAt ?? attempt?.assignedAt ?? []).sort(byText);
  const ends = members.flatMap(({ finishedAt }) => finishedAt ?? []).sort(byText);
  return {
    key,
    isFannedOut: members.some(({ mapIndex }) => mapIndex !== null),
    total: members.length,
    countByState,
    startedAt: starts[0] ?? null,
    progress: members.length === 1 ? (members[0]?.progress ?? null) : null,
    finishedAt: members.every(({ isFinished }) => isFinished) ? (ends.at(-1) ?? null) : null,
  };
}

/** ISO 8601 in UTC sorts as text. */
const byText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/** `3/10 message`, `45 %`. */
export function progressText({ fraction, done, total, message }: ProgressView): string {
  const amount =
    done === null ? `${Math.floor((fraction ?? 0) * 100)} %` : total === null ? `${done}` : `${done}/${total}`;
  return message === null ? amount : `${amount} ${message}`;
}

/** `audit[3]`, as people and `gantry logs` name a task run. */
export function labelOf({ taskKey, mapIndex }: Pick<TaskRunView, 'taskKey' | 'mapIndex'>): string {
  return mapIndex === null ? taskKey : `${taskKey}[${mapIndex}]`;
}

/** Why a task run ended as it did, or is tried again, for one line; null for nothing to say. */
export function reasonText({ attempt, reason }: Pick<TaskRunView, 'attempt' | 'reason'>): string | null {
  const failure = attempt?.failure ?? null;
  // What was kept with the task run says more than its last attempt; otherwise they are the same.
  if (failure !== null && (reason === null || reason.code === failure.code)) return failureText(failure);
  return reason?.message ?? null;
}

/** `exit code 3: The command failed.`, for one line. */
export function failureText({ kind, exitCode, signal, message }: FailureView): string {
  const how = signal !== null ? `${signal}: ` : exitCode !== null ? `exit code ${exitCode}: ` : '';
  return `${kind}: ${how}${message}`;
}
