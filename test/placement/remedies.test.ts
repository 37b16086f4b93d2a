import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { Node } from '../../server/domain/node.ts';
import { parseQuantity } from '../../server/domain/resources.ts';
import { orderOf } from '../../server/placement/change.ts';
import { Placement } from '../../server/placement/placement.ts';
import type { PlacementExplanation } from '../../server/placement/explain.ts';
import { makeShape, type ShapeRules, type TaskShape } from '../../server/placement/shape.ts';
import { aHost, aNode, aPlacement, aScheduler } from './cluster.ts';
import { obeyed, withNodeAdded, type Attempt, type Situation } from './told-remedies.ts';

const MI = 1 << 20;
const ZONES = ['a', 'b', 'c'] as const;

const maybe = <Value>(value: fc.Arbitrary<Value>) => fc.option(value, { nil: undefined, freq: 2 });

const aTaint = fc.constantFrom(
  { key: 'spot', effect: 'NO_SCHEDULE' as const },
  { key: 'team', value: 'red', effect: 'NO_SCHEDULE' as const },
  { key: 'team', value: 'blue', effect: 'NO_SCHEDULE' as const },
);

const someNode = fc
  .record({
    cpu: fc.integer({ min: 0, max: 16 }).map((cores) => 250 * cores),
    memory: fc.integer({ min: 0, max: 8 }).map((count) => 128 * MI * count),
    slots: fc.integer({ min: 0, max: 4 }),
    gpus: fc.integer({ min: 0, max: 3 }),
    zone: maybe(fc.constantFrom(...ZONES)),
    disk: maybe(fc.constantFrom('ssd', 'hdd')),
    taints: fc.uniqueArray(aTaint, { maxLength: 2, size: 'xsmall', selector: (taint) => JSON.stringify(taint) }),
    connection: fc.constantFrom(...Array<string>(8).fill('READY'), 'SUSPECT', 'LOST'),
    eligibility: fc.constantFrom(...Array<string>(8).fill('ELIGIBLE'), 'CORDONED'),
    health: fc.constantFrom(...Array<string>(8).fill('HEALTHY'), 'UNHEALTHY', 'ABSENT', 'NONE'),
  })
  .map(({ cpu, memory, slots, gpus, zone, disk, taints, connection, eligibility, health }) => ({
    capacity: { cpu, memory, slots, ...(gpus === 0 ? {} : { gpu: 1_000 * gpus }) },
    labels: { ...(zone === undefined ? {} : { zone }), ...(disk === undefined ? {} : { disk }) },
    taints,
    connection,
    eligibility,
    runners: health === 'NONE' ? [] : [{ name: 'mock', version: '1.0.0', health }],
  })) as fc.Arbitrary<Partial<Node>>;

const someResources = fc
  .record({
    cpu: fc.constantFrom(0, 100, 250, 1_000, 2_000, 8_000),
    memory: fc.constantFrom(0, 64 * MI, 100_000_001, 512 * MI),
    slots: fc.constantFrom(0, 1, 1, 1, 2),
    gpu: fc.constantFrom(0, 0, 0, 300, 500, 1_000, 2_000, 3_000),
    licence: fc.constantFrom(0, 0, 0, 0, 0, 0, 1),
  })
  .map((resources) => Object.fromEntries(Object.entries(resources).filter(([, amount]) => amount > 0)));

/** Only what runs in the task's own run shares its scopes. */
const someRules = (isOwn: boolean): fc.Arbitrary<ShapeRules | null> =>
  fc.oneof(
    { weight: isOwn ? 1 : 3, arbitrary: fc.constant(null) },
    {
      weight: 3,
      arbitrary: fc.record({
        require: isOwn
          ? fc.uniqueArray(
              fc.constantFrom(
                { label: 'disk', operator: 'EXISTS' as const, values: [] },
                { label: 'zone', operator: 'IN' as const, values: ['a', 'b'] },
                { label: 'zone', operator: 'NOT_IN' as const, values: ['b'] },
                { label: 'cores', operator: 'GREATER' as const, values: ['8'] },
                { label: 'driver', operator: 'VERSION' as const, values: ['>=535.1'] },
                { label: 'disk', operator: 'MATCHES' as const, values: ['^s'] },
              ),
              { maxLength: 2, selector: ({ operator, label }) => `${label} ${operator}` },
            )
          : fc.constant([]),
        prefer: fc.constant([]),
        exclusive: fc.constantFrom(false, false, false, true),
        perNode: fc.option(fc.record({ scope: fc.constant('run'), max: fc.constant(2) }), { nil: null }),
        spread: fc.option(
          fc.record({
            scope: fc.constant('run/t'),
            label: fc.constant('zone'),
            required: fc.constantFrom(true, true, false),
          }),
          { nil: null },
        ),
        gang: fc.constant(null),
      }),
    },
  );

const someShape = (isOwn: boolean): fc.Arbitrary<TaskShape> =>
  fc
    .record({
      resources: someResources,
      nodeSelector: isOwn
        ? fc.constantFrom<Record<string, string>[]>({}, {}, {}, {}, { zone: 'a' }, { zone: 'b', disk: 'ssd' })
        : fc.constant({}),
      tolerations: fc.constantFrom([], [], [{ key: 'spot' }], [{ key: 'team', value: 'red' }]),
      rules: someRules(isOwn),
    })
    .map((parts) => makeShape({ runner: 'mock', ...parts }));

const someSituation: fc.Arbitrary<Situation> = fc
  .record({
    nodes: fc.array(someNode, { minLength: 1, maxLength: 6 }),
    attempts: fc.array(fc.record({ at: fc.nat({ max: 5 }), shape: someShape(false) }), { maxLength: 10 }),
    shape: someShape(true),
    gang: fc.constantFrom(0, 0, 0, 2, 3),
  })
  .map(({ nodes, attempts, shape, gang }) => {
    const named = nodes.map((node, at) => aNode(`n${at}`, node));
    const rules = gang === 0 ? shape.rules : { ...(shape.rules ?? NO_RULES), gang: 'g' };
    const asking = makeShape({ ...shape, rules });
    return { nodes: named, attempts: taken(named, attempts), shape: asking, gangSize: gang };
  });

const NO_RULES: ShapeRules = { require: [], prefer: [], exclusive: false, perNode: null, spread: null, gang: null };

/** Of these attempts those for which there is room, and on which GPUs. */
function taken(nodes: readonly Node[], wanted: readonly { at: number; shape: TaskShape }[]): readonly Attempt[] {
  const attempts: Attempt[] = [];
  for (const { at, shape } of wanted) {
    // A node may have been cordoned or tainted since.
    const bare = nodes.map((node) => aNode(node.name, { capacity: node.capacity }));
    const { node } = { node: bare[at % bare.length]!.name };
    const plain = makeShape({ ...shape, tolerations: [], rules: shape.rules && { ...shape.rules, spread: null } });
    const gpus = placedOn({ nodes: bare, attempts, shape: plain, gangSize: 0 }, node);
    if (gpus !== null) attempts.push({ node, shape, gpus });
  }
  return attempts;
}

/** A placement of the situation, with the task and its gang in the queue. */
function placementOf(situation: Situation, to: (placement: Placement) => Placement = (same) => same): Placement {
  const { nodes, attempts, shape, gangSize } = situation;
  const placement = to(aPlacement(nodes));
  for (const attempt of attempts) placement.reserve(attempt.shape, attempt.node, 'work', attempt.gpus);
  for (let at = 0; at < Math.max(1, gangSize); at++) {
    const gang = gangSize > 0 ? { gangSize } : {};
    placement.add({ key: `t.${at}`, shape, priority: 0, readySince: at, tenant: 'work', ...gang });
  }
  return placement;
}

/** Which GPUs the task gets when a scheduler that wants to gives it this node, or null when the host refuses that. */
function placedOn(situation: Situation, node: string): readonly number[] | null {
  const obstinate = aScheduler(({ nodes, tasks }) => {
    const index = nodes.findIndex(({ name }) => name === node);
    return { decisions: index < 0 ? [] : [{ task: tasks[0]!.key, node: index }], memory: null };
  });
  const placement = placementOf(situation, () => {
    const made = new Placement({ scheduler: aHost(obstinate), batch: 100 });
    for (const each of situation.nodes) made.nodeChanged(each);
    return made;
  });
  const found = placement.place(0).placements.find((each) => each.node === node);
  return found?.gpus ?? null;
}

/** Whether a node takes the task, or all of the gang find a place. */
function isPlaced(situation: Situation, node: string): boolean {
  if (situation.gangSize === 0) return placedOn(situation, node) !== null;
  const placement = placementOf(situation, (same) => same);
  return placement.place(0).placements.length === situation.gangSize;
}

function explained(situation: Situation, isAsked: boolean): PlacementExplanation | null {
  const placement = placementOf(situation);
  if (isAsked) placement.place(0);
  return placement.explain('t.0');
}

const kinds = new Set<string>();

describe('a remedy', () => {
  it('helps when exactly it is done, on every node that it names', () => {
    fc.assert(
      fc.property(someSituation, fc.boolean(), (situation, isAsked) => {
        const explanation = explained(situation, isAsked);
        for (const { message, nodes } of explanation?.unblock ?? []) {
          const order = message.slice(0, message.lastIndexOf(': '));
          for (const node of nodes) {
            kinds.add(order.replaceAll(/\d\S*/g, '#'));
            if (!isPlaced(obeyed(situation, order, node), node))
              throw new Error(`“${message}” does not help on ${node}.`);
          }
        }
      }),
      { numRuns: 2_000, seed: 11 },
    );
    // What has not been told has not been tried.
    const told = [...kinds].join('\n');
    expect(WORDS.filter((word) => !word.test(told)).map(String)).toEqual([]);
  });

  it('of a node helps where it is all that the node lacks', () => {
    fc.assert(
      fc.property(someSituation, (situation) => {
        for (const { node, obstacles } of explained(situation, false)?.nodes ?? []) {
          if (obstacles.length !== 1) continue;
          for (const change of obstacles[0]!.ways) {
            const order = orderOf(change);
            if (!isPlaced(obeyed(situation, order, node), node))
              throw new Error(`“${order}” does not help on ${node}.`);
          }
        }
      }),
      { numRuns: 700, seed: 12 },
    );
  });

  it('asks for no more than it takes', () => {
    let tried = 0;
    fc.assert(
      fc.property(someSituation, (situation) => {
        for (const { message, nodes } of explained(situation, false)?.unblock ?? []) {
          const order = message.slice(0, message.lastIndexOf(': '));
          const less = lessOf(order);
          if (less === null) continue;
          tried++;
          for (const node of nodes) {
            if (situation.gangSize > 0 || !isPlaced(obeyed(situation, less, node), node)) continue;
            throw new Error(`“${less}” helps on ${node} as well as “${order}”.`);
          }
        }
      }),
      { numRuns: 1_000, seed: 13 },
    );
    expect(tried).toBeGreaterThan(10);
  });

  it('that is another node helps when such a node is added', () => {
    let tried = 0;
    fc.assert(
      fc.property(someSituation, fc.boolean(), (situation, isAsked) => {
        const remedy = explained(situation, isAsked)?.summary.remedy;
        const grown = remedy === undefined ? null : withNodeAdded(situation, remedy);
        if (grown === null) return;
        tried++;
        if (!isPlaced(grown, grown.added)) throw new Error(`“${remedy}” does not help.`);
      }),
      { numRuns: 1_000, seed: 14 },
    );
    expect(tried).toBeGreaterThan(100);
  });
});

/** Every kind of change is told of at least one situation. */
const WORDS = [
  /start the agent/i,
  /heard again/i,
  /uncordon/i,
  /install what/i,
  /repair/i,
  /drop zone=/i,
  /drop “zone/i,
  /drop “exclusive”/i,
  /tolerate/i,
  /do without/i,
  /ask for at most/i,
  /free # more of cpu/i,
  /free # more of memory/i,
  /free # more of gpu #/i,
  /empty (one|#) more gpu/i,
  /raise maxPerNode/i,
  /exclusive task there has ended/i,
  /give it the label/i,
  /, and /,
];

/** The same order with the smallest amount less; null for orders without an amount that is told exactly. */
function lessOf(order: string): string | null {
  const [, text, resource] = /^free (\S+) more of (cpu|slots|memory)$/i.exec(order) ?? [];
  if (text !== undefined && resource !== undefined) {
    // An amount of memory with a dot in it has been rounded.
    const parsed = text.includes('.') ? { ok: false as const } : parseQuantity(resource, text);
    if (!parsed.ok) return null;
    return `free ${parsed.amount - 1}${resource === 'cpu' ? 'm' : ''} more of ${resource}`;
  }
  const [, gpu, index] = /^free (\d+)m more of gpu (\d)$/i.exec(order) ?? [];
  if (gpu !== undefined) return `free ${Number(gpu) - 1}m more of gpu ${index}`;
  const [, max] = /^raise maxPerNode to (\d+)$/i.exec(order) ?? [];
  if (max !== undefined) return `raise maxPerNode to ${Number(max) - 1}`;
  const [, most] = /^ask for at most (\d+)m of cpu$/i.exec(order) ?? [];
  if (most !== undefined) return `ask for at most ${Number(most) + 1}m of cpu`;
  return null;
}
