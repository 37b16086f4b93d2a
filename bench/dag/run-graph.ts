import type { SchedulerPlugin } from '@gantry/plugin-kit/scheduler';
import { systemClock } from '../../server/clock.ts';
import type { Node } from '../../server/domain/node.ts';
import { Placement } from '../../server/placement/placement.ts';
import { SchedulerHost } from '../../server/placement/scheduler-host.ts';
import { makeShape } from '../../server/placement/shape.ts';
import { upwardRanks, type TaskGraph } from './task-graph.ts';

/** One machine executes one task at a time. */
const SHAPE = makeShape({ runner: 'mock', resources: { slots: 1 }, nodeSelector: {}, tolerations: [] });

/**
 * Runs a workflow on so many equal machines in virtual time, placed by a scheduler through the production path, and
 * says how long it takes. What the scheduler is told of durations is true.
 *
 * @param config As its schema takes it.
 */
export function runGraph(graph: TaskGraph, machines: number, plugin: SchedulerPlugin, config: unknown = {}): number {
  const { tasks } = graph;
  const placement = placementWith(plugin, config, machines);
  const ranks = upwardRanks(graph);
  const forecasts = tasks.map(({ durationMs }, at) => ({ durationMs, rankMs: ranks[at]! }));
  const indexOf = new Map(tasks.map(({ key }, at) => [key, at]));
  const needsLeft = Int32Array.from(tasks, ({ needs }) => needs.length);
  const downstream: number[][] = tasks.map(() => []);
  tasks.forEach(({ needs }, at) => needs.forEach((need) => downstream[need]!.push(at)));
  const running = new Map<number, { readonly node: string; readonly startedAt: number; readonly endsAt: number }>();
  let now = 0;

  placement.running = () =>
    Array.from(running, ([at, { node, startedAt }]) => ({
      key: tasks[at]!.key,
      node,
      shape: SHAPE,
      gpus: [],
      priority: 0,
      startedAt,
      forecast: forecasts[at],
    }));
  placement.upcoming = () =>
    tasks.flatMap(({ key, needs }, at) =>
      needsLeft[at]! > 0
        ? [{ key, shape: SHAPE, priority: 0, after: needs.map((need) => tasks[need]!.key), forecast: forecasts[at] }]
        : [],
    );
  const becomesReady = (at: number): void =>
    placement.add({
      key: tasks[at]!.key,
      shape: SHAPE,
      priority: 0,
      readySince: now,
      tenant: graph.name,
      forecast: forecasts[at],
    });

  tasks.forEach((_, at) => needsLeft[at] === 0 && becomesReady(at));
  for (let ended = 0; ended < tasks.length;) {
    while (placement.canPlace) {
      const { placements, refusals } = placement.place(now);
      if (refusals.length > 0) throw new Error(`${plugin.name}: ${refusals[0]!.message}`);
      for (const { taskRun, node } of placements) {
        const at = indexOf.get(taskRun)!;
        running.set(at, { node, startedAt: now, endsAt: now + tasks[at]!.durationMs });
      }
      if (placements.length === 0) break;
    }
    if (running.size === 0) throw new Error(`${plugin.name} leaves ${graph.name} undone with all machines idle.`);
    now = Math.min(...Array.from(running.values(), ({ endsAt }) => endsAt));
    for (const [at, { node, endsAt }] of running) {
      if (endsAt > now) continue;
      running.delete(at);
      ended++;
      placement.release(SHAPE, node, graph.name, tasks[at]!.key);
      for (const next of downstream[at]!) if (--needsLeft[next]! === 0) becomesReady(next);
    }
  }
  if (placement.schedulerStatus.faults > 0) throw new Error(`${plugin.name}: ${placement.schedulerStatus.lastFault}`);
  return now;
}

function placementWith(plugin: SchedulerPlugin, config: unknown, machines: number): Placement {
  const checked = plugin.config.check(config);
  if (!checked.ok) throw new Error(`${plugin.name}: ${checked.problems.map(({ message }) => message).join(' ')}`);
  const scheduler = new SchedulerHost({
    plugin,
    config: checked.config,
    memory: null,
    seed: 1,
    clock: systemClock,
    log: (message) => console.error(message),
  });
  const placement = new Placement({ scheduler, batch: 4_096 });
  for (let at = 0; at < machines; at++) placement.nodeChanged(machine(at));
  return placement;
}

function machine(at: number): Node {
  return {
    name: `machine-${String(at).padStart(3, '0')}`,
    pool: 'default',
    capacity: { slots: 1 },
    labels: {},
    taints: [],
    runners: [{ name: 'mock', version: '1.0.0', health: 'HEALTHY' }],
    agentVersion: '1.0.0',
    connection: 'READY',
    eligibility: 'ELIGIBLE',
    incarnation: 1,
    reserved: {},
    runningCount: 0,
    registeredAt: 0,
    heardAt: 0,
    revision: 0,
  };
}
