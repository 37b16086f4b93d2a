import type { NodeTile } from '../../client/operations.ts';

/** Nodes that have something in common. */
export interface NodeGroup {
  /** What they have in common: a pool, a state, a label’s value. Null: those without the label. */
  readonly name: string | null;
  readonly nodes: readonly NodeTile[];
}

/** How much of a resource is held. */
export interface Fill {
  readonly name: string;
  readonly reserved: number;
  readonly capacity: number;
}

/** What says how a node fares: a connection that does not work goes before all else. */
export const nodeState = ({ connection, eligibility }: Pick<NodeTile, 'connection' | 'eligibility'>) =>
  connection === 'READY' ? eligibility : connection;

/** By what nodes can be grouped: the pool, the state, and each label that some node has. */
export function groupings(nodes: Iterable<NodeTile>): readonly { readonly by: string; readonly title: string }[] {
  const labels = new Set<string>();
  for (const node of nodes) for (const { key } of node.labels) labels.add(key);
  return [
    { by: 'pool', title: 'Pool' },
    { by: 'state', title: 'State' },
    ...[...labels].sort().map((key) => ({ by: `label:${key}`, title: `Label ${key}` })),
  ];
}

/** The nodes whose name has a text in it, grouped. Groups and nodes by name; those without the label last. */
export function groupNodes(nodes: Iterable<NodeTile>, by: string, search: string): readonly NodeGroup[] {
  const groups = new Map<string | null, NodeTile[]>();
  const text = search.toLowerCase();
  for (const node of nodes) {
    if (text !== '' && !node.name.toLowerCase().includes(text)) continue;
    const name = nameOfGroup(node, by);
    const group = groups.get(name);
    if (group === undefined) groups.set(name, [node]);
    else group.push(node);
  }
  return [...groups]
    .map(([name, members]) => ({ name, nodes: members.sort((one, other) => byName(one.name, other.name)) }))
    .sort((one, other) => Number(one.name === null) - Number(other.name === null) || byName(one.name!, other.name!));
}

function nameOfGroup(node: NodeTile, by: string): string | null {
  if (by === 'state') return nodeState(node);
  if (!by.startsWith('label:')) return node.poolName;
  const wanted = by.slice('label:'.length);
  return node.labels.find(({ key }) => key === wanted)?.value ?? null;
}

const order = new Intl.Collator('en', { numeric: true });
/** `node-2` before `node-10`. */
const byName = (one: string, other: string): number => order.compare(one, other);

/** How full a node is, by resource: what it has, in the order of the resources’ names. */
export function fillsOf({ capacity, reserved }: Pick<NodeTile, 'capacity' | 'reserved'>): readonly Fill[] {
  return capacity
    .filter(({ amount }) => amount > 0)
    .map(({ name, amount }) => ({
      name,
      capacity: amount,
      reserved: reserved.find((each) => each.name === name)?.amount ?? 0,
    }));
}

/** How full several are together. */
export function totalFill(nodes: Iterable<NodeTile>): readonly Fill[] {
  const totals = new Map<string, { reserved: number; capacity: number }>();
  for (const node of nodes) {
    for (const { name, reserved, capacity } of fillsOf(node)) {
      const total = totals.get(name) ?? { reserved: 0, capacity: 0 };
      total.reserved += reserved;
      total.capacity += capacity;
      totals.set(name, total);
    }
  }
  return [...totals].map(([name, total]) => ({ name, ...total })).sort((one, other) => byName(one.name, other.name));
}
