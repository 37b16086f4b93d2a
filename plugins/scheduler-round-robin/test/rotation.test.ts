import { describe, expect, it } from '@jest/globals';
import plugin from '../src/index.ts';

function call(
  names: readonly string[],
  count: number,
  memory: Parameters<typeof plugin.place>[0]['memory'],
  free = names.map(() => 100),
): Parameters<typeof plugin.place>[0] {
  return {
    config: { weights: {}, reserveAfterMs: null, reservations: 1 },
    memory,
    seed: 0,
    now: 0,
    resources: ['slots'],
    nodes: names.map((name, at) => ({ name, labels: {}, capacity: [100], free: [free[at]!] })),
    shapes: [{ needs: [1], feasible: names.map((_, at) => at) }],
    tasks: Array.from({ length: count }, (_, at) => ({
      key: `r.${at}`,
      shape: 0,
      priority: 0,
      readySince: at,
      tenant: 't',
    })),
    running: [],
    tenants: [],
  };
}

/** Where the tasks of a call go, by name, and what is remembered. */
function place(input: ReturnType<typeof call>): readonly [string, ReturnType<typeof plugin.place>['memory']] {
  const { decisions, memory } = plugin.place(input);
  return [decisions.map((each) => ('node' in each ? input.nodes[each.node]!.name : '-')).join(''), memory];
}

describe('round-robin', () => {
  it('goes round the nodes by name', () => {
    expect(place(call(['a', 'b', 'c'], 7, null))).toEqual(['abcabca', 'a']);
  });

  it('goes on where the last call ended, one task at a time', () => {
    let memory: Parameters<typeof call>[2] = null;
    let places = '';
    for (let time = 0; time < 8; time++) {
      const [where, next] = place(call(['a', 'b', 'c', 'd'], 1, memory));
      places += where;
      memory = next;
    }
    expect(places).toBe('abcdabcd');
  });

  it('goes on behind a node that has left', () => {
    expect(place(call(['a', 'c', 'd'], 3, 'b'))[0]).toBe('cda');
  });

  it('lets a node that has joined have its turn', () => {
    expect(place(call(['a', 'b', 'bb', 'c'], 4, 'b'))[0]).toBe('bbcab');
  });

  it('begins again when the last node by name has left', () => {
    expect(place(call(['a', 'b'], 2, 'z'))[0]).toBe('ab');
  });

  it('skips nodes without room, and goes on with the others', () => {
    expect(place(call(['a', 'b', 'c', 'd'], 6, null, [1, 0, 3, 1]))).toEqual(['acdcc', 'c']);
  });

  it('shares one rotation among shapes', () => {
    const input = call(['a', 'b', 'c'], 4, null);
    const shapes = [
      { needs: [1], feasible: [0, 1, 2] },
      { needs: [2], feasible: [0, 2] },
    ];
    const tasks = input.tasks.map((task, at) => ({ ...task, shape: at % 2 }));
    // r.0 of shape 0: a. r.1 of shape 1: not b, so c. r.2: a again. r.3: c.
    expect(place({ ...input, shapes, tasks })[0]).toBe('acac');
  });

  it('keeps its memory when it places nothing', () => {
    expect(place(call(['a'], 1, 'a', [0]))).toEqual(['', 'a']);
  });
});
