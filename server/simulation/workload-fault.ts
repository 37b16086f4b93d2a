import type { Workload } from './workload.ts';

/** What keeps a workload from being done as it stands, in words for whoever wrote it; null when nothing does. */
export function workloadFault({ nodes, tasks }: Workload): string | null {
  if (nodes.length === 0) return 'There is no node in it.';
  if (tasks.length === 0) return 'There is no task in it.';
  const node = firstDouble(nodes.map((each) => each.node.name));
  if (node !== null) return `Two nodes are called ${node}: give each a name of its own.`;
  const task = firstDouble(tasks.map(({ key }) => key));
  if (task !== null) return `Two tasks are called ${task}: give each a name of its own.`;
  const circle = circleIn(tasks.map(({ needs }) => needs));
  if (circle === null) return null;
  const shown = circle.slice(0, 6).map((at) => tasks[at]!.key);
  if (circle.length > shown.length) shown.push(`${circle.length - shown.length} more`);
  return `Tasks wait for each other in a circle: ${[...shown, shown[0]!].join(' → ')}.`;
}

function firstDouble(names: readonly string[]): string | null {
  const seen = new Set<string>();
  for (const name of names) {
    if (seen.has(name)) return name;
    seen.add(name);
  }
  return null;
}

/** Indexes of tasks of which each needs the next, and the last the first; null when there is no circle. */
function circleIn(needs: readonly (readonly number[])[]): readonly number[] | null {
  const left = Int32Array.from(needs, ({ length }) => length);
  const downstream: number[][] = needs.map(() => []);
  needs.forEach((all, at) => all.forEach((need) => downstream[need]!.push(at)));
  const free = [...left.keys()].filter((at) => left[at] === 0);
  for (let at = free.pop(); at !== undefined; at = free.pop()) {
    for (const next of downstream[at]!) if (--left[next]! === 0) free.push(next);
  }
  // Whatever is left needs something that is left: going on from need to need comes round.
  const way: number[] = [];
  const placeOf = new Map<number, number>();
  for (let at = left.findIndex((count) => count > 0); at >= 0;) {
    const known = placeOf.get(at);
    if (known !== undefined) return way.slice(known);
    placeOf.set(at, way.push(at) - 1);
    at = needs[at]!.find((need) => left[need]! > 0)!;
  }
  return null;
}
