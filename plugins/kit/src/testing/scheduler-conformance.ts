import { mostHeld } from '../reservations.ts';
import type {
  Decision,
  PlacementInput,
  PlacementOutput,
  Reservation,
  ReservePolicy,
  SchedulerPlugin,
} from '../scheduler.ts';
import type { Json } from '../vocabulary.ts';
import { randomInput } from './random-cluster.ts';

/*
 * What every scheduler must hold, whatever its taste. Each check makes calls over random clusters and says what it
 * found, or null. `describeScheduler` makes tests of them; a command-line tool can run them as they are.
 */

/** A scheduler with the config to try it with. */
export interface SchedulerUnderTest {
  readonly plugin: SchedulerPlugin;
  /** As the plugin's schema has checked it. */
  readonly config: unknown;
}

/** One thing that every scheduler must hold. */
export interface SchedulerCheck {
  /** Completes the sentence “a scheduler …”. */
  readonly name: string;
  /** What is wrong, of the first call that is wrong; null when nothing is. */
  run(subject: SchedulerUnderTest, seed: number): string | null;
}

const MAX_MEMORY_BYTES = 16 << 10;
/** Calls in a row, each with the memory that the one before returned. */
const CALLS = 4;

/** Every check, in the order in which a failure is most telling. */
export const schedulerChecks: readonly SchedulerCheck[] = [
  { name: 'decides on a task that was offered, once, for a node that exists', run: eachCall(misdecided) },
  { name: 'places only on feasible nodes', run: eachCall(infeasible) },
  { name: 'over-commits no node', run: eachCall(overCommitted) },
  { name: 'leaves no task without a decision while a feasible node has room', run: eachCall(forgotten) },
  { name: 'holds nodes for those alone who have waited long and are left waiting', run: eachCall(wronglyHeld) },
  { name: 'leaves its input untouched', run: eachCall(spoilt) },
  { name: 'decides the same on the same input', run: eachCall(undecided) },
  { name: 'decides the same on input and output that have been JSON', run: eachCall(notPlain) },
  { name: `remembers at most ${MAX_MEMORY_BYTES} bytes`, run: eachCall(tooMuchRemembered) },
  { name: 'has a config schema that accepts no config, and never throws', run: configAccepts },
];

/** The functions of a test framework that `describeScheduler` needs: Jest, Vitest and node:test have them. */
interface TestFramework {
  describe(name: string, define: () => void): void;
  it(name: string, test: () => void): void;
}

/**
 * Describes a scheduler to the test framework that is running: one test per check, over `seeds` random clusters.
 *
 * @param options.config What to try it with; default `{}`, with the schema's defaults. An invalid one throws.
 * @param options.seeds How many clusters; default 200.
 */
export function describeScheduler(
  plugin: SchedulerPlugin,
  options: { readonly config?: Json; readonly seeds?: number } = {},
): void {
  const { describe, it } = globalThis as unknown as Partial<TestFramework>;
  if (describe === undefined || it === undefined) {
    throw new Error('describeScheduler needs the globals `describe` and `it`: call it in a test file.');
  }
  const checked = plugin.config.check(options.config ?? {});
  if (!checked.ok) {
    throw new Error(
      `The scheduler ${plugin.name} refuses the config: ${checked.problems.map(({ message }) => message).join(' ')}`,
    );
  }
  const subject = { plugin, config: checked.config };
  describe(`the scheduler ${plugin.name} with ${JSON.stringify(options.config ?? {})}`, () => {
    for (const { name, run } of schedulerChecks) {
      it(name, () => {
        for (let seed = 0; seed < (options.seeds ?? 200); seed++) {
          const problem = run(subject, seed);
          if (problem !== null) throw new Error(`Cluster ${seed}: ${problem}`);
        }
      });
    }
  });
}

type CallCheck = (
  input: PlacementInput,
  output: PlacementOutput,
  place: SchedulerPlugin['place'],
  policy: ReservePolicy | null,
) => string | null;

/** Makes a check of what must hold of each call. */
function eachCall(check: CallCheck): SchedulerCheck['run'] {
  return ({ plugin, config }, seed) => {
    let memory: Json = null;
    let held: readonly Reservation[] = [];
    for (let call = 0; call < CALLS; call++) {
      const drawn = randomInput(seed * CALLS + call, config, memory);
      const keys = new Set(drawn.tasks.map(({ key }) => key));
      const reservations = held.filter(({ task, node }) => keys.has(task) && node < drawn.nodes.length);
      const input = reservations.length === 0 ? drawn : { ...drawn, reservations };
      // As the host calls it: without `this`.
      const { place } = plugin;
      const output = place(structuredClone(input));
      const problem = check(input, output, place, plugin.reserves?.(config) ?? null);
      if (problem !== null) return problem;
      memory = output.memory;
      held = output.reservations ?? [];
    }
    return null;
  };
}

/** The node of each task that was placed. */
function placedOn(decisions: readonly Decision[]): ReadonlyMap<string, number> {
  return new Map(
    decisions.flatMap((decision) => ('node' in decision ? [[decision.task, decision.node] as const] : [])),
  );
}

function misdecided(input: PlacementInput, { decisions }: PlacementOutput): string | null {
  const open = new Set(input.tasks.map(({ key }) => key));
  for (const decision of decisions) {
    if (!open.delete(decision.task)) return `task ${decision.task} was decided on twice, or was never offered`;
    if ('node' in decision) {
      if (input.nodes[decision.node] === undefined) return `there is no node with index ${decision.node}`;
    } else if (!decision.hold.code || !decision.hold.message) {
      return `task ${decision.task} is held without a code and a message`;
    }
  }
  return null;
}

function infeasible(input: PlacementInput, { decisions }: PlacementOutput): string | null {
  const shapeOf = new Map(input.tasks.map(({ key, shape }) => [key, input.shapes[shape]!]));
  for (const [task, node] of placedOn(decisions)) {
    if (!Array.from(shapeOf.get(task)?.feasible ?? []).includes(node)) {
      return `task ${task} was placed on node ${node}, which is not feasible for it`;
    }
  }
  return null;
}

/** What is free on every node after the decisions. */
function freeAfter(input: PlacementInput, decisions: readonly Decision[]): readonly number[][] {
  const free = input.nodes.map((node) => [...node.free]);
  const needsOf = new Map(input.tasks.map(({ key, shape }) => [key, input.shapes[shape]!.needs]));
  for (const [task, node] of placedOn(decisions)) {
    needsOf.get(task)?.forEach((need, column) => (free[node]![column]! -= need));
  }
  return free;
}

function overCommitted(input: PlacementInput, { decisions }: PlacementOutput): string | null {
  const free = freeAfter(input, decisions);
  for (const [task, node] of placedOn(decisions)) {
    const column = free[node]!.findIndex((amount) => amount < 0);
    if (column >= 0) return `node ${node} lacks ${-free[node]![column]!} ${input.resources[column]} after task ${task}`;
  }
  return null;
}

function forgotten(input: PlacementInput, { decisions, reservations = [] }: PlacementOutput): string | null {
  const heldFor = new Map(reservations.map(({ task, node }) => [node, task]));
  const free = freeAfter(input, decisions);
  const decided = new Set(decisions.map(({ task }) => task));
  for (const { key, shape } of input.tasks) {
    if (decided.has(key)) continue;
    const { needs, feasible } = input.shapes[shape]!;
    for (const node of feasible) {
      if ((heldFor.get(node) ?? key) !== key) continue;
      if (needs.every((need, column) => need === 0 || need <= free[node]![column]!)) {
        return `task ${key} was given no decision, and node ${node} has room for it; hold it with a reason if that is meant`;
      }
    }
  }
  return null;
}

function wronglyHeld(
  input: PlacementInput,
  { decisions, reservations = [] }: PlacementOutput,
  _place: unknown,
  policy: ReservePolicy | null,
): string | null {
  if (reservations.length === 0) return null;
  if (policy === null) return 'nodes are held, and `reserves` does not say for whom';
  if (reservations.length > mostHeld(input.nodes.length, policy))
    return `${reservations.length} nodes are held at once`;
  const decided = new Set(decisions.map(({ task }) => task));
  const nodes = new Set<number>();
  for (const { task: key, node } of reservations) {
    const task = input.tasks.find((each) => each.key === key);
    if (task === undefined || decided.has(key)) return `a node is held for ${key}, which is not left waiting`;
    if (input.now - task.readySince < policy.afterMs) return `a node is held for ${key}, which has not waited so long`;
    if (!Array.from(input.shapes[task.shape]!.feasible).includes(node)) return `node ${node} will never do for ${key}`;
    if (nodes.has(node)) return `node ${node} is held twice`;
    nodes.add(node);
  }
  return null;
}

function spoilt(input: PlacementInput, _output: PlacementOutput, place: SchedulerPlugin['place']): string | null {
  const handed = structuredClone(input);
  const before = JSON.stringify(handed);
  place(handed);
  return JSON.stringify(handed) === before ? null : 'the input was changed';
}

function undecided(input: PlacementInput, output: PlacementOutput, place: SchedulerPlugin['place']): string | null {
  for (let time = 0; time < 2; time++) {
    if (JSON.stringify(place(structuredClone(input))) !== JSON.stringify(output)) {
      return 'the same input was decided differently the second time: is there chance, a clock or a hidden memory?';
    }
  }
  return null;
}

function notPlain(input: PlacementInput, output: PlacementOutput, place: SchedulerPlugin['place']): string | null {
  const text = JSON.stringify(output);
  if (!isEqual(JSON.parse(text), output)) return 'the output is not plain data: it is another after JSON';
  const read = JSON.parse(JSON.stringify(input)) as PlacementInput;
  return JSON.stringify(place(read)) === text ? null : 'input that has been JSON was decided differently';
}

function tooMuchRemembered(_input: PlacementInput, { memory }: PlacementOutput): string | null {
  const bytes = new TextEncoder().encode(JSON.stringify(memory)).length;
  return bytes <= MAX_MEMORY_BYTES ? null : `the memory has ${bytes} bytes`;
}

function configAccepts({ plugin }: SchedulerUnderTest): string | null {
  for (const value of [null, 1, 'text', [], { 'no-such-setting': 1 }, { nested: { deeply: [] } }]) {
    try {
      const checked = plugin.config.check(value);
      if (!checked.ok && checked.problems.length === 0) return `${JSON.stringify(value)} is refused without a problem`;
    } catch (error) {
      return `the check of ${JSON.stringify(value)} threw ${String(error)}`;
    }
  }
  const { jsonSchema } = plugin.config;
  if (typeof jsonSchema !== 'object' || jsonSchema === null) return 'the config has no JSON Schema';
  return plugin.config.check({}).ok ? null : 'the config has no default for everything: {} is refused';
}

/** Deep equality of what may not be plain: an undefined, a class or a typed array makes a difference. */
function isEqual(one: unknown, other: unknown): boolean {
  if (one === other) return true;
  if (typeof one !== 'object' || typeof other !== 'object' || one === null || other === null) return false;
  if (Array.isArray(one) !== Array.isArray(other) || !isPlain(one) || !isPlain(other)) return false;
  const keys = Object.keys(one);
  return (
    keys.length === Object.keys(other).length &&
    keys.every((key) => isEqual((one as Record<string, unknown>)[key], (other as Record<string, unknown>)[key]))
  );
}

/** Whether it is an array or an object without a class, whichever realm has made it. */
function isPlain(value: object): boolean {
  if (Array.isArray(value)) return true;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}
