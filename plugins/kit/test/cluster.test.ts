import { describe, expect, it } from '@jest/globals';
import { Cluster } from '../src/cluster.ts';

const nodes = [
  { name: 'a', labels: {}, capacity: [4_000, 8], free: [1_000, 8] },
  { name: 'b', labels: {}, capacity: [8_000, 2], free: [8_000, -1] },
];

describe('a cluster', () => {
  it('gives away what is free, until nothing is', () => {
    const cluster = new Cluster(nodes, 2);
    expect(cluster.fits(0, [500, 1])).toBe(true);
    cluster.take(0, [500, 1]);
    cluster.take(0, [500, 1]);
    expect(cluster.free(0)).toEqual([0, 6]);
    expect(cluster.fits(0, [1, 0])).toBe(false);
    expect(cluster.fits(0, [0, 6])).toBe(true);
    expect(cluster.capacityOf(0, 0)).toBe(4_000);
  });

  it('leaves alone what it was made from', () => {
    const cluster = new Cluster(nodes, 2);
    cluster.take(0, [1_000, 8]);
    expect(nodes[0]!.free).toEqual([1_000, 8]);
  });

  it('lets a task that needs none of a resource onto a node that lacks it', () => {
    expect(new Cluster(nodes, 2).fits(1, [1_000, 0])).toBe(true);
    expect(new Cluster(nodes, 2).fits(1, [1_000, 1])).toBe(false);
  });
});
