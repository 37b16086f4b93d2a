import { readdirSync, readFileSync } from 'node:fs';
import { inTopologicalOrder, type TaskGraph } from './task-graph.ts';

/** A graph of the Standard Task Graph Set with its shortest makespans, by number of processors. */
export interface StgCase {
  readonly graph: TaskGraph;
  readonly optimumMs: ReadonlyMap<number, number>;
}

/**
 * Reads the graphs in `50/` of a folder and their optima in `optimal/Case50_<processors>_OPT.csv`, as published.
 *
 * @throws When a file is missing or is not what it should be.
 */
export function readStg(folder: string): readonly StgCase[] {
  const optima = new Map<string, Map<number, number>>();
  for (const file of readdirSync(`${folder}/optimal`)) {
    for (const line of readFileSync(`${folder}/optimal/${file}`, 'utf8').trim().split('\n')) {
      const [name, processors, optimum] = line.trim().split(',');
      if (!optima.has(name!)) optima.set(name!, new Map());
      optima.get(name!)!.set(Number(processors), Number(optimum));
    }
  }
  const files = readdirSync(`${folder}/50`).filter((file) => file.endsWith('.stg'));
  return files.sort().map((file) => {
    const optimumMs = optima.get(`50/${file}`);
    if (optimumMs === undefined) throw new Error(`${folder}/optimal says nothing of 50/${file}.`);
    return { graph: parseStg(file, readFileSync(`${folder}/50/${file}`, 'utf8')), optimumMs };
  });
}

/** One line per task: its number, its processing time, how many it waits for, and which. A # begins a comment. */
export function parseStg(name: string, text: string): TaskGraph {
  const rows = text
    .split('\n')
    .filter((line) => line.trim() !== '' && !line.startsWith('#'))
    .map((line) => line.trim().split(/\s+/).map(Number));
  const tasks = rows.slice(1).map((row) => ({
    key: `${name}/${row[0]}`,
    durationMs: row[1]!,
    needs: row.slice(3, 3 + row[2]!),
  }));
  if (tasks.some(({ durationMs, needs }) => Number.isNaN(durationMs) || needs.some((need) => !(need < tasks.length)))) {
    throw new Error(`${name} is not in the format of the Standard Task Graph Set.`);
  }
  return inTopologicalOrder(withoutDummies({ name, tasks }));
}

/** Without the tasks that take no time: those that waited for one wait for what it waits for. */
function withoutDummies({ name, tasks }: TaskGraph): TaskGraph {
  const known = new Map<number, readonly number[]>();
  const realNeeds = (at: number): readonly number[] => {
    let needs = known.get(at);
    if (needs === undefined) {
      needs = [
        ...new Set(tasks[at]!.needs.flatMap((need) => (tasks[need]!.durationMs > 0 ? [need] : realNeeds(need)))),
      ];
      known.set(at, needs);
    }
    return needs;
  };
  const kept = tasks.map((_, at) => at).filter((at) => tasks[at]!.durationMs > 0);
  const placeOf = new Map(kept.map((at, place) => [at, place]));
  return {
    name,
    tasks: kept.map((at) => ({ ...tasks[at]!, needs: realNeeds(at).map((need) => placeOf.get(need)!) })),
  };
}
