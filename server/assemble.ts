import { createHash, randomInt, randomUUIDv7 } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Resources } from '@gantry/plugin-kit/vocabulary';
import { Agent } from './agent/agent.ts';
import { nodeSecrets } from './agent/secret-source.ts';
import type { ApiPorts, PluginFacts, PoolSample, PoolStatus } from './api/context.ts';
import { createTokens, type Tokens } from './auth/tokens.ts';
import { systemClock, type Clock } from './clock.ts';
import { createCommands } from './commands/commands.ts';
import type { Commands } from './commands/submit.ts';
import type { Config } from './config/schema.ts';
import { BUILT_IN_PLUGINS } from './built-in-plugins.ts';
import { decisionReader } from './decision-reader.ts';
import { parsePipeline } from './definition/parse.ts';
import { createDispatch } from './dispatch/dispatch.ts';
import { runId } from './domain/ids.ts';
import type { RunnerSettings } from './domain/node.ts';
import { DEFAULT_POOL } from './domain/pool.ts';
import { DEFAULT_SILENCE } from './engine/core/pool-state.ts';
import { Engine } from './engine/loop.ts';
import { createEvents } from './events/events.ts';
import type { Events } from './events/follow.ts';
import { Hub } from './events/hub.ts';
import { LiveProgress } from './events/live-progress.ts';
import type { Service } from './lifecycle.ts';
import type { Logger } from './log.ts';
import { placementReader } from './placement-reader.ts';
import { PoolHistory } from './pool-history.ts';
import { createRegistry, type PluginInfo, type Registry } from './plugin-host/registry.ts';
import { DEFAULT_TIMERS } from './protocol/gateway.ts';
import { makePlacement, makeTrialPlacement } from './schedulers.ts';
import { simulationReader } from './simulated-placement.ts';
import { openStore } from './store/open.ts';
import type { Store } from './store/store.ts';

const MOCK_RUNNER = '@gantry/runner-mock';

/** The most task runs that one call of a scheduler is given. */
const PLACEMENT_BATCH = 4_096;
const READY_TIMEOUT_MS = 2_000;

/** All parts of a server but its HTTP face, wired and not started. */
export interface Assembly {
  readonly store: Store;
  readonly hub: Hub;
  readonly events: Events;
  readonly commands: Commands;
  readonly tokens: Tokens;
  readonly registry: Registry;
  /** In the order in which they start. */
  readonly engines: Service;
  readonly agent: Service;
  readonly history: Service;
  readonly ports: ApiPorts;
  /** Whether the database was empty. */
  readonly firstStart: boolean;
}

/** Where the plugins of a server come from. */
const pluginSources = (config: Config): readonly string[] => [
  ...BUILT_IN_PLUGINS,
  ...(config.enableMockRunner ? [MOCK_RUNNER] : []),
  ...config.plugins,
];

/** Opens the store and wires everything on it. Rejects with what keeps the store from opening. */
export async function assemble(config: Config, log: Logger, clock: Clock = systemClock): Promise<Assembly> {
  await mkdir(config.dataDir, { recursive: true, mode: 0o700 });
  const store = await openStore({ url: config.databaseUrl, clock, log: (...notes) => log.warn({ notes }, 'store') });
  const registry = await createRegistry(pluginSources(config), process.cwd(), config.plugins);
  for (const { state, source, problem } of registry.list()) {
    if (state !== 'ACTIVE') log.error({ plugin: source, problem }, 'A plugin could not be loaded.');
  }
  const firstStart = (await store.pools.byName(DEFAULT_POOL)) === null;
  await store.pools.ensure({
    name: DEFAULT_POOL,
    scheduler: config.scheduler,
    schedulerConfig: config.schedulerConfig,
    schedulerMemory: null,
    shadow: null,
  });

  const hub = new Hub();
  const live = new LiveProgress();
  const engines = new Map<string, Engine>();
  const dispatch = createDispatch(store, hub, live, (pool) => engines.get(pool) ?? null, DEFAULT_TIMERS);
  for (const { name: pool } of await store.pools.all()) {
    engines.set(
      pool,
      new Engine({
        pool,
        holder: serverId(config.dataDir),
        store,
        clock,
        log,
        silence: DEFAULT_SILENCE,
        makePlacement: () => makePlacement({ pool, store, registry, clock, log, batch: PLACEMENT_BATCH }),
        reset: () => dispatch.reset(pool),
        perform: (effects) => dispatch.perform(pool, effects),
        publish: (batch) => hub.publish(batch),
        publishLoads: (nodes) => hub.loadsChanged(pool, nodes),
      }),
    );
  }
  const placement = placementReader(engines);
  const history = new PoolHistory([...engines.keys()], (pool) => gaugeOf(placement.status(pool)), clock);
  const events = createEvents(store, hub, live, clock);
  const commands = createCommands(store, hub, clock, (pool) => engines.get(pool)?.nudge());
  const tokens = createTokens(store, clock);
  const agent = new Agent({
    gateway: dispatch,
    registry,
    clock,
    log,
    random: () => randomInt(1_000_000) / 1_000_000,
    name: config.nodeName,
    pool: DEFAULT_POOL,
    labels: config.nodeLabels,
    capacity: (config.nodeSlots === null ? {} : { slots: config.nodeSlots }) satisfies Resources,
    settings: config.runners as RunnerSettings,
    secrets: nodeSecrets(config.secretsDir, process.env),
    dataDirectory: join(config.dataDir, 'node'),
    version: VERSION,
  });
  const allEngines: Service = {
    start: async () => void (await Promise.all([...engines.values()].map((engine) => engine.start()))),
    stop: async () => void (await Promise.all([...engines.values()].map((engine) => engine.stop()))),
  };
  const ports: ApiPorts = {
    store,
    commands,
    events,
    tokens,
    clock,
    progress: live,
    pipelines: {
      parse(input) {
        const parsed = parsePipeline(input, {
          checkRunner: registry.checkRunnerConfig,
          runnerSchema: registry.runnerSchema,
        });
        if (!parsed.ok) return parsed;
        const { definition, source, canonical } = parsed;
        return { ok: true, definition, source, hash: createHash('sha256').update(canonical).digest('hex') };
      },
    },
    plugins: { list: () => registry.list().map(pluginFacts) },
    placement,
    history,
    decisions: decisionReader(store, registry),
    simulation: simulationReader(
      engines,
      store,
      clock,
      (pool, choice) => makeTrialPlacement(choice, { pool, registry, clock, log, batch: PLACEMENT_BATCH }),
      { plugins: pluginSources(config), foreign: config.plugins, batch: PLACEMENT_BATCH },
    ),
    schedulers: { check: ({ scheduler, config }) => registry.checkSchedulerConfig(scheduler, config) },
    health: {
      async reasons() {
        const reasons: string[] = [];
        if (!(await store.ping(READY_TIMEOUT_MS))) reasons.push('The database does not answer.');
        for (const [pool, engine] of engines)
          if (!engine.isReady) reasons.push(`The engine of pool ${pool} is not ready.`);
        return reasons;
      },
    },
    newRunId: () => runId(randomUUIDv7()),
    log: (level, message, details) => log[level](details, message),
  };
  return { store, hub, events, commands, tokens, registry, engines: allEngines, agent, history, ports, firstStart };
}

/** What is sampled of a pool. */
function gaugeOf(status: PoolStatus | null): Omit<PoolSample, 'at'> | null {
  if (status === null) return null;
  const { queueLength, runningCount, utilization } = status;
  return { queueLength, runningCount, utilization };
}

/** A plugin as the API shows it. */
function pluginFacts({ version, contract, state, problem, ...info }: PluginInfo): PluginFacts {
  return {
    ...info,
    version: version ?? '',
    contract: contract ?? '',
    state: state === 'ACTIVE' ? 'LOADED' : state,
    reason: problem === null ? null : { code: state, message: problem },
  };
}

/** The program's version, as its package says. */
export const VERSION = (
  JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as { version: string }
).version;

/** Names this server among those of a database, over restarts: after a crash it need not wait for its own lease to end. */
function serverId(dataDir: string): string {
  const path = join(dataDir, 'server-id');
  try {
    writeFileSync(path, randomUUIDv7(), { flag: 'wx', mode: 0o600 });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
  return readFileSync(path, 'utf8').trim();
}
