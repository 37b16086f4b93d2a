import type { End } from '../../server/agent/attempt-end.ts';
import type { AttemptSpec } from '../../server/domain/effect.ts';
import type { AttemptId } from '../../server/domain/ids.ts';
import type { Checker, ProcessEnd } from './checker.ts';
import type { World } from './world.ts';

const LOOK_MS = 500;

interface Process {
  readonly isFindable: boolean;
  readonly until: number;
  /** Ends with 0 when it is told to stop, as good servers do. */
  readonly isGraceful: boolean;
  readonly fate: End;
  isStopped: boolean;
  end: End | null;
}

/** The processes of a node. Those of the runner `finder` outlive the agent, and so does what is known of their ends. */
export class SimulatedProcesses {
  readonly #world: World;
  readonly #checker: Checker;
  readonly #onEnd: (attempt: AttemptId, end: End) => void;
  readonly #processes = new Map<AttemptId, Process>();

  constructor(world: World, checker: Checker, onEnd: (attempt: AttemptId, end: End) => void) {
    this.#world = world;
    this.#checker = checker;
    this.#onEnd = onEnd;
  }

  isRunning(attempt: AttemptId): boolean {
    return this.endOf(attempt) === 'RUNNING';
  }

  /** How it ended; null when it was never started here. */
  endOf(attempt: AttemptId): End | 'RUNNING' | null {
    const process = this.#processes.get(attempt);
    return process === undefined ? null : (process.end ?? 'RUNNING');
  }

  start(spec: AttemptSpec): void {
    const { random, now } = this.#world;
    const hasFailed = random.chance(Number(spec.with['failChance'] ?? 0));
    const isLost = hasFailed && random.chance(0.3);
    const lostKind = random.pick(['INFRASTRUCTURE', 'UNKNOWN'] as const);
    const durationMs = random.chance(0.05) ? random.between(10_000, 90_000) : random.between(1, 3_000);
    const reason = { code: 'FAILED', message: 'FAILED' };
    const isFindable = spec.runner === 'finder';
    this.#checker.processStarted(spec.attempt, isFindable);
    this.#processes.set(spec.attempt, {
      isFindable,
      until: now + durationMs,
      isGraceful: random.chance(0.5),
      fate: hasFailed
        ? { state: 'FAILED', failure: { kind: isLost ? lostKind : 'APPLICATION', reason } }
        : { state: 'SUCCEEDED', outputs: { parts: [1, 2, 3] } },
      isStopped: false,
      end: null,
    });
    this.#look(spec.attempt);
  }

  /** The planted bug. */
  startAgain(attempt: AttemptId): void {
    this.#checker.processStarted(attempt, true);
  }

  stop(attempt: AttemptId): void {
    const process = this.#processes.get(attempt);
    if (process && process.end === null) process.isStopped = true;
  }

  /** Work of other runners dies with the agent. */
  agentDied(): void {
    for (const [attempt, { isFindable, end }] of this.#processes) {
      if (isFindable) continue;
      this.#processes.delete(attempt);
      if (end === null) this.#checker.processEnded(attempt, 'KILLED');
    }
  }

  /** Nobody asks for it any more. */
  forget(attempt: AttemptId): void {
    if (!this.isRunning(attempt)) this.#processes.delete(attempt);
  }

  #look(attempt: AttemptId): void {
    const process = this.#processes.get(attempt);
    if (!process) return;
    const { now } = this.#world;
    if (now < process.until && !process.isStopped) {
      this.#world.after(Math.min(LOOK_MS, process.until - now), () => this.#look(attempt));
      return;
    }
    const killed = {
      state: 'FAILED',
      failure: { kind: 'APPLICATION', reason: { code: 'SIGNAL', message: 'x' } },
    } as const;
    process.end = process.isStopped ? (process.isGraceful ? { state: 'SUCCEEDED' } : killed) : process.fate;
    this.#checker.processEnded(attempt, process.isStopped ? 'STOPPED' : howOf(process.fate));
    this.#onEnd(attempt, process.end);
  }
}

/** How a process ended that nobody stopped. */
function howOf({ state, failure }: End): ProcessEnd {
  if (state === 'SUCCEEDED') return 'SUCCEEDED';
  return failure?.kind === 'APPLICATION' ? 'FAILED' : 'UNKNOWN';
}
