import type { Sample } from './meter.ts';
import type { Simulation, TaskOutcome } from './simulate.ts';
import type { SimulatedTask, Workload } from './workload.ts';

/** How a scheduler has done on a workload. Times in milliseconds, shares from 0 to 1. */
export interface Summary {
  readonly tasks: number;
  /** How many ended; the rest found no place, or needed one that did not. */
  readonly ended: number;
  /** From the first arrival to the last end. */
  readonly makespanMs: number;
  /** From READY to the start that counted. */
  readonly wait: Distribution;
  /** (wait + run) / run, with short runs counted as ten seconds (Feitelson): how much longer it took than it had to. */
  readonly slowdown: Distribution;
  readonly utilization: Readonly<Record<string, number>>;
  /** Mean of the samples. */
  readonly fragmentation: Readonly<Record<string, number>>;
  /** Jain's index over the tenants' mean slowdowns: 1 when all are served alike, 1 / n when one gets everything. */
  readonly fairness: number;
  readonly preemptions: number;
  readonly deadlineMisses: number;
  readonly samples: readonly Sample[];
  /** Why those that never started waited at the end, at most twenty. */
  readonly pending: Simulation['pending'];
}

export interface Distribution {
  readonly mean: number;
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
  readonly max: number;
}

const SHORT_MS = 10_000;

/** Makes figures of what happened. */
export function summaryOf({ tasks }: Workload, { outcomes, samples, utilization, pending }: Simulation): Summary {
  const ended = outcomes.flatMap((outcome, at) => (hasEnded(outcome) ? { task: tasks[at]!, ...outcome } : []));
  const waits = ended.map(({ readyAt, startedAt }) => startedAt - readyAt);
  const slowdowns = ended.map(({ task, readyAt, endedAt }) => slowdown(task, endedAt - readyAt));
  const byTenant = new Map<string, number[]>();
  ended.forEach(({ task }, at) => {
    const list = byTenant.get(task.tenant);
    if (list) list.push(slowdowns[at]!);
    else byTenant.set(task.tenant, [slowdowns[at]!]);
  });
  const first = tasks.reduce((earliest, { arrivesAt }) => Math.min(earliest, arrivesAt), Infinity);
  const last = ended.reduce((latest, { endedAt }) => Math.max(latest, endedAt), -Infinity);
  return {
    tasks: tasks.length,
    ended: ended.length,
    makespanMs: ended.length === 0 ? 0 : last - first,
    wait: distributionOf(waits),
    slowdown: distributionOf(slowdowns),
    utilization,
    fragmentation: meanFragmentation(samples),
    fairness: jain([...byTenant.values()].map(mean)),
    preemptions: outcomes.reduce((sum, { preemptions }) => sum + preemptions, 0),
    deadlineMisses: outcomes.filter(({ endedAt }, at) => {
      const { deadlineAt } = tasks[at]!;
      return deadlineAt !== null && (endedAt === null || endedAt > deadlineAt);
    }).length,
    samples,
    pending,
  };
}

const hasEnded = (
  outcome: TaskOutcome,
): outcome is TaskOutcome & { readonly readyAt: number; readonly startedAt: number; readonly endedAt: number } =>
  outcome.endedAt !== null;

const slowdown = ({ durationMs }: SimulatedTask, tookMs: number): number =>
  Math.max(1, tookMs / Math.max(durationMs, SHORT_MS));

const mean = (values: readonly number[]): number =>
  values.length === 0 ? 0 : values.reduce((sum, value) => sum + value, 0) / values.length;

/** By nearest rank; zeros for nothing. */
export function distributionOf(values: readonly number[]): Distribution {
  const sorted = Float64Array.from(values).sort();
  const rank = (share: number) => sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? 0;
  return { mean: mean(values), p50: rank(0.5), p95: rank(0.95), p99: rank(0.99), max: sorted.at(-1) ?? 0 };
}

/** (Σx)² / (n Σx²), Jain, Chiu and Hawe 1984; 1 for nobody. */
export function jain(values: readonly number[]): number {
  const sum = values.reduce((total, value) => total + value, 0);
  const squares = values.reduce((total, value) => total + value * value, 0);
  return squares === 0 ? 1 : sum ** 2 / (values.length * squares);
}

function meanFragmentation(samples: readonly Sample[]): Record<string, number> {
  const byResource = new Map<string, number[]>();
  for (const { fragmentation } of samples) {
    for (const [resource, share] of Object.entries(fragmentation)) {
      const list = byResource.get(resource);
      if (list) list.push(share);
      else byResource.set(resource, [share]);
    }
  }
  return Object.fromEntries([...byResource].map(([resource, values]) => [resource, mean(values)]));
}
