import type { ClusterModel, ModelNode } from './cluster-model.ts';
import type { Pending, PlacementQueue } from './queue.ts';
import type { HeldNode } from './scheduler.ts';

/** The nodes that the scheduler holds for task runs that wait, as the pool knows them. */
export class HeldNodes {
  #byNode: ReadonlyMap<ModelNode, HeldNode> = new Map();
  #released: ModelNode[] = [];

  has(node: ModelNode): boolean {
    return this.#byNode.has(node);
  }

  /** Takes over what is held now: nothing for who does not wait any more. Says whether any node is not held any more. */
  renew(held: readonly HeldNode[], queue: PlacementQueue, model: ClusterModel): boolean {
    if (held.length === 0 && this.#byNode.size === 0) return false;
    const byNode = new Map<ModelNode, HeldNode>();
    for (const each of held) {
      const node = queue.get(each.taskRun) === undefined ? undefined : model.node(each.node);
      if (node !== undefined) byNode.set(node, each);
    }
    const before = this.#released.length;
    for (const node of this.#byNode.keys()) if (!byNode.has(node)) this.#released.push(node);
    this.#byNode = byNode;
    return this.#released.length > before;
  }

  /** Those that are not held any more since this was asked last: it is as if they had become roomier. */
  takeReleased(): readonly ModelNode[] {
    const released = this.#released;
    if (released.length > 0) this.#released = [];
    return released;
  }

  /** Each task run that a node is held for, and the node. */
  *entries(queue: PlacementQueue): Iterable<readonly [Pending, ModelNode]> {
    for (const [node, { taskRun }] of this.#byNode) {
      const entry = queue.get(taskRun);
      if (entry !== undefined) yield [entry, node];
    }
  }

  /** Whether one of this priority may come before somebody for whom a node is held. */
  isMoreUrgent(priority: number, queue: PlacementQueue): boolean {
    for (const [entry] of this.entries(queue)) if (priority > entry.priority) return true;
    return false;
  }
}
