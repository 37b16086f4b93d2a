/** The resource that is counted GPU by GPU, in thousandths of one. */
export const GPU = 'gpu';

/** A whole GPU. */
const WHOLE = 1_000;

/**
 * Which GPUs a task gets that needs so much: up to a whole one from the fullest that still has it, so that the others
 * stay whole; beyond that as many whole ones, the first that are free. Null when there are not enough. Whoever verifies
 * a placement chooses the same ones, so a scheduler that asks before it decides is never refused.
 *
 * @param free Of each GPU, in thousandths.
 * @param need In thousandths; above 1,000 a multiple of it.
 */
export function chooseGpus(free: readonly number[], need: number): readonly number[] | null {
  if (need <= 0) return [];
  if (need <= WHOLE) {
    let fullest = -1;
    for (let gpu = 0; gpu < free.length; gpu++) {
      if (free[gpu]! >= need && (fullest < 0 || free[gpu]! < free[fullest]!)) fullest = gpu;
    }
    return fullest < 0 ? null : [fullest];
  }
  const whole: number[] = [];
  for (let gpu = 0; gpu < free.length && whole.length * WHOLE < need; gpu++) {
    if (free[gpu]! >= WHOLE) whole.push(gpu);
  }
  return whole.length * WHOLE >= need ? whole : null;
}

/** How much a task takes of each GPU that it gets. Thousandths. */
export const shareOf = (need: number): number => Math.min(need, WHOLE);
