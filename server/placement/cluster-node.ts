import type { Resources } from '@gantry/plugin-kit/scheduler';
import { diskFullOf, type Node } from '../domain/node.ts';
import type { ClusterEvent, ClusterNode } from './filter.ts';

/** A copy, because the engine goes on writing on the node that it hands over. */
export function factsOf({
  name,
  labels,
  taints,
  runners,
  capacity,
  eligibility: state,
  connection,
}: Node): ClusterNode {
  return {
    name,
    labels: Object.freeze({ ...labels }),
    taints,
    runners,
    capacity: amounts(capacity),
    eligibility: state,
    connection,
  };
}

/** Without a prototype: a resource may bear the name of something that every object has. */
export const amounts = (of: Resources): Resources => Object.assign(Object.create(null) as Record<string, number>, of);

/** What has happened to a node, from what it was and what it is. */
export function changesBetween(before: ClusterNode, after: ClusterNode): readonly ClusterEvent[] {
  const events: ClusterEvent[] = [];
  const isOtherwiseFull = (diskFullOf(before) === null) !== (diskFullOf(after) === null);
  if (before.connection !== after.connection || before.eligibility !== after.eligibility || isOtherwiseFull) {
    events.push('ELIGIBILITY_CHANGED');
  }
  if (!isSame(before.labels, after.labels)) events.push('LABELS_CHANGED');
  if (!isSame(before.taints, after.taints)) events.push('TAINTS_CHANGED');
  if (!isSame(before.runners, after.runners)) events.push('RUNNERS_CHANGED');
  if (!isSame(before.capacity, after.capacity)) events.push('CAPACITY_CHANGED');
  return events;
}

/** The order of keys may make equal things differ, which costs a look too many and nothing else. */
const isSame = (one: unknown, other: unknown): boolean =>
  one === other || JSON.stringify(one) === JSON.stringify(other);
