import { describe, expect, it } from '@jest/globals';
import type { Node } from '../../server/domain/node.ts';
import { orderOf } from '../../server/placement/change.ts';
import { FILTERS, refusalsOf } from '../../server/placement/feasibility.ts';
import type { TaskShape } from '../../server/placement/shape.ts';
import { aNode, aShape } from './cluster.ts';

/** The situation, the shape, the node, and of the one refusal the code, the sentence and the remedy. */
const refused: readonly (readonly [string, TaskShape, Node, string, string, RegExp | null])[] = [
  [
    'a lost node',
    aShape(),
    aNode('n1', { connection: 'LOST' }),
    'NODE_NOT_ELIGIBLE',
    'Node n1 is lost: its agent is not heard any more.',
    /Start the agent of n1/,
  ],
  [
    'a suspect node',
    aShape(),
    aNode('n1', { connection: 'SUSPECT' }),
    'NODE_NOT_ELIGIBLE',
    'Node n1 is suspect: its agent has not been heard for a while.',
    /wait until the agent of n1 is heard/,
  ],
  [
    'a cordoned node',
    aShape(),
    aNode('n1', { eligibility: 'CORDONED' }),
    'NODE_NOT_ELIGIBLE',
    'Node n1 is cordoned.',
    /Uncordon n1/,
  ],
  [
    'a node without the runner',
    aShape({ slots: 1 }, { runner: 'docker' }),
    aNode('n1'),
    'RUNNER_UNAVAILABLE',
    'Node n1 does not have the runner docker.',
    /Install what docker needs on n1/,
  ],
  [
    'a node on which the runner found nothing to work with',
    aShape({ slots: 1 }, { runner: 'docker' }),
    aNode('n1', { runners: [{ name: 'docker', version: '1.0.0', health: 'ABSENT', message: 'No daemon.' }] }),
    'RUNNER_UNAVAILABLE',
    'Node n1 does not have the runner docker: No daemon.',
    /Install what docker needs/,
  ],
  [
    'a node on which the runner does not work',
    aShape(),
    aNode('n1', { runners: [{ name: 'mock', version: '1.0.0', health: 'UNHEALTHY', message: 'Disk full' }] }),
    'RUNNER_UNAVAILABLE',
    'The runner mock does not work on node n1: Disk full.',
    /Repair mock on n1/,
  ],
  [
    'a node without the label',
    aShape({ slots: 1 }, { nodeSelector: { zone: 'a' } }),
    aNode('n1'),
    'SELECTOR_MISMATCH',
    'Node n1 has no label zone; the task wants zone=a.',
    /Drop zone=a/,
  ],
  [
    'a node with another value',
    aShape({ slots: 1 }, { nodeSelector: { disk: 'ssd', zone: 'a' } }),
    aNode('n1', { labels: { zone: 'b', disk: 'ssd' } }),
    'SELECTOR_MISMATCH',
    'Node n1 has zone=b; the task wants zone=a.',
    /give n1 the label zone=a/,
  ],
  [
    'a label that every object has',
    aShape({ slots: 1 }, { nodeSelector: { constructor: 'x' } }),
    aNode('n1'),
    'SELECTOR_MISMATCH',
    'Node n1 has no label constructor; the task wants constructor=x.',
    /Drop/,
  ],
  [
    'a tainted node',
    aShape(),
    aNode('n1', { taints: [{ key: 'gpu', value: 'only', effect: 'NO_SCHEDULE' }] }),
    'TAINT_NOT_TOLERATED',
    'Node n1 has the taint gpu=only, which the task does not tolerate.',
    /tolerate gpu=only/,
  ],
  [
    'a taint of another value than is tolerated',
    aShape({ slots: 1 }, { tolerations: [{ key: 'team', value: 'red' }] }),
    aNode('n1', { taints: [{ key: 'team', value: 'blue', effect: 'NO_SCHEDULE' }] }),
    'TAINT_NOT_TOLERATED',
    'Node n1 has the taint team=blue, which the task does not tolerate.',
    /take the taint team=blue off n1/,
  ],
  [
    'a node that is too small',
    aShape({ memory: 2 ** 30, slots: 1 }),
    aNode('n1', { capacity: { memory: 2 ** 29, slots: 8 } }),
    'INSUFFICIENT_CAPACITY',
    'Node n1 has 512Mi of memory in all; the task needs 1Gi.',
    null,
  ],
  [
    'a node without the resource',
    aShape({ gpu: 1_000 }),
    aNode('n1'),
    'INSUFFICIENT_CAPACITY',
    'Node n1 has no gpu; the task needs 1.',
    null,
  ],
  [
    'a resource with the name of something that every object has',
    aShape({ constructor: 1 }),
    aNode('n1'),
    'INSUFFICIENT_CAPACITY',
    'Node n1 has no constructor; the task needs 1.',
    null,
  ],
];

describe('a filter', () => {
  it.each(refused)('refuses %s, and says what would help', (_situation, shape, node, code, message, remedy) => {
    const refusals = refusalsOf(shape, node);
    expect(refusals).toMatchObject([{ code, message }]);
    const ways = refusals[0]!.ways.map((change) => orderOf(change, node.name)).join(', or ');
    // Of an amount it depends on what is free.
    if (remedy !== null) expect(ways).toMatch(new RegExp(remedy, 'i'));
    else expect(ways).toBe('');
    // Nodes that ask for the same are told together.
    for (const change of refusals[0]!.ways) expect(orderOf(change)).not.toContain(node.name);
  });

  it('tells everything for which it refuses, and that it refuses exactly then', () => {
    const shape = aShape({ slots: 5, gpu: 1_000, memory: 2 }, { nodeSelector: { a: '1', b: '2', c: '3' } });
    const taints = [
      { key: 'x', effect: 'NO_SCHEDULE' },
      { key: 'y', value: 'z', effect: 'NO_SCHEDULE' },
    ] as const;
    const node = aNode('n', {
      taints,
      labels: { b: '2', c: '4' },
      capacity: { slots: 4, memory: 2 },
      connection: 'LOST',
      eligibility: 'CORDONED',
    });
    expect(refusalsOf(shape, node).map(({ code }) => code)).toEqual([
      'NODE_NOT_ELIGIBLE',
      'NODE_NOT_ELIGIBLE',
      'SELECTOR_MISMATCH',
      'SELECTOR_MISMATCH',
      'TAINT_NOT_TOLERATED',
      'TAINT_NOT_TOLERATED',
      'INSUFFICIENT_CAPACITY',
      'INSUFFICIENT_CAPACITY',
    ]);
    for (const filter of FILTERS) expect(filter.passes(shape, node)).toBe(filter.refuse(shape, node).length === 0);
  });

  it('lets a node pass that has everything', () => {
    const shape = aShape(
      { cpu: 4_000, slots: 1, gpu: 0 },
      { nodeSelector: { zone: 'a' }, tolerations: [{ key: 'gpu' }, { key: 'team', value: 'red' }] },
    );
    const node = aNode('n1', {
      labels: { zone: 'a', more: 'x' },
      capacity: { cpu: 4_000, slots: 1 },
      taints: [
        { key: 'gpu', value: 'only', effect: 'NO_SCHEDULE' },
        { key: 'team', value: 'red', effect: 'NO_SCHEDULE' },
      ],
    });
    expect(refusalsOf(shape, node)).toEqual([]);
  });

  it('tells every rule that refuses', () => {
    const node = aNode('n1', { connection: 'LOST', runners: [], capacity: {} });
    expect(refusalsOf(aShape(), node).map(({ code }) => code)).toEqual([
      'NODE_NOT_ELIGIBLE',
      'RUNNER_UNAVAILABLE',
      'INSUFFICIENT_CAPACITY',
    ]);
  });

  it.each(FILTERS)('says what may undo its refusal: $code', ({ undoneBy }) => {
    expect(undoneBy).toContain('NODE_JOINED');
    expect(undoneBy.length).toBeGreaterThan(1);
  });
});
