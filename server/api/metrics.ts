import type { ApiPorts, PoolStatus } from './context.ts';

/** Metrics in the text format of Prometheus. */
export interface Metrics {
  readonly contentType: string;
  text(): Promise<string>;
}

/** A figure of each pool that this server runs. */
interface PoolFigure {
  readonly name: string;
  readonly help: string;
  readonly of: (status: PoolStatus) => number;
}

const FIGURES: readonly PoolFigure[] = [
  { name: 'gantry_queue_length', help: 'Task runs that are READY.', of: ({ queueLength }) => queueLength },
  {
    name: 'gantry_scheduler_healthy',
    help: '1 when the last call of the scheduler was good, 0 when the fallback decided.',
    of: ({ schedulerState }) => (schedulerState === 'HEALTHY' ? 1 : 0),
  },
  {
    name: 'gantry_scheduler_calls',
    help: 'Calls of the scheduler since the server has run the pool.',
    of: ({ schedulerCounts }) => schedulerCounts.calls,
  },
  {
    name: 'gantry_scheduler_decisions',
    help: 'Decisions of the scheduler since then.',
    of: ({ schedulerCounts }) => schedulerCounts.decisions,
  },
  {
    name: 'gantry_scheduler_refusals',
    help: 'Decisions that were refused because they were wrong.',
    of: ({ schedulerCounts }) => schedulerCounts.refusals,
  },
  {
    name: 'gantry_scheduler_faults',
    help: 'Calls that failed: thrown, too slow, nonsense, or with refusals.',
    of: ({ schedulerCounts }) => schedulerCounts.faults,
  },
  {
    name: 'gantry_shadow_compared',
    help: 'Task runs on which the scheduler and its shadow have decided.',
    of: ({ shadow }) => shadow?.compared ?? 0,
  },
  {
    name: 'gantry_shadow_divergences',
    help: 'How many of them the shadow would have placed elsewhere.',
    of: ({ shadow }) => shadow?.divergenceCount ?? 0,
  },
];

/** Loads what writes metrics: most servers are never asked for any. */
export async function createMetrics(ports: Pick<ApiPorts, 'store' | 'placement' | 'retention'>): Promise<Metrics> {
  const { collectDefaultMetrics, Gauge, Registry } = await import('prom-client');
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const gauges = FIGURES.map(({ name, help, of }) => ({
    of,
    gauge: new Gauge({ name, help, labelNames: ['pool'], registers: [registry] }),
  }));
  const sweep = new Gauge({
    name: 'gantry_retention_deleted',
    help: 'What the last sweep of retention deleted.',
    labelNames: ['kind'],
    registers: [registry],
  });
  const sweptAt = new Gauge({
    name: 'gantry_retention_last_sweep_seconds',
    help: 'When the last sweep of retention began, in seconds since the epoch.',
    registers: [registry],
  });
  const failed = new Gauge({
    name: 'gantry_retention_last_sweep_failed',
    help: '1 when the last sweep of retention was broken off.',
    registers: [registry],
  });
  return {
    contentType: registry.contentType,
    async text() {
      for (const { gauge } of gauges) gauge.reset();
      for (const { name: pool } of await ports.store.pools.all()) {
        const status = ports.placement.status(pool);
        if (status !== null) for (const { gauge, of } of gauges) gauge.set({ pool }, of(status));
      }
      const { lastSweep } = await ports.retention.status();
      if (lastSweep !== null) {
        const { runs, events, commands, auditRecords, decisions } = lastSweep;
        for (const [kind, count] of Object.entries({ runs, events, commands, auditRecords, decisions })) {
          sweep.set({ kind }, count);
        }
        sweptAt.set(lastSweep.at / 1_000);
        failed.set(lastSweep.problem === null ? 0 : 1);
      }
      return registry.metrics();
    },
  };
}
