import type { PendingTask, Shape, TenantView } from '@gantry/plugin-kit/scheduler';
import { labelOf } from '../domain/label-rule.ts';
import { PER_NODE, perNodeNeed, type ClusterModel, type ModelNode } from './cluster-model.ts';
import type { Group, Pending } from './queue.ts';
import type { Offer } from './scheduler.ts';
import type { TaskShape } from './shape.ts';
import { assignDomains, type Domain } from './spread.ts';

/** A call shows the counts of at most so many scopes: each is a column more for every node. */
const MAX_SCOPES = 64;

/**
 * What one call may decide on: task runs, and the scopes whose limits per node they share. A limit per node is shown to
 * the scheduler as one more resource, of which each node has as much as is left: so every scheduler keeps it without
 * knowing of it.
 */
export interface Call {
  readonly offered: readonly Pending[];
  readonly groups: readonly Group[];
  readonly scopes: readonly string[];
}

/** Numbers the call of each group and task run; what has one scope too many waits for the next call. */
export function beginCall(pending: readonly Pending[], call: number): Call {
  const scopes: string[] = [];
  const groups: Group[] = [];
  let offered = pending;
  for (const { group } of pending) {
    const scope = group.shape.rules?.perNode?.scope;
    if (group.call === call) continue;
    if (scope !== undefined && !scopes.includes(scope)) {
      if (scopes.length === MAX_SCOPES) continue;
      scopes.push(scope);
    }
    group.call = call;
    group.offered = 0;
    group.placed = 0;
    groups.push(group);
  }
  if (scopes.length === MAX_SCOPES) offered = pending.filter(({ group }) => group.call === call);
  for (const entry of offered) {
    entry.group.offered++;
    entry.call = call;
    entry.isDecided = false;
    entry.hold = null;
    entry.domain = undefined;
  }
  return { offered, groups, scopes };
}

/** Draws up what the scheduler is shown: of the task runs of a call those that nothing has been decided on yet. */
export function makeOffer(
  { offered, groups, scopes }: Call,
  model: ClusterModel,
  tenants: readonly TenantView[],
  now: number,
): Offer {
  const shapes: Shape[] = [];
  const spreads = new Map<Group, readonly number[]>();
  const taken = new Map<Group, number>();
  for (const group of groups) {
    const { shape } = group;
    const needs = needsRow(shape, scopes, model);
    const feasible = model.feasibility.nodesFor(shape);
    const weights = model.feasibility.preferenceFor(shape);
    const preference = weights === null ? {} : { preference: weights };
    const spread = shape.rules?.spread;
    if (!spread) {
      group.index = shapes.push({ needs, feasible, ...preference }) - 1;
      continue;
    }
    const domains = domainsOf(shape, feasible, model);
    const left = offered.reduce((count, entry) => count + (entry.group === group && !entry.isDecided ? 1 : 0), 0);
    spreads.set(group, assignDomains(domains, left, spread.required));
    group.index = shapes.length;
    group.domains = domains.map(({ value }) => value);
    for (const { nodes } of domains) shapes.push({ needs, feasible: Uint32Array.from(nodes), ...preference });
  }
  const tasks: PendingTask[] = [];
  for (const entry of offered) {
    if (entry.isDecided) continue;
    const { key, group, priority, readySince, tenant } = entry;
    let shape = group.index;
    const assigned = spreads.get(group);
    if (assigned !== undefined) {
      const at = taken.get(group) ?? 0;
      taken.set(group, at + 1);
      const domain = assigned[at]!;
      if (domain < 0) continue;
      shape += domain;
      entry.domain = group.domains[domain]!;
    }
    const task = { key, shape, priority, readySince, tenant };
    tasks.push(entry.forecast === undefined ? task : { ...task, ...entry.forecast });
  }
  return {
    now,
    resources: scopes.length === 0 ? model.resources.slice() : [...model.resources, ...scopes.map(columnName)],
    nodes: scopes.length === 0 ? model.views() : withScopes(model, scopes),
    shapes,
    tasks,
    running: [],
    tenants: tenants.map(({ name, used }) => ({ name, used: padded(used, model.resources.length + scopes.length) })),
  };
}

const columnName = (scope: string): string => `per node: ${scope}`;

function padded(amounts: readonly number[], length: number): readonly number[] {
  return amounts.length === length ? amounts : Array.from({ length }, (_, column) => amounts[column] ?? 0);
}

/** What a shape needs in a call: by resource, and of each scope's limit. */
export function needsRow(shape: TaskShape, scopes: readonly string[], model: ClusterModel): readonly number[] {
  const row = model.row(model.needsOf(shape)!);
  const perNode = shape.rules?.perNode;
  return scopes.length === 0
    ? row
    : [...row, ...scopes.map((scope) => (perNode?.scope === scope ? perNodeNeed(perNode.max) : 0))];
}

function withScopes(model: ClusterModel, scopes: readonly string[]): Offer['nodes'] {
  const whole = scopes.map(() => PER_NODE);
  const free = model.views().map((view) => view.free.concat(whole));
  const first = model.resources.length;
  // Of a scope there is something on few nodes, of the others nothing is taken.
  for (const [at, scope] of scopes.entries()) {
    for (const [node, amount] of model.perNode.nodes(scope)) {
      const row = free[node.index];
      if (row !== undefined) row[first + at] = PER_NODE - amount;
    }
  }
  return model.views().map((view, index) => ({ ...view, capacity: view.capacity.concat(whole), free: free[index]! }));
}

/** The feasible nodes by the value of the label that the tasks are spread over, in the order of the values. */
export function domainsOf(shape: TaskShape, feasible: Iterable<number>, model: ClusterModel): readonly Domain[] {
  const { label, scope, required } = shape.rules!.spread!;
  const { eligible } = model;
  const domains = new Map<string | null, Domain>();
  for (const index of feasible) {
    const node = eligible[index]!;
    const value = labelOf(label, node.facts.name, node.facts.labels) ?? null;
    if (value === null && required) continue;
    let domain = domains.get(value);
    if (domain === undefined) domains.set(value, (domain = { value, nodes: [], count: 0, room: 0 }));
    domain.nodes.push(index);
    domain.room += model.roomFor(shape, node);
  }
  for (const [node, count] of model.spread.nodes(scope)) {
    const domain = domains.get(labelOf(label, node.facts.name, node.facts.labels) ?? null);
    if (domain !== undefined) domain.count += count;
  }
  return [...domains.values()].sort((one, other) => ((one.value ?? '') < (other.value ?? '') ? -1 : 1));
}

/** Where the next task of a shape must go to stay evenly spread; undefined when it need not. */
export function nextDomain(shape: TaskShape, model: ClusterModel): string | null | undefined {
  if (!shape.rules?.spread?.required) return undefined;
  const domains = domainsOf(shape, model.feasibility.nodesFor(shape), model);
  return domains.length === 0
    ? undefined
    : domains.reduce((fewest, domain) => (domain.count < fewest.count ? domain : fewest)).value;
}

/** Whether a node is in the domain that the task was offered for; every node is when it is not spread. */
export function isInDomain({ group, domain }: Pending, { facts }: ModelNode): boolean {
  if (domain === undefined) return !group.shape.rules?.spread;
  return (labelOf(group.shape.rules!.spread!.label, facts.name, facts.labels) ?? null) === domain;
}
