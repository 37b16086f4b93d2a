import { describe, expect, it } from '@jest/globals';
import { Cluster } from '../src/cluster.ts';

const nodes = [
  { name: 'a', labels: {}, capacity: [4_000, 8], free: [1_000, 8] },
  { name: 'b', labels: {}, capacity: [8_000, 2], free: [8_000, -1] },
];

describe('a cluster', () => {
  it('gives away what is free, until nothing is', () => {
    const cluster = new Cluster(nodes, ['cpu', 'slots']);
    expect(cluster.fits(0, [500, 1])).toBe(true);
    cluster.take(0, [500, 1]);
    cluster.take(0, [500, 1]);
    expect(cluster.free(0)).toEqual([0, 6]);
    expect(cluster.fits(0, [1, 0])).toBe(false);
    expect(cluster.fits(0, [0, 6])).toBe(true);
    expect(cluster.capacityOf(0, 0)).toBe(4_000);
  });

  it('leaves alone what it was made from', () => {
    const cluster = new Cluster(nodes, ['cpu', 'slots']);
    cluster.take(0, [1_000, 8]);
    expect(nodes[0]!.free).toEqual([1_000, 8]);
  });

  it('lets a task that needs none of a resource onto a node that lacks it', () => {
    expect(new Cluster(nodes, ['cpu', 'slots']).fits(1, [1_000, 0])).toBe(true);
    expect(new Cluster(nodes, ['cpu', 'slots']).fits(1, [1_000, 1])).toBe(false);
  });

  it('gives a part of a GPU from the fullest that still has it, and more than one as whole ones', () => {
    const node = { name: 'g', labels: {}, capacity: [4_000], free: [2_600], gpus: [1_000, 600, 1_000] };
    const cluster = new Cluster([node], ['gpu']);
    expect(cluster.fits(0, [3_000])).toBe(false);
    cluster.take(0, [500]);
    expect(cluster.gpusOf(0)).toEqual([1_000, 100, 1_000]);
    cluster.take(0, [200]);
    expect(cluster.gpusOf(0)).toEqual([800, 100, 1_000]);
    // 1,900 are free in all, and no two of them whole.
    expect(cluster.fits(0, [2_000])).toBe(false);
    expect(cluster.fits(0, [1_000])).toBe(true);
    expect(node.gpus).toEqual([1_000, 600, 1_000]);
  });
});
