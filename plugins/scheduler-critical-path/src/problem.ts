import { resourceColumns } from '@gantry/plugin-kit/cluster';
import type { PendingTask, PlacementInput, RunningAttempt } from '@gantry/plugin-kit/scheduler';
import type { Config } from './config.ts';
import { speedOf } from './speed.ts';
import { rankOf } from './urgency.ts';

/** Who waits for whom, both ways round: a plan is made forward and backward. */
export interface Order {
  readonly before: readonly (readonly number[])[];
  readonly after: readonly (readonly number[])[];
}

/** What is to be scheduled: running attempts first, then what is ready, then what is to come. */
export interface Problem {
  readonly count: number;
  /** How many of them run already, each on its node. */
  readonly runningCount: number;
  /** On a node of speed 1; of what runs, how long it still will. Milliseconds. */
  readonly durations: Float64Array;
  /** To the end of its run, by the longest way. Milliseconds. */
  readonly ranks: Float64Array;
  /** Which class a task is of: it goes before all of a lower one, whatever the plan. */
  readonly classes: Float64Array;
  /** Tasks of one kind need the same on the same nodes. */
  readonly kinds: Int32Array;
  readonly kindNeeds: readonly (readonly number[])[];
  /** The fastest first. */
  readonly kindNodes: readonly ArrayLike<number>[];
  readonly order: Order;
  readonly columnCount: number;
  readonly speeds: Float64Array;
  /** By node and column, when nothing of all this runs. */
  readonly room: Float64Array;
  /** No schedule can be shorter. Milliseconds. */
  readonly lowerBoundMs: number;
}

/** What runs beyond what was expected goes on for so much of it. */
const OVERDUE = 0.1;

/**
 * Draws up the problem. Null when it holds something that cannot be planned: a task that fits on no node, though nothing else
 * ran there.
 *
 * @param ranked The ready tasks, the most urgent first.
 */
export function makeProblem(input: PlacementInput<Config>, ranked: readonly PendingTask[]): Problem | null {
  const { running, upcoming = [], shapes, nodes, resources, now, config } = input;
  const all = [...running, ...ranked, ...upcoming];
  const indexOf = new Map(all.map(({ key }, at) => [key, at]));
  const unknownMs = meanOf(all.flatMap(({ durationMs }) => (typeof durationMs === 'number' ? [durationMs] : [])));
  const durations = Float64Array.from(all, (each, at) => {
    const expected = Math.max(1, each.durationMs ?? unknownMs);
    return at < running.length ? leftOf(each as RunningAttempt, expected, now) : expected;
  });
  const after: number[][] = all.map(() => []);
  const before: number[][] = all.map(() => []);
  upcoming.forEach((task, at) => {
    const index = running.length + ranked.length + at;
    for (const key of task.after) {
      const first = indexOf.get(key);
      if (first === undefined || first >= index) continue;
      before[index]!.push(first);
      after[first]!.push(index);
    }
  });
  const kinds = Int32Array.from(all, (each, at) => (at < running.length ? shapes.length + at : kindOf(each)));
  const room = roomOf(input);
  const speeds = Float64Array.from(nodes, (node) => speedOf(node, config.speedLabel));
  const kindNeeds = [...shapes, ...running].map(({ needs }) => needs);
  const kindNodes = [...shapes.map(({ feasible }) => feasible), ...running.map(({ node }) => [node])];
  const fitting = kindNodes.map((feasible, kind) =>
    nodesWithRoom(feasible, kindNeeds[kind]!, room, resources.length).sort((a, b) => speeds[b]! - speeds[a]! || a - b),
  );
  if (kinds.some((kind) => fitting[kind]!.length === 0)) return null;
  const ranks = ranksOf(durations, after, (at) => (at < running.length ? 0 : rankOf(all[at] as PendingTask)));
  return {
    count: all.length,
    runningCount: running.length,
    durations,
    ranks,
    classes: classesOf(input, ranked),
    kinds,
    kindNeeds,
    kindNodes: fitting,
    order: { before, after },
    columnCount: resources.length,
    speeds,
    room,
    lowerBoundMs: lowerBound(durations, after, kinds, kindNeeds, room, speeds, resourceColumns(resources)),
  };
}

const kindOf = (task: object): number => (task as PendingTask).shape;

const meanOf = (values: readonly number[]): number =>
  values.length === 0 ? 1_000 : values.reduce((sum, value) => sum + value, 0) / values.length;

function leftOf({ startedAt }: RunningAttempt, expected: number, now: number): number {
  return Math.max(1, expected * OVERDUE, expected - (now - startedAt));
}

/** What is free, and what those that run will give back. */
function roomOf({ nodes, running, resources }: PlacementInput<Config>): Float64Array {
  const columnCount = resources.length;
  const room = new Float64Array(nodes.length * columnCount);
  nodes.forEach(({ free }, node) => room.set(free, node * columnCount));
  for (const { node, needs } of running) {
    needs.forEach((need, column) => (room[node * columnCount + column]! += need));
  }
  return room;
}

function nodesWithRoom(
  feasible: ArrayLike<number>,
  needs: readonly number[],
  room: Float64Array,
  columnCount: number,
): number[] {
  return Array.from(feasible).filter((node) =>
    needs.every((need, column) => need === 0 || need <= room[node * columnCount + column]!),
  );
}

/** As told, or as the known graph says where that is longer: what was learned meanwhile may have changed it. */
function ranksOf(
  durations: Float64Array,
  after: readonly (readonly number[])[],
  told: (at: number) => number,
): Float64Array {
  const ranks = new Float64Array(durations.length);
  for (let at = durations.length - 1; at >= 0; at--) {
    let longest = 0;
    for (const next of after[at]!) longest = Math.max(longest, ranks[next]!);
    ranks[at] = Math.max(longest + durations[at]!, told(at));
  }
  return ranks;
}

/** Impatient ones by waiting, then the rest by priority; the highest class first. What is to come counts as patient. */
function classesOf(
  { config: { patienceMs }, now, running, upcoming = [] }: PlacementInput<Config>,
  ranked: readonly PendingTask[],
): Float64Array {
  const priorities = [...new Set([...ranked, ...upcoming].map(({ priority }) => priority))].sort((a, b) => a - b);
  const classOf = new Map(priorities.map((priority, at) => [priority, at]));
  const impatient = ranked.filter(({ readySince }) => patienceMs !== null && now - readySince > patienceMs).length;
  return Float64Array.from([
    ...running.map(() => 0),
    ...ranked.map(({ priority }, at) => (at < impatient ? priorities.length + impatient - at : classOf.get(priority)!)),
    ...upcoming.map(({ priority }) => classOf.get(priority)!),
  ]);
}

/** The longest way through the graph, and the work of each resource spread over all that there is of it. */
function lowerBound(
  durations: Float64Array,
  after: readonly (readonly number[])[],
  kinds: Int32Array,
  kindNeeds: readonly (readonly number[])[],
  room: Float64Array,
  speeds: Float64Array,
  columns: readonly number[],
): number {
  const columnCount = speeds.length === 0 ? 0 : room.length / speeds.length;
  let bound = ranksOf(durations, after, () => 0).reduce((most, rank) => Math.max(most, rank), 0);
  bound /= speeds.reduce((most, speed) => Math.max(most, speed), 0) || 1;
  for (const column of columns) {
    const work = durations.reduce((sum, duration, at) => sum + duration * kindNeeds[kinds[at]!]![column]!, 0);
    const rate = speeds.reduce((sum, speed, node) => sum + speed * room[node * columnCount + column]!, 0);
    if (rate > 0) bound = Math.max(bound, work / rate);
  }
  return bound;
}
