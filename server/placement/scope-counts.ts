import type { ModelNode } from './cluster-model.ts';

/** Amounts by scope and node, for rules that look at where others of the same run are. Nothing that is 0 is kept. */
export class ScopeCounts {
  readonly #scopes = new Map<string, Map<ModelNode, number>>();

  of(scope: string, node: ModelNode): number {
    return this.#scopes.get(scope)?.get(node) ?? 0;
  }

  /** Every node on which there is something of the scope. */
  nodes(scope: string): ReadonlyMap<ModelNode, number> {
    return this.#scopes.get(scope) ?? NONE;
  }

  add(scope: string, node: ModelNode, amount: number): void {
    let counts = this.#scopes.get(scope);
    if (counts === undefined) this.#scopes.set(scope, (counts = new Map()));
    const sum = (counts.get(node) ?? 0) + amount;
    if (sum !== 0) counts.set(node, sum);
    else if (counts.delete(node) && counts.size === 0) this.#scopes.delete(scope);
  }
}

const NONE: ReadonlyMap<ModelNode, number> = new Map();
