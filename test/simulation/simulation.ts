import { runId, type RunId } from '../../server/domain/ids.ts';
import type { PipelineDefinition } from '../../server/domain/pipeline.ts';
import type { Task } from '../../server/domain/task.ts';
import { aDefinition, aTask, someFacts } from '../support/builders.ts';
import { SimulatedAgent } from './agent.ts';
import { Broken, Checker } from './checker.ts';
import type { Mutation } from './mutations.ts';
import { SimulatedNetwork } from './network.ts';
import { SimulatedServer } from './server.ts';
import { SimulatedStore } from './store.ts';
import { Random, World } from './world.ts';

/** How long the nemesis works, and how long everything has to heal. Virtual milliseconds. */
const TROUBLE_MS = 300_000;
const HEALING_MS = 1_200_000;

export interface Outcome {
  readonly seed: number;
  readonly broken: Broken | null;
  /** What came of it: equal for equal seeds. */
  readonly trace: string;
}

/** Plays one history: random pipelines, random faults, then peace; checks every promise all the while. */
export function simulate(seed: number, mutation: Mutation | null = null): Outcome {
  const world = new World(seed);
  const checker = new Checker();
  try {
    play(world, seed, checker, mutation);
    checker.settled();
    return { seed, broken: null, trace: traceOf(checker) };
  } catch (error) {
    if (error instanceof Broken) return { seed, broken: error, trace: traceOf(checker) };
    throw error;
  }
}

function play(world: World, seed: number, checker: Checker, mutation: Mutation | null): void {
  const { random } = world;
  const network = new SimulatedNetwork(world);
  const store = new SimulatedStore(world, checker, mutation);
  const agents = new Map<string, SimulatedAgent>();
  const servers: SimulatedServer[] = [];
  for (const name of ['s1', 's2']) {
    servers.push(
      new SimulatedServer(name, world, store, mutation, (node, message) =>
        network.send(name, node, message, (own) => agents.get(node)?.hear(own)),
      ),
    );
  }
  for (const name of ['n1', 'n2', 'n3']) {
    const capacity = { slots: random.between(2, 6), memory: random.between(4, 16) };
    checker.nodeIs(name, capacity);
    // The planted bug: the engine believes in ten times the room that there is.
    const believed =
      mutation === 'NO_CAPACITY_CHECK' ? { slots: capacity.slots * 10, memory: capacity.memory * 10 } : capacity;
    agents.set(
      name,
      new SimulatedAgent(someFacts(name, { capacity: believed }), world, checker, mutation, (message) => {
        for (const server of servers) network.send(name, server.name, message, (own) => server.hear(own));
      }),
    );
  }
  work(world, store);
  disturb(world, network, store, servers, [...agents]);
  setClocks(world, seed);
  world.runUntil(world.now + TROUBLE_MS);
  network.faults = { minMs: 1, maxMs: 20, loss: 0, doubling: 0 };
  store.faults = { failBefore: 0, failAfter: 0 };
  for (const [name, agent] of agents) {
    network.reconnect(name);
    agent.start();
  }
  for (const server of servers) {
    network.reconnect(server.name);
    server.restart();
  }
  const end = world.now + HEALING_MS;
  while (world.now < end && !checker.isSettled) world.runUntil(world.now + 10_000);
}

/** People trigger, cancel, pause, resume and repeat. */
function work(world: World, store: SimulatedStore): void {
  const { random } = world;
  const triggered: RunId[] = [];
  const count = random.between(3, 10);
  for (let number = 0; number < count; number++) {
    world.after(random.between(0, TROUBLE_MS * 0.8), () => {
      const run = runId(`r${number}`);
      const definition = randomPipeline(world);
      triggered.push(run);
      store.append(
        { type: 'TRIGGER_RUN', run, pipeline: definition.name, version: 1, params: {}, priority: 0 },
        definition,
      );
      if (random.chance(0.3)) {
        world.after(random.between(0, 60_000), () => store.append({ type: 'CANCEL_RUN', run }));
      } else if (random.chance(0.2)) {
        world.after(random.between(0, 10_000), () => store.append({ type: 'PAUSE_RUN', run }));
        world.after(random.between(10_000, 60_000), () => store.append({ type: 'RESUME_RUN', run }));
      }
    });
  }
}

function randomPipeline(world: World): PipelineDefinition {
  const { random } = world;
  const tasks: Task[] = [];
  const count = random.between(1, 12);
  for (let index = 0; index < count; index++) {
    const needs = tasks.filter(() => random.chance(0.3)).map(({ key }) => key);
    tasks.push(
      aTask(`t${index}`, {
        needs,
        resources: { slots: 1, memory: random.between(0, 4) },
        runner: random.chance(0.7) ? 'finder' : 'forgetful',
        timeoutMs: random.chance(0.2) ? random.between(500, 5_000) : null,
        with: {
          failChance: random.chance(0.3) ? 0.5 : 0,
          rejectChance: random.chance(0.2) ? 0.7 : 0,
          idempotent: random.chance(0.75),
        },
        retry: { max: random.between(0, 3), backoff: 'exponential', delayMs: 500, maxDelayMs: 20_000 },
        allowFailure: random.chance(0.2),
        ...(needs.length > 0 && random.chance(0.15) ? { forEach: `\${{ tasks.${needs[0]}.outputs.parts }}` } : {}),
      }),
    );
  }
  return aDefinition(tasks);
}

/** The nemesis. Each seed draws which faults there are at all: rare ones would drown in common ones otherwise. */
function disturb(
  world: World,
  network: SimulatedNetwork,
  store: SimulatedStore,
  servers: readonly SimulatedServer[],
  agents: readonly (readonly [string, SimulatedAgent])[],
): void {
  const { random } = world;
  if (random.chance(0.6))
    network.faults = {
      minMs: 1,
      maxMs: random.pick([20, 500, 3_000]),
      loss: random.pick([0, 0.05, 0.3]),
      doubling: random.pick([0, 0.1]),
    };
  if (random.chance(0.6))
    store.faults = { failBefore: random.pick([0, 0.01, 0.1]), failAfter: random.pick([0, 0.01, 0.1]) };
  const troubles = [
    () => {
      const server = random.pick(servers);
      server.crash();
      world.after(random.between(100, 30_000), () => server.restart());
    },
    () => random.pick(servers).pause(random.between(1_000, 40_000)),
    () => {
      const [, agent] = random.pick(agents);
      agent.crash();
      world.after(random.between(100, 120_000), () => agent.start());
    },
    () => {
      const [name] = random.pick(agents);
      network.cutOff(name);
      world.after(random.between(1_000, 120_000), () => network.reconnect(name));
    },
  ].filter(() => random.chance(0.5));
  if (troubles.length === 0) return;
  const every = random.between(5_000, 60_000);
  for (let at = random.between(0, every); at < TROUBLE_MS; at += random.between(1, 2 * every)) {
    world.after(at, () => random.pick(troubles)());
  }
}

/** Sets the clock on the wall now and then. By chances of its own, so that it changes no history. */
function setClocks(world: World, seed: number): void {
  const random = new Random(seed + 0x5eed);
  for (let times = random.between(0, 3); times > 0; times--) {
    const wrongBy = random.pick([-3_600_000, -3_600_000, -300_000, 0, 3_600_000]);
    world.after(random.between(0, TROUBLE_MS), () => (world.wrongBy = wrongBy));
  }
}

function traceOf(checker: Checker): string {
  const ends = [...checker.taskRuns].map(
    ([id, { state, attempt, failures, losses }]) => `${id} ${state} ${attempt?.number ?? 0} ${failures} ${losses}`,
  );
  return [...[...checker.runs.values()].map(({ id, state }) => `${id} ${state}`), ...ends].join('\n');
}
