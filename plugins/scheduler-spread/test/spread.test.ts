import { describe, expect, it } from '@jest/globals';
import type { NodeView, PlacementInput, Shape } from '@gantry/plugin-kit/scheduler';
import { randomInput } from '@gantry/plugin-kit/testing';
import plugin from '../src/index.ts';

const node = (name: string, zone: string, free: number, capacity = 8): NodeView => ({
  name,
  labels: zone === '' ? {} : { zone },
  capacity: [capacity],
  free: [free],
});

function place(nodes: readonly NodeView[], count: number, label: string | null, shape: Partial<Shape> = {}): string {
  const { decisions } = plugin.place({
    config: { label, reserveAfterMs: null, reservations: 1 },
    memory: null,
    seed: 0,
    now: 0,
    resources: ['cpu'],
    nodes,
    shapes: [{ needs: [1], feasible: nodes.map((_, at) => at), ...shape }],
    tasks: Array.from({ length: count }, (_, at) => ({
      key: `r.${at}`,
      shape: 0,
      priority: 0,
      readySince: at,
      tenant: 't',
    })),
    running: [],
    tenants: [],
  });
  return decisions.map((each) => ('node' in each ? nodes[each.node]!.name : '-')).join('');
}

describe('spread', () => {
  it('takes the least loaded node, by what is loaded once the task is there', () => {
    // a: (4 + 1) / 8; b: (1 + 1) / 2; c: (8 + 1) / 16.
    expect(place([node('a', '', 4), node('b', '', 1, 2), node('c', '', 8, 16)], 1, null)).toBe('c');
  });

  it('goes by the fullest resource of a node, needed or not', () => {
    const nodes: NodeView[] = [
      { name: 'a', labels: {}, capacity: [8, 8], free: [8, 1] },
      { name: 'b', labels: {}, capacity: [8, 8], free: [4, 4] },
    ];
    const input = randomInput(1, { label: null, reserveAfterMs: null, reservations: 1 });
    const { decisions } = plugin.place({
      ...input,
      memory: null,
      resources: ['cpu', 'memory'],
      nodes,
      shapes: [{ needs: [1, 0], feasible: [0, 1] }],
      tasks: [{ key: 'r.0', shape: 0, priority: 0, readySince: 0, tenant: 't' }],
    });
    expect(decisions).toEqual([{ task: 'r.0', node: 1 }]);
  });

  it('gives no node two tasks more than another that is like it', () => {
    for (let count = 0; count < 30; count++) {
      const names = place(
        ['a', 'b', 'c', 'd'].map((name) => node(name, '', 8)),
        count,
        null,
      ).split('');
      const counts = ['a', 'b', 'c', 'd'].map((name) => names.filter((each) => each === name).length);
      expect(Math.max(...counts) - Math.min(...counts)).toBeLessThanOrEqual(1);
    }
  });

  it('evens out the values of the label by what their nodes have together, then the nodes', () => {
    // Zone x has 16, zone y has 8: two go to x for each that goes to y.
    const nodes = [node('a', 'x', 8), node('b', 'x', 8), node('c', 'y', 8)];
    expect(place(nodes, 6, 'zone').split('').sort().join('')).toBe('aabbcc');
  });

  it('takes the least loaded zone even if another has the least loaded node', () => {
    // Zone x: 8 of 16 taken, with b idle; zone y: 3 of 8.
    const nodes = [node('a', 'x', 0), node('b', 'x', 8), node('c', 'y', 5)];
    expect(place(nodes, 1, null)).toBe('b');
    expect(place(nodes, 1, 'zone')).toBe('c');
  });

  it('passes over a zone without room, and counts nodes without the label as one', () => {
    const nodes = [node('a', 'x', 1, 100), node('b', '', 4, 400), node('c', 'y', 0, 1)];
    expect(place(nodes, 6, 'zone').length).toBe(5);
  });

  it('takes the better liked of two nodes', () => {
    expect(place([node('a', '', 8), node('b', '', 7)], 1, null, { preference: [0, 50] })).toBe('b');
    expect(place([node('a', '', 8), node('b', '', 8)], 1, null, { preference: [-1, 0] })).toBe('b');
  });

  it('decides with a label as without one when every node has a value of its own', () => {
    for (let seed = 0; seed < 100; seed++) {
      const input = randomInput(seed, { label: null as string | null, reserveAfterMs: null, reservations: 1 });
      const nodes = input.nodes.map((each) => ({ ...each, labels: { host: each.name } }));
      const columns = (amounts: readonly number[]) => amounts.slice(0, 1);
      const alike: PlacementInput<{ label: string | null; reserveAfterMs: number | null; reservations: number }> = {
        ...input,
        memory: null,
        resources: ['cpu'],
        nodes: nodes.map((each) => ({ ...each, capacity: columns(each.capacity), free: columns(each.free) })),
        shapes: input.shapes.map((each) => ({ ...each, needs: columns(each.needs) })),
      };
      expect(plugin.place({ ...alike, config: { ...input.config, label: 'host' } }).decisions).toEqual(
        plugin.place(alike as never).decisions,
      );
    }
  });
});
