import type { RunningAttempt } from '@gantry/plugin-kit/scheduler';
import type { ClusterModel, ModelNode } from './cluster-model.ts';
import type { Call } from './offer.ts';
import type { RunningFacts } from './placement.ts';
import type { Pending } from './queue.ts';

/** A task run that is asked to stop, and for whom. */
export interface Preempted {
  readonly taskRun: string;
  readonly by: string;
}

/** A place that is reserved for a task run before it is free. */
export interface Nomination {
  readonly entry: Pending;
  readonly node: ModelNode;
  readonly gpus: readonly number[];
}

interface Nominated extends Nomination {
  /** Who has not ended yet. */
  readonly victims: Set<string>;
}

/**
 * Task runs for which others make room. Their node is reserved from the moment of the decision, over what the others
 * still hold, so that nobody else takes what these give back.
 */
export class Preemptions {
  readonly #byTask = new Map<string, Nominated>();
  readonly #byVictim = new Map<string, Nominated>();
  #ready: Nominated[] = [];

  get hasReady(): boolean {
    return this.#ready.length > 0;
  }

  /** Whether somebody has been asked to make room, and has not ended yet. */
  isVictim(key: string): boolean {
    return this.#byVictim.has(key);
  }

  /** Who waits for others to end, on which node and for how many. */
  of(key: string): { readonly node: string; readonly victims: readonly string[] } | null {
    const nominated = this.#byTask.get(key);
    return nominated === undefined ? null : { node: nominated.node.facts.name, victims: [...nominated.victims] };
  }

  begin({ entry, node, gpus }: Nomination, victims: readonly string[]): void {
    const nominated = { entry, node, gpus, victims: new Set(victims) };
    this.#byTask.set(entry.key, nominated);
    for (const victim of victims) this.#byVictim.set(victim, nominated);
  }

  /** An attempt has ended, whoever asked it to. */
  ended(key: string): void {
    const nominated = this.#byVictim.get(key);
    if (nominated === undefined) return;
    this.#byVictim.delete(key);
    nominated.victims.delete(key);
    if (nominated.victims.size === 0 && this.#byTask.has(nominated.entry.key)) this.#ready.push(nominated);
  }

  takeReady(): readonly Nomination[] {
    const ready = this.#ready;
    if (ready.length > 0) this.#ready = [];
    for (const { entry } of ready) this.#byTask.delete(entry.key);
    return ready;
  }

  /** The task run does not want its place any more; what it has reserved is the caller's to give back. */
  withdraw(key: string): Nomination | null {
    const nominated = this.#byTask.get(key);
    if (nominated === undefined) return null;
    this.#byTask.delete(key);
    this.#ready = this.#ready.filter((each) => each !== nominated);
    for (const victim of nominated.victims) this.#byVictim.delete(victim);
    return nominated;
  }
}

/** What runs on eligible nodes, as a scheduler is shown it. */
export function runningViews(
  running: readonly RunningFacts[],
  model: ClusterModel,
  { scopes }: Call,
  preemptions: Preemptions,
): readonly RunningAttempt[] {
  return running.flatMap(({ key, node, shape, priority, startedAt, readySince = startedAt, forecast }) => {
    const index = model.node(node)?.index ?? -1;
    const needs = model.needsOf(shape);
    if (index < 0 || needs === null) return [];
    const durationMs = forecast === undefined ? {} : { durationMs: forecast.durationMs ?? null };
    const row = [...model.row(needs), ...scopes.map(() => 0)];
    const ending = preemptions.isVictim(key) ? { isEnding: true } : {};
    return [{ key, node: index, needs: row, priority, startedAt, readySince, ...durationMs, ...ending }];
  });
}
