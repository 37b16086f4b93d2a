import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { Decision, PlacementInput } from '@gantry/plugin-kit/scheduler';
import { chance, randomInput } from '@gantry/plugin-kit/testing';
import plugin, { type Config } from '../src/index.ts';

const config = (some: Partial<Config> = {}): Config => ({
  weights: {},
  limits: {},
  guarantees: {},
  patienceMs: null,
  nodes: 'FULLEST',
  reserveAfterMs: null,
  reservations: 1,
  ...some,
});

/** One node; tenants with so many tasks each that all need the same. */
function oneNode(
  capacity: readonly number[],
  work: readonly { tenant: string; needs: readonly number[]; count: number; used?: readonly number[] }[],
  some: Partial<Config> = {},
): PlacementInput<Config> {
  const tasks = work.flatMap(({ tenant, count }, shape) =>
    Array.from({ length: count }, (_, at) => ({
      key: `${tenant}.${shape}.${at}`,
      shape,
      priority: 0,
      readySince: shape * 1_000 + at,
      tenant,
    })),
  );
  const held = work.map(({ used }) => used ?? capacity.map(() => 0));
  const free = capacity.map((amount, column) => held.reduce((left, used) => left - used[column]!, amount));
  return {
    config: config(some),
    memory: null,
    seed: 0,
    now: 0,
    resources: ['cpu', 'memory'].slice(0, capacity.length),
    nodes: [{ name: 'a', labels: {}, capacity, free }],
    shapes: work.map(({ needs }) => ({ needs, feasible: [0] })),
    tasks,
    running: [],
    tenants: work
      .map(({ tenant: name }, at) => ({ name, used: held[at]! }))
      .sort((one, other) => (one.name < other.name ? -1 : 1)),
  };
}

/** How many tasks of each tenant were placed. */
function countsOf(decisions: readonly Decision[]): Readonly<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const decision of decisions) {
    if (!('node' in decision)) continue;
    const [tenant] = decision.task.split('.');
    counts[tenant!] = (counts[tenant!] ?? 0) + 1;
  }
  return counts;
}

const run = (input: PlacementInput<Config>) => plugin.place({ ...input, memory: null }).decisions;

describe('fair-share', () => {
  it('decides the example of the paper as the paper does', () => {
    // 9 CPUs, 18 GB. A needs <1, 4>, B <3, 1>: A gets 3 tasks (⅔ of memory), B 2 (⅔ of CPU).
    const input = oneNode(
      [9, 18],
      [
        { tenant: 'A', needs: [1, 4], count: 9 },
        { tenant: 'B', needs: [3, 1], count: 9 },
      ],
    );
    expect(countsOf(run(input))).toEqual({ A: 3, B: 2 });
  });

  it('gives a tenant that weighs three times as much three times the share', () => {
    const work = ['a', 'b'].map((tenant) => ({ tenant, needs: [1], count: 100 }));
    expect(countsOf(run(oneNode([40], work, { weights: { a: 3 } })))).toEqual({ a: 30, b: 10 });
  });

  it('counts what runs already', () => {
    const work = [
      { tenant: 'a', needs: [1], count: 100, used: [20] },
      { tenant: 'b', needs: [1], count: 100 },
    ];
    expect(countsOf(run(oneNode([40], work)))).toEqual({ b: 20 });
  });

  it('leaves nothing idle that only one tenant wants', () => {
    const work = [
      { tenant: 'a', needs: [1], count: 100 },
      { tenant: 'b', needs: [1], count: 3 },
    ];
    expect(countsOf(run(oneNode([40], work)))).toEqual({ a: 37, b: 3 });
  });

  it('holds what would go over its tenant’s limit, and says how to go on', () => {
    const work = [{ tenant: 'a', needs: [1], count: 5, used: [2] }];
    const decisions = run(oneNode([40], work, { limits: { a: { cpu: 4 } } }));
    expect(countsOf(decisions)).toEqual({ a: 2 });
    expect(decisions.filter((each) => 'hold' in each)).toHaveLength(3);
    expect(decisions.at(-1)).toEqual({
      task: 'a.0.4',
      hold: {
        code: 'QUOTA',
        message: 'a holds 4 of the 4 cpu that it may; this needs 1 more.',
        remedy: "It goes on when work of a ends, or when limits.a.cpu in the pool's scheduler config is raised.",
      },
    });
  });

  it('says of a task that is larger than the limit that it can never run', () => {
    const [decision] = run(oneNode([40], [{ tenant: 'a', needs: [5], count: 1 }], { limits: { a: { cpu: 4 } } }));
    expect(decision).toMatchObject({ hold: { remedy: expect.stringContaining('can never run') } });
  });

  it('serves guarantees first, up to what is guaranteed and no further', () => {
    const work = [
      { tenant: 'a', needs: [1], count: 100 },
      { tenant: 'b', needs: [1], count: 100, used: [10] },
    ];
    // b is ahead by 10 of 20, but 15 are guaranteed to it.
    expect(countsOf(run(oneNode([20], work, { guarantees: { b: { cpu: 15 } } })))).toEqual({ a: 5, b: 5 });
  });

  it('places no task while another tenant has one that fits and leaves it with a lower share', () => {
    fc.assert(
      fc.property(
        fc.nat(),
        fc.dictionary(fc.constantFrom('tenant-0', 'tenant-1'), fc.constantFrom(0.5, 2, 7)),
        (seed, weights) => {
          const random = randomInput(seed, config({ weights }));
          const chances = chance(seed);
          const names = ['tenant-0', 'tenant-1', 'tenant-2'];
          const tenants = names.map((name) => ({
            name,
            used: random.resources.map((_, column) => Math.floor(chances() * (random.nodes[0]?.capacity[column] ?? 0))),
          }));
          expectFairSteps({ ...random, tenants });
        },
      ),
      { numRuns: 300 },
    );
  });

  it('leaves nobody who waits more than one task below the weighted max-min share', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 60 }),
        fc.array(fc.record({ weight: fc.integer({ min: 1, max: 8 }), demand: fc.integer({ min: 0, max: 40 }) }), {
          minLength: 1,
          maxLength: 6,
        }),
        (capacity, tenants) => {
          const work = tenants.map(({ demand }, at) => ({ tenant: `t${at}`, needs: [1], count: demand }));
          const weights = Object.fromEntries(tenants.map(({ weight }, at) => [`t${at}`, weight]));
          const counts = countsOf(run(oneNode([capacity], work, { weights })));
          maxMinShares(capacity, tenants).forEach((share, at) => {
            expect(counts[`t${at}`] ?? 0).toBeGreaterThan(share - 1 - 1e-9);
          });
        },
      ),
    );
  });

  it('starves nobody while others flood the pool, whatever the weights', () => {
    const patienceMs = 10 * 60_000;
    const names = ['flood', 'small-1', 'small-2', 'small-3'];
    const weights = { flood: 1_000 };
    // Ten slots; every minute whoever has run longest ends. All small tenants always have one task waiting.
    const held = Array.from({ length: 10 }, () => 'flood');
    const waitingSince = new Map(names.map((name) => [name, 0]));
    const served = new Map<string, number>();
    for (let minute = 1; minute <= 200; minute++) {
      held.shift();
      const work = names.map((tenant) => ({
        tenant,
        needs: [1],
        count: tenant === 'flood' ? 50 : 1,
        used: [held.filter((name) => name === tenant).length],
      }));
      const input = oneNode([10], work, { weights, patienceMs });
      const now = minute * 60_000;
      const tasks = input.tasks.map((task) => ({ ...task, readySince: waitingSince.get(task.tenant)! }));
      const [name] = Object.keys(countsOf(run({ ...input, now, tasks })));
      held.push(name!);
      if (name !== 'flood') waitingSince.set(name!, now);
      served.set(name!, (served.get(name!) ?? 0) + 1);
    }
    for (const name of names.slice(1)) expect(served.get(name)).toBeGreaterThanOrEqual(10);
    expect(served.get('flood')).toBeGreaterThan(100);
  });

  it('lets those who wait longest go first among equals', () => {
    const input = oneNode(
      [1],
      [
        { tenant: 'a', needs: [1], count: 1 },
        { tenant: 'b', needs: [1], count: 1 },
      ],
    );
    const tasks = input.tasks.map((task) => ({ ...task, readySince: task.tenant === 'b' ? 1 : 2 }));
    expect(countsOf(run({ ...input, tasks }))).toEqual({ b: 1 });
  });

  it('refuses weights and amounts that are none', () => {
    for (const some of [
      { weights: { a: 0 } },
      { limits: { a: { cpu: -1 } } },
      { limits: { a: 4 } },
      { nodes: 'ANY' },
    ]) {
      expect(plugin.config.check(some).ok).toBe(false);
    }
  });
});

/** Replays the decisions one by one with accounts of its own. */
function expectFairSteps(input: PlacementInput<Config>): void {
  const { weights } = input.config;
  const total = input.resources.map((_, column) =>
    input.nodes.reduce((sum, { capacity }) => sum + capacity[column]!, 0),
  );
  const used = new Map(input.tenants.map(({ name, used: amounts }) => [name, [...amounts]]));
  const share = (name: string, needs: readonly number[]): number =>
    Math.max(0, ...used.get(name)!.map((amount, at) => (total[at]! > 0 ? (amount + needs[at]!) / total[at]! : 0))) /
    (weights[name] ?? 1);
  const free = input.nodes.map((node) => [...node.free]);
  const fits = (shape: number): boolean => {
    const { needs, feasible } = input.shapes[shape]!;
    return Array.from(feasible).some((node) => needs.every((need, at) => need === 0 || need <= free[node]![at]!));
  };
  const open = input.tasks.toSorted((one, other) => other.priority - one.priority || one.readySince - other.readySince);
  for (const decision of run(input)) {
    if (!('node' in decision)) throw new Error('Nothing is limited, so nothing is held.');
    const placed = open.splice(
      open.findIndex(({ key }) => key === decision.task),
      1,
    )[0]!;
    const { needs } = input.shapes[placed.shape]!;
    for (const name of used.keys()) {
      const next = open.find(({ tenant, shape }) => tenant === name && fits(shape));
      if (next === undefined || name === placed.tenant) continue;
      expect(share(placed.tenant, needs)).toBeLessThanOrEqual(share(name, input.shapes[next.shape]!.needs));
    }
    needs.forEach((need, column) => {
      free[decision.node]![column]! -= need;
      used.get(placed.tenant)![column]! += need;
    });
  }
}

/** Water-filling: what each would get if tasks could be cut into pieces. */
function maxMinShares(
  capacity: number,
  tenants: readonly { readonly weight: number; readonly demand: number }[],
): readonly number[] {
  const shares = tenants.map(() => 0);
  let left = capacity;
  let open = tenants.map((_, at) => at).filter((at) => tenants[at]!.demand > 0);
  while (open.length > 0 && left > 1e-12) {
    const weight = open.reduce((sum, at) => sum + tenants[at]!.weight, 0);
    const step = Math.min(
      left / weight,
      ...open.map((at) => (tenants[at]!.demand - shares[at]!) / tenants[at]!.weight),
    );
    for (const at of open) shares[at]! += step * tenants[at]!.weight;
    left -= step * weight;
    open = open.filter((at) => tenants[at]!.demand - shares[at]! > 1e-12);
  }
  return shares;
}
