import type { Resources } from '@gantry/plugin-kit/runner';

/** What an attempt may take at the most; what is absent is not limited. */
export interface Limits {
  /** Of all its processes together. Bytes. */
  readonly memoryBytes?: number;
  /** Thousandths of a processor. */
  readonly cpuMillis?: number;
  /** Processes and threads at one time. */
  readonly taskCount?: number;
}

/** @param resources What the task asked for, and has: 0 is not asked for. @param taskCount As its `with:` says. */
export function limitsOf(resources: Resources, taskCount: number | undefined): Limits {
  const { memory, cpu } = resources;
  return {
    ...(memory && { memoryBytes: memory }),
    ...(cpu && { cpuMillis: cpu }),
    ...(taskCount !== undefined && { taskCount }),
  };
}
