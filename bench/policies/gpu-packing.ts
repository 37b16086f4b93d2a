import { policy } from './policy.ts';

/**
 * GPUs that others use already first, then idle GPUs of nodes in use, then idle nodes; the fullest node within each
 * (Q. Weng et al., MLaaS in the Wild, NSDI 2022).
 */
export default policy('GPU packing', 'GPUs in use first, then nodes in use, then idle ones.', ({ resources }) => {
  const gpu = resources.indexOf('gpu');
  return ({ needs }, node, cluster) => {
    const left = needs.reduce((sum, need, column) => {
      const capacity = cluster.capacityOf(node, column);
      return capacity > 0 ? sum + (cluster.freeOf(node, column) - need) / capacity : sum;
    }, 0);
    if (needs[gpu] === 0) return cluster.capacityOf(node, gpu) === 0 ? 4 - left : -left;
    const sharesGpu = needs[gpu]! < 1_000 && cluster.gpusOf(node).some((free) => free < 1_000 && free >= needs[gpu]!);
    const isIdle = cluster.freeOf(node, gpu) === cluster.capacityOf(node, gpu);
    return (sharesGpu ? 8 : isIdle ? 0 : 4) - left;
  };
});
