import { labelOf } from '../domain/label-rule.ts';
import { changedNode, changedShape, freedBy, isToTask, type Change } from './change.ts';
import type { ClusterModel, ModelNode } from './cluster-model.ts';
import { passesAll } from './feasibility.ts';
import { domainsOf } from './offer.ts';
import type { Group } from './queue.ts';
import type { TaskShape } from './shape.ts';
import { assignDomains, type Domain } from './spread.ts';

/** What has been worked out for the task as some changes leave it. */
interface Tried {
  readonly shape: TaskShape;
  /** Null when it is not spread. */
  readonly domains: readonly Domain[] | null;
  /** How many of a gang there is room for on all nodes; not counted for a task that is of none. */
  readonly room: number;
}

/**
 * Tries changes before they are told as a remedy: whether a node would take a task of the group if exactly these were
 * made, by every filter and every limit together. What the whole cluster has to say is worked out once per change to
 * the task, so one trial costs a few comparisons.
 */
export class Trial {
  readonly #group: Group;
  readonly #model: ClusterModel;
  /** By the changes to the task; those of one list are asked for again and again. */
  readonly #tried = new Map<string, Tried>();
  readonly #known = new WeakMap<readonly Change[], Tried>();

  constructor(group: Group, model: ClusterModel) {
    this.#group = group;
    this.#model = model;
  }

  /** Whether the node would take the task if these changes were made, there where they are about a node. */
  fits(node: ModelNode, changes: readonly Change[]): boolean {
    const tried = this.#after(changes);
    const { shape } = tried;
    const facts = changes.reduce(changedNode, node.facts);
    if (!passesAll(shape, facts)) return false;
    const room = this.#roomAfter(shape, node, changes);
    if (room < 1) return false;
    const { gangSize } = this.#group;
    const wasThere = this.#isCounted(tried.shape, node);
    if (tried.domains === null) {
      if (gangSize === 0) return true;
      return tried.room - (wasThere ? this.#model.roomFor(shape, node) : 0) + room >= gangSize;
    }
    return this.#fitsSpread(tried, node, labelOf(shape.rules!.spread!.label, facts.name, facts.labels) ?? null, {
      more: room - (wasThere ? this.#model.roomFor(shape, node) : 0),
      count: Math.max(1, gangSize),
    });
  }

  /** Fewest of the changes: what the others do anyway is not asked for. Null when all of them are not enough. */
  fewest(node: ModelNode, changes: readonly Change[]): readonly Change[] | null {
    if (!this.fits(node, changes)) return null;
    let left = changes;
    for (const change of changes) {
      const without = left.filter((each) => each !== change);
      if (without.length > 0 && this.fits(node, without)) left = without;
    }
    return left;
  }

  /** With the node in its domain: where the tasks go that are placed next, and whether all find room. */
  #fitsSpread(
    { shape, domains }: Tried,
    node: ModelNode,
    value: string | null,
    { more, count }: { readonly more: number; readonly count: number },
  ): boolean {
    const { required, scope, label } = shape.rules!.spread!;
    if (value === null && required) return false;
    const all: Domain[] = domains!.map((domain) => ({ ...domain }));
    let own = all.find((domain) => domain.value === value);
    const isNew = own === undefined;
    if (own === undefined) {
      own = { value, nodes: [], count: 0, room: 0 };
      for (const [each, there] of this.#model.spread.nodes(scope)) {
        const { name, labels } = each.facts;
        if (each === node || (labelOf(label, name, labels) ?? null) === value) own.count += there;
      }
      all.push(own);
      all.sort((one, other) => ((one.value ?? '') < (other.value ?? '') ? -1 : 1));
    }
    const before = labelOf(label, node.facts.name, node.facts.labels) ?? null;
    if (before !== value) {
      // What runs there moves with the node.
      const there = this.#model.spread.of(scope, node);
      const old = all.find((domain) => domain.value === before);
      if (old !== undefined) old.count -= there;
      if (!isNew) own.count += there;
    }
    own.room += more;
    const assigned = assignDomains(all, count, required);
    return assigned.every((at) => at >= 0) && all[assigned[0]!] === own;
  }

  #roomAfter(shape: TaskShape, node: ModelNode, changes: readonly Change[]): number {
    const { perNode } = shape.rules ?? { perNode: null };
    let limited: number | null = null;
    for (const { kind } of changes) {
      if (kind === 'RAISE_LIMIT') limited = this.#model.limited.of(perNode!.scope, node);
      if (kind === 'END_ONE') limited = this.#model.limited.of(perNode!.scope, node) - 1;
    }
    return this.#model.roomAfter(shape, node, freedBy(changes, node.gpus), limited);
  }

  /** Whether the node takes tasks of the shape as it is. */
  #isCounted(shape: TaskShape, node: ModelNode): boolean {
    return node.index >= 0 && passesAll(shape, node.facts);
  }

  #after(changes: readonly Change[]): Tried {
    const known = this.#known.get(changes);
    if (known !== undefined) return known;
    const toTask = changes.filter(isToTask);
    const key = toTask.length === 0 ? '' : JSON.stringify(toTask);
    let tried = this.#tried.get(key);
    if (tried !== undefined) {
      this.#known.set(changes, tried);
      return tried;
    }
    const model = this.#model;
    const shape = toTask.reduce(changedShape, this.#group.shape);
    const able = toTask.length === 0 ? model.feasibility.nodesFor(shape) : ableFor(shape, model);
    let room = 0;
    if (this.#group.gangSize > 0) for (const index of able) room += model.roomFor(shape, model.eligible[index]!);
    tried = { shape, room, domains: shape.rules?.spread ? domainsOf(shape, able, model) : null };
    this.#tried.set(key, tried);
    this.#known.set(changes, tried);
    return tried;
  }
}

/** As `Feasibility.nodesFor`, which remembers what it is asked: what is only tried is not worth it. */
function ableFor(shape: TaskShape, { eligible }: ClusterModel): readonly number[] {
  if (!shape.rules?.spread && !shape.rules?.gang) return [];
  const able: number[] = [];
  for (let index = 0; index < eligible.length; index++) if (passesAll(shape, eligible[index]!.facts)) able.push(index);
  return able;
}
