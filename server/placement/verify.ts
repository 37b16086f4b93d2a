import type { Decision, Reason } from '@gantry/plugin-kit/scheduler';
import type { ClusterModel, Held, ModelNode } from './cluster-model.ts';
import { isInDomain } from './offer.ts';
import type { RunningFacts } from './placement.ts';
import type { Pending, PlacementQueue } from './queue.ts';

/** Why a decision of a scheduler was not carried out. */
export interface PlacementRefusal {
  /** As the scheduler wrote it. */
  readonly taskRun: string;
  /** Null for a hold, and for a node that does not exist. */
  readonly node: string | null;
  readonly code: RefusalCode;
  readonly message: string;
}

export type RefusalCode =
  | 'UNKNOWN_TASK'
  /** It is in the queue but was not offered in this call. */
  | 'NOT_PENDING'
  | 'UNKNOWN_NODE'
  | 'NOT_FEASIBLE'
  | 'OVER_COMMIT'
  | 'NOT_PREEMPTIBLE'
  /** The call has decided on it already. */
  | 'DUPLICATE';

/** What became of the decisions of a call. */
export interface Verified {
  /** Placed, and reserved in the model; still in the queue. */
  readonly placed: readonly Pending[];
  /** Where, one by one, and on which of its GPUs. */
  readonly nodes: readonly ModelNode[];
  readonly gpus: readonly (readonly number[])[];
  readonly refusals: readonly PlacementRefusal[];
  /** Reserved in the model over what the victims still hold; still in the queue. */
  readonly preemptions: readonly {
    readonly entry: Pending;
    readonly node: ModelNode;
    readonly gpus: readonly number[];
    readonly victims: readonly string[];
  }[];
}

/**
 * Goes through decisions in their order and believes none of them: each becomes a reservation or a refusal. So what a
 * scheduler is wrong about can only be taste.
 *
 * @param call Of which the decisions are: only what it offered can be decided on.
 * @param running What the scheduler was told of: only that can be preempted.
 * @param already What makes room since an earlier call, and is not over yet.
 */
export function verify(
  decisions: readonly Decision[],
  call: number,
  queue: PlacementQueue,
  model: ClusterModel,
  running: readonly RunningFacts[] = [],
  already: readonly RunningFacts[] = [],
): Verified {
  const { eligible } = model;
  const victims = new Map(running.map((attempt) => [attempt.key, attempt]));
  const ending = new Map<ModelNode, RunningFacts[]>();
  for (const attempt of already) {
    const node = model.node(attempt.node);
    if (node !== undefined) ending.set(node, [...(ending.get(node) ?? []), attempt]);
  }
  const preemptions: { entry: Pending; node: ModelNode; gpus: readonly number[]; victims: readonly string[] }[] = [];
  const placed: Pending[] = [];
  const nodes: ModelNode[] = [];
  const gpus: (readonly number[])[] = [];
  const refusals: PlacementRefusal[] = [];
  for (const decision of decisions) {
    const entry = queue.get(decision.task);
    const node = 'node' in decision ? eligible[decision.node] : undefined;
    const code = refusalOf(decision, call, entry, node, model, victims, ending);
    if (code !== null) {
      refusals.push({ taskRun: decision.task, node: node?.facts.name ?? null, code, message: SENTENCES[code] });
      continue;
    }
    entry!.isDecided = true;
    if ('node' in decision) {
      const preempt = [...new Set(decision.preempt)];
      const gone = [...(ending.get(node!) ?? []), ...preempt.map((key) => victims.get(key)!)];
      const chosen = preempt.length === 0 ? undefined : model.roomWithout(entry!.shape, node!, gone)!;
      const taken = model.take(entry!.shape, node!, chosen);
      if (preempt.length > 0) {
        preemptions.push({ entry: entry!, node: node!, gpus: taken, victims: preempt });
        // Nobody makes room twice, but what one leaves over is there for the next.
        ending.set(node!, gone);
        for (const victim of preempt) victims.delete(victim);
        continue;
      }
      placed.push(entry!);
      nodes.push(node!);
      gpus.push(taken);
    } else {
      entry!.hold = decision.hold;
    }
  }
  return { placed, nodes, gpus, refusals, preemptions };
}

const SENTENCES: Readonly<Record<RefusalCode, string>> = {
  UNKNOWN_TASK: 'No such task run is in the queue.',
  NOT_PENDING: 'The task run was not offered in this call.',
  UNKNOWN_NODE: 'There is no node with this index.',
  NOT_FEASIBLE: 'The node will not do for the task run, whatever is free there.',
  OVER_COMMIT: 'The node has no room left for the task run.',
  NOT_PREEMPTIBLE: 'What is to make room does not run on that node, has no lower priority, or makes room already.',
  DUPLICATE: 'The task run has been decided on in this call already.',
};

function refusalOf(
  decision: Decision,
  call: number,
  entry: Pending | undefined,
  node: ModelNode | undefined,
  model: ClusterModel,
  victims: ReadonlyMap<string, RunningFacts>,
  before: ReadonlyMap<ModelNode, readonly Held[]>,
): RefusalCode | null {
  if (entry === undefined) return 'UNKNOWN_TASK';
  if (entry.call !== call) return 'NOT_PENDING';
  if (entry.isDecided) return 'DUPLICATE';
  if (!('node' in decision)) return null;
  if (node === undefined) return 'UNKNOWN_NODE';
  const { shape } = entry;
  if (!model.feasibility.passes(shape, node) || !isInDomain(entry, node)) return 'NOT_FEASIBLE';
  const { preempt = [] } = decision;
  if (preempt.length === 0) return model.hasRoom(shape, node) ? null : 'OVER_COMMIT';
  const ending: Held[] = [...(before.get(node) ?? [])];
  for (const key of new Set(preempt)) {
    const victim = victims.get(key);
    if (victim === undefined || victim.node !== node.facts.name || victim.priority >= entry.priority) {
      return 'NOT_PREEMPTIBLE';
    }
    ending.push(victim);
  }
  return model.roomWithout(shape, node, ending) === null ? 'OVER_COMMIT' : null;
}

/** What decisions that were refused say of their scheduler; there is one at least. */
export function faultOf(refusals: readonly PlacementRefusal[]): Reason {
  const [first] = refusals;
  return {
    code: first!.code,
    message: `${refusals.length} of the scheduler’s decisions were refused; the first, for task run ${first!.taskRun}: ${first!.message}`,
    remedy: 'Run describeScheduler of @gantry/plugin-kit/testing over it.',
  };
}
