import type { Reason } from '@gantry/plugin-kit/vocabulary';
import type { ClusterModel } from './cluster-model.ts';
import { NODES_LOOKED_AT, reasonOfEntry, reasonOfGroup, type QueueReason, type Tier } from './explain.ts';
import { queuePage, type QueuePage, type QueueRange } from './queue-page.ts';
import type { Group, Pending, PlacementQueue } from './queue.ts';
import type { HeldNode } from './scheduler.ts';

/** What is wanted of a queue; what is absent does not matter. */
export interface QueueFilter {
  /** The pipeline's name. */
  readonly pipeline?: string | undefined;
  /** The run's id. */
  readonly run?: string | undefined;
  /** The name of the layer that keeps it. */
  readonly tier?: string | undefined;
  /** The code of what keeps it. */
  readonly code?: string | undefined;
}

/** What waits and why, counted. */
export interface QueueOverview {
  /** Most frequent first. */
  readonly reasons: readonly ReasonCount[];
  /** Task runs of kinds that nobody has looked into: there are too many kinds. */
  readonly unexplainedCount: number;
  /** Those with the most task runs, by their number, then by name; 50 at most. */
  readonly pipelines: readonly { readonly name: string; readonly count: number }[];
}

/** How many wait for the same sort of reason. */
export interface ReasonCount {
  readonly tier: Tier;
  /** The sentence of the largest kind of task among them; all have its code. */
  readonly summary: Reason;
  readonly count: number;
}

/**
 * At most so many times a shape is held against a node for one overview, the most frequent shapes first, so that a
 * queue of nothing but differing tasks keeps nobody waiting.
 */
const MOST_LOOKS = 8_192;

/** More than this are no choice any more. */
const MOST_PIPELINES = 50;

/** What has been worked out since the last change. */
interface Known {
  readonly reasons: Map<Group, QueueReason>;
  /** The groups that an overview tells of; null when nobody has asked for one. */
  explained: ReadonlySet<Group> | null;
  overview: QueueOverview | null;
}

/** Answers questions about a queue. Only what is asked is worked out, once between two changes. */
export class QueueInspection {
  readonly #queue: PlacementQueue;
  readonly #model: ClusterModel;
  readonly #held: () => readonly HeldNode[];
  #known: Known | null = null;

  /** @param held The nodes that are held now. */
  constructor(queue: PlacementQueue, model: ClusterModel, held: () => readonly HeldNode[]) {
    this.#queue = queue;
    this.#model = model;
    this.#held = held;
  }

  /** What waits, or why, may have become another. */
  changed(): void {
    this.#known = null;
  }

  /** Is another object whenever what waits, or why, may have become another. */
  get mark(): object {
    return this.#now;
  }

  /** A part of the queue, the most urgent first. */
  page(range: QueueRange, filter: QueueFilter = {}): QueuePage {
    return queuePage(this.#queue, range, this.#wanted(filter));
  }

  /** The ids of those that wait, the most urgent first; so many at most. */
  first(count: number): readonly string[] {
    return this.page({ first: count, after: null, skip: 0 }).entries.map(({ key }) => key);
  }

  /** Why a task run waits, in short; null when it is not in the queue (any more). */
  reasonOf(key: string): QueueReason | null {
    const entry = this.#queue.get(key);
    return entry === undefined ? null : reasonOfEntry(entry, this.#reasonOf(entry.group), this.#held());
  }

  /** Why they wait, and whose they are, counted. */
  get overview(): QueueOverview {
    return (this.#now.overview ??= this.#count());
  }

  get #now(): Known {
    return (this.#known ??= { reasons: new Map(), explained: null, overview: null });
  }

  #reasonOf(group: Group): QueueReason {
    const { reasons } = this.#now;
    let reason = reasons.get(group);
    if (reason === undefined) reasons.set(group, (reason = reasonOfGroup(group, this.#model, this.#held())));
    return reason;
  }

  /** The largest groups, as many as may be looked into. */
  get #explained(): ReadonlySet<Group> {
    return (this.#now.explained ??= this.#largest());
  }

  #largest(): ReadonlySet<Group> {
    const looks = Math.max(1, Math.min(this.#model.nodes().length, NODES_LOOKED_AT));
    const groups = [...this.#queue.awake, ...this.#queue.resting].sort((one, other) => other.size - one.size);
    return new Set(groups.slice(0, Math.ceil(MOST_LOOKS / looks)));
  }

  #wanted({ pipeline, run, tier, code }: QueueFilter): ((entry: Pending) => boolean) | null {
    if (pipeline === undefined && run === undefined && tier === undefined && code === undefined) return null;
    const hasReason = tier === undefined && code === undefined ? null : this.#explained;
    const prefix = run === undefined ? null : `${run}.`;
    return (entry) => {
      if (pipeline !== undefined && entry.tenant !== pipeline) return false;
      if (prefix !== null && !entry.key.startsWith(prefix)) return false;
      if (hasReason === null) return true;
      if (!hasReason.has(entry.group)) return false;
      const reason = reasonOfEntry(entry, this.#reasonOf(entry.group), this.#held());
      return (tier ?? reason.tier) === reason.tier && (code ?? reason.summary.code) === reason.summary.code;
    };
  }

  #count(): QueueOverview {
    const explained = this.#explained;
    const reasons = new Map<string, { readonly tier: Tier; readonly summary: Reason; count: number }>();
    const add = ({ tier, summary }: QueueReason, count: number): void => {
      const key = `${tier} ${summary.code}`;
      const known = reasons.get(key);
      if (known === undefined) reasons.set(key, { tier, summary, count });
      else known.count += count;
    };
    let explainedCount = 0;
    // Largest first, so that the sentence is the one that most of them would say.
    for (const group of explained) {
      add(this.#reasonOf(group), group.size);
      explainedCount += group.size;
    }
    const pipelines = new Map<string, number>();
    const held = this.#held();
    const holding = new Set(held.map(({ taskRun }) => taskRun));
    for (const entry of this.#queue.entries()) {
      const { key, tenant, hold, group } = entry;
      pipelines.set(tenant, (pipelines.get(tenant) ?? 0) + 1);
      if ((hold === null && !holding.has(key)) || !explained.has(group)) continue;
      const reason = this.#reasonOf(group);
      const own = reasonOfEntry(entry, reason, held);
      if (own === reason) continue;
      add(reason, -1);
      add(own, 1);
    }
    return {
      reasons: [...reasons.values()].filter(({ count }) => count > 0).sort((one, other) => other.count - one.count),
      unexplainedCount: this.#queue.size - explainedCount,
      pipelines: Array.from(pipelines, ([name, count]) => ({ name, count }))
        .sort((one, other) => other.count - one.count || (one.name < other.name ? -1 : 1))
        .slice(0, MOST_PIPELINES),
    };
  }
}
