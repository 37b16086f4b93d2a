import type { Candidate, Decision, PlacementInput, PlacementOutput } from '@gantry/plugin-kit/scheduler';
import type { DecidedCall } from './scheduler.ts';

/** What places: a scheduler plugin, as far as a call needs it. */
type Place = (input: PlacementInput) => PlacementOutput;

/** How a call that is made again compares with what was decided then. */
export interface Rerun {
  readonly isIdentical: boolean;
  /** Task runs that went, or now would go, elsewhere, in the order of the offer. */
  readonly differences: readonly Difference[];
  /** How many task runs were placed then, and would be now. */
  readonly placedBefore: number;
  readonly placedNow: number;
}

export interface Difference {
  readonly taskRun: string;
  /** By name; null when it stayed in the queue. */
  readonly before: string | null;
  readonly now: string | null;
}

/** A node that a scheduler might have chosen. */
export interface NamedCandidate extends Pick<Candidate, 'score' | 'parts'> {
  readonly node: string;
}

/** Makes a call again, with the same scheduler or another. Throws what the plugin throws. */
export function rerun(place: Place, { input, decisions }: DecidedCall, config: unknown = input.config): Rerun {
  const isOther = config !== input.config;
  const before = nodesOf(decisions ?? [], input);
  // The memory of one scheduler, or of another config, and what it holds, mean nothing to another.
  const asked = isOther ? { ...input, config, memory: null, reservations: [] } : input;
  const now = nodesOf(place(asked).decisions, input);
  const differences = input.tasks.flatMap(({ key }) => {
    const one = before.get(key) ?? null;
    const other = now.get(key) ?? null;
    return one === other ? [] : { taskRun: key, before: one, now: other };
  });
  return { isIdentical: differences.length === 0, differences, placedBefore: before.size, placedNow: now.size };
}

/** The best nodes for a task run of a call as the scheduler saw them, best first; empty when it does not say. */
export function candidatesOf(place: Place, { input }: DecidedCall, taskRun: string): readonly NamedCandidate[] {
  const decision = place({ ...input, explain: taskRun }).decisions.find(({ task }) => task === taskRun);
  if (decision === undefined || !('node' in decision)) return [];
  return (decision.considered ?? []).flatMap(({ node, score, parts }) => {
    const name = input.nodes[node]?.name;
    return name === undefined ? [] : { node: name, score, ...(parts === undefined ? {} : { parts }) };
  });
}

/** Where a call's tasks went, by name. */
export function nodesOf(decisions: readonly Decision[], { nodes }: PlacementInput): ReadonlyMap<string, string> {
  const placed = new Map<string, string>();
  for (const decision of decisions) {
    const name = 'node' in decision ? nodes[decision.node]?.name : undefined;
    if (name !== undefined) placed.set(decision.task, name);
  }
  return placed;
}
