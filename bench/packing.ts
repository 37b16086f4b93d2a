// How few nodes does `bin-packing` need? `npm run bench -- packing` packs one-dimensional instances whose optimum is
// known by construction (full bins, cut into pieces at random and shuffled), one by one as they come and with look-ahead
// over the batch, and compares the number of nodes used with the optimum.
// Options: --bpplib FILE (may be repeated; the usual text format: the number of items, the capacity, then one size or one
//          “size count” per line) --optimum N (for each of these files, in order; default the sum's lower bound)
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import type { PlacementInput } from '@gantry/plugin-kit/scheduler';
import { chance } from '@gantry/plugin-kit/testing';
import binPacking from '@gantry/scheduler-bin-packing';

const { values } = parseArgs({
  options: { bpplib: { type: 'string', multiple: true, default: [] }, optimum: { type: 'string', multiple: true } },
});

interface Instance {
  readonly name: string;
  readonly capacity: number;
  readonly sizes: readonly number[];
  readonly optimum: number;
}

/** So many full bins, each cut into so many pieces on average. */
function generated(bins: number, capacity: number, pieces: number, seed: number): Instance {
  const random = chance(seed);
  const sizes: number[] = [];
  for (let bin = 0; bin < bins; bin++) {
    const count = Math.max(2, Math.round(pieces - 1 + 2 * random()));
    const cuts = new Set<number>([0, capacity]);
    while (cuts.size < count + 1) cuts.add(1 + Math.floor(random() * (capacity - 1)));
    const sorted = [...cuts].sort((one, other) => one - other);
    for (let at = 1; at < sorted.length; at++) sizes.push(sorted[at]! - sorted[at - 1]!);
  }
  for (let at = sizes.length - 1; at > 0; at--) {
    const other = Math.floor(random() * (at + 1));
    [sizes[at], sizes[other]] = [sizes[other]!, sizes[at]!];
  }
  return { name: `${bins} bins of ${capacity}, ${pieces} pieces`, capacity, sizes, optimum: bins };
}

function read(file: string, optimum: string | undefined): Instance {
  const [count, capacity, ...rows] = readFileSync(file, 'utf8')
    .trim()
    .split(/\r?\n/)
    .map((line) => line.trim().split(/\s+/).map(Number));
  const sizes = rows.flatMap(([size, times = 1]) => Array<number>(times).fill(size!));
  if (count === undefined || capacity === undefined || sizes.some((size) => !(size > 0 && size <= capacity[0]!))) {
    throw new Error(
      `${file} is not the text format of BPPLIB: the number of items, the capacity, then one size per line.`,
    );
  }
  const bound = Math.ceil(sizes.reduce((sum, size) => sum + size, 0) / capacity[0]!);
  return { name: file, capacity: capacity[0]!, sizes, optimum: optimum === undefined ? bound : Number(optimum) };
}

/** How many nodes are used. */
function used({ capacity, sizes }: Instance, lookAhead: boolean): number {
  const kinds = [...new Set(sizes)];
  const indexOf = new Map(kinds.map((size, at) => [size, at]));
  const nodes = sizes.map((_, at) => ({
    name: `n${String(at).padStart(6, '0')}`,
    labels: {},
    capacity: [capacity],
    free: [capacity],
  }));
  const feasible = Uint32Array.from(nodes, (_, at) => at);
  const input: PlacementInput<{ lookAhead: boolean; reserveAfterMs: number | null; reservations: number }> = {
    config: { lookAhead, reserveAfterMs: null, reservations: 1 },
    memory: null,
    seed: 1,
    now: 0,
    resources: ['space'],
    nodes,
    shapes: kinds.map((size) => ({ needs: [size], feasible })),
    tasks: sizes.map((size, at) => ({
      key: `t${at}`,
      shape: indexOf.get(size)!,
      priority: 0,
      readySince: at,
      tenant: 'bench',
    })),
    running: [],
    tenants: [],
  };
  const { decisions } = binPacking.place(input);
  if (decisions.length !== sizes.length) throw new Error('Not every item was packed.');
  const load = new Float64Array(nodes.length);
  decisions.forEach((decision) => {
    if ('node' in decision) load[decision.node]! += sizes[Number(decision.task.slice(1))]!;
  });
  if (load.some((each) => each > capacity)) throw new Error('A node is over-committed.');
  return load.filter((each) => each > 0).length;
}

const sets: readonly (readonly [string, readonly Instance[]])[] = [
  ...[2, 3, 4, 6, 10].flatMap((pieces) =>
    [100, 1_000].map((capacity): [string, Instance[]] => {
      const instances = Array.from({ length: 10 }, (_, seed) => generated(100, capacity, pieces, seed + 1));
      return [instances[0]!.name, instances];
    }),
  ),
  ...values.bpplib.map((file, at): [string, Instance[]] => [file, [read(file, values.optimum?.[at])]]),
];
console.log('Nodes used beside the optimum, mean (worst).\n');
console.log(`${'instances'.padEnd(34)}  one by one          look-ahead          time`);
const all: number[] = [];
for (const [name, instances] of sets) {
  const online = instances.map((instance) => used(instance, false) / instance.optimum);
  const began = performance.now();
  const ahead = instances.map((instance) => used(instance, true) / instance.optimum);
  const took = (performance.now() - began) / instances.length;
  all.push(...ahead);
  console.log(`${name.padEnd(34)}  ${describe(online)}   ${describe(ahead)}   ${took.toFixed(0)} ms`);
}
console.log(`\nAll with look-ahead: ${describe(all)}.`);

function describe(ratios: readonly number[]): string {
  const mean = ratios.reduce((sum, ratio) => sum + ratio, 0) / ratios.length;
  return `${mean.toFixed(4)} (${Math.max(...ratios).toFixed(4)})`;
}
