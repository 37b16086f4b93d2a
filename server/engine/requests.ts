import { taskRunId } from '../domain/ids.ts';
import type { PlacementRequest } from '../placement/queue.ts';
import { shapeIn, shapeOf, type TaskShape } from '../placement/shape.ts';
import type { Placement, RunningFacts } from '../placement/placement.ts';
import type { UpcomingFacts } from '../placement/upcoming.ts';
import type { EngineRun, EngineTaskRun, PoolState } from './core/pool-state.ts';
import type { DurationHistory } from './duration-history.ts';

/* What the engine tells the placement of its task runs, in the placement's words. */

const shapes = new WeakMap<EngineRun, Map<string, TaskShape>>();

export const keyOf = (taskRun: EngineTaskRun): string => taskRunId(taskRun.run, taskRun.ordinal);

/** On whose behalf a task run works. */
export const tenantOf = (taskRun: EngineTaskRun): string => taskRun.owner.pipeline;

/** What the attempt of a task run with this number asks of a node. */
export function shapeOfTaskRun(taskRun: EngineTaskRun, attempt: number): TaskShape {
  const { task, owner, taskIndex } = taskRun;
  if (task.placement === null) return shapeOf(task);
  let ofRun = shapes.get(owner);
  if (ofRun === undefined) shapes.set(owner, (ofRun = new Map()));
  const isFirstAttempt = attempt === 1;
  const key = `${taskIndex} ${isFirstAttempt}`;
  let shape = ofRun.get(key);
  if (shape === undefined) {
    const nearNodes = nodesOf(owner, task.placement.near?.task ?? null);
    shape = shapeIn(task, { run: owner.id, pipeline: owner.pipeline, nearNodes, isFirstAttempt });
    ofRun.set(key, shape);
  }
  return shape;
}

/** A READY task run as the placement queues it. */
export function requestOf(taskRun: EngineTaskRun, durations: DurationHistory | null): PlacementRequest {
  const { owner, taskIndex } = taskRun;
  const shape = shapeOfTaskRun(taskRun, (taskRun.attempt?.number ?? 0) + 1);
  const request = {
    key: keyOf(taskRun),
    shape,
    priority: owner.priority,
    readySince: taskRun.readyAt!,
    tenant: tenantOf(taskRun),
  };
  if (!shape.rules?.gang && durations === null) return request;
  return {
    ...request,
    ...(shape.rules?.gang ? { gangSize: owner.instancesOf(taskIndex).length } : {}),
    ...(durations === null ? {} : { forecast: durations.forecast(owner, taskIndex) }),
  };
}

/** Tells a fresh placement of a whole pool: its nodes, what runs there, and its queue. */
export function tellAll(placement: Placement, pool: PoolState, durations: DurationHistory | null): void {
  for (const node of pool.nodes.values()) placement.nodeChanged(node);
  for (const node of pool.nodes.values()) {
    for (const taskRun of node.live) {
      const { number, gpus = [] } = taskRun.attempt!;
      placement.reserve(shapeOfTaskRun(taskRun, number), node.name, tenantOf(taskRun), gpus);
    }
  }
  for (const run of pool.runs.values()) {
    for (const taskRun of run.taskRuns) if (taskRun.state === 'READY') placement.add(requestOf(taskRun, durations));
  }
  placement.running = () => runningIn(pool, durations);
  if (durations !== null) placement.upcoming = () => upcomingIn(pool, durations);
}

/**
 * Everything that runs, for schedulers that want it.
 *
 * @param durations When they want to know how long, too.
 */
export function runningIn(pool: PoolState, durations: DurationHistory | null = null): readonly RunningFacts[] {
  const running: RunningFacts[] = [];
  for (const node of pool.nodes.values()) {
    for (const taskRun of node.live) {
      running.push({
        key: keyOf(taskRun),
        node: node.name,
        shape: shapeOfTaskRun(taskRun, taskRun.attempt!.number),
        gpus: taskRun.attempt!.gpus ?? [],
        priority: taskRun.owner.priority,
        startedAt: taskRun.attempt!.startedAt ?? taskRun.attempt!.assignedAt,
        readySince: taskRun.readyAt ?? taskRun.attempt!.assignedAt,
        ...(durations === null ? {} : { forecast: durations.forecast(taskRun.owner, taskRun.taskIndex) }),
      });
    }
  }
  return running;
}

/** A plan is made with so many task runs that wait for others at most, found among so many at most. */
const MAX_UPCOMING = 1_000;
const MAX_SEARCHED = 20_000;

/** What it will ask of a node as far as can be said: where those ran that it wants to be near is not known yet. */
function shapeToCome({ task, owner }: EngineTaskRun): TaskShape {
  return shapeIn(task, { run: owner.id, pipeline: owner.pipeline, nearNodes: [], isFirstAttempt: true });
}

/** What waits for others in runs that are under way, for schedulers that plan; whole runs, as far as it goes. */
export function upcomingIn(pool: PoolState, durations: DurationHistory): readonly UpcomingFacts[] {
  const upcoming: UpcomingFacts[] = [];
  let searched = 0;
  for (const run of pool.runs.values()) {
    if (run.state !== 'QUEUED' && run.state !== 'RUNNING') continue;
    searched += run.taskRuns.length;
    if (searched > MAX_SEARCHED) break;
    for (const taskIndex of run.plan.graph.order) {
      if (run.taskRuns[taskIndex]!.state !== 'WAITING') continue;
      const taskRun = run.taskRuns[taskIndex]!;
      upcoming.push({
        key: keyOf(taskRun),
        shape: shapeToCome(taskRun),
        priority: run.priority,
        after: run.plan.graph.needs[taskIndex]!.flatMap((need) => run.instancesOf(need).map(keyOf)),
        forecast: durations.forecast(run, taskIndex),
      });
    }
    if (upcoming.length >= MAX_UPCOMING) break;
  }
  return upcoming;
}

/** Where the instances of a task ran last, by name. */
function nodesOf(run: EngineRun, task: string | null): readonly string[] {
  const index = task === null ? undefined : run.plan.indexOfKey.get(task);
  if (index === undefined) return [];
  return [...new Set(run.instancesOf(index).flatMap(({ attempt }) => attempt?.node ?? []))].sort();
}
