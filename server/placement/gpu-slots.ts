import { shareOf } from '@gantry/plugin-kit/gpus';

/** What a node's GPUs are when there are others than before; a last one may be a part. Thousandths. */
export function resizedGpus(gpus: readonly number[], before: number, after: number): number[] {
  if (before === after && gpus.length > 0) return [...gpus];
  const sizeOf = (total: number, index: number) => Math.max(0, Math.min(1_000, total - 1_000 * index));
  return Array.from({ length: Math.ceil(after / 1_000) }, (_, index) => {
    const held = index < gpus.length ? sizeOf(before, index) - gpus[index]! : 0;
    return sizeOf(after, index) - held;
  });
}

/** How many more fit on a node's GPUs. */
export function gpuRoom(need: number, gpus: readonly number[]): number {
  if (need === 0) return Infinity;
  const each = shareOf(need);
  const shares = gpus.reduce((sum, free) => sum + Math.max(0, Math.floor(free / each)), 0);
  return need <= 1_000 ? shares : Math.floor(shares / (need / 1_000));
}
