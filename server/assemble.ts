import { createHash, randomInt, randomUUIDv7 } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Resources } from '@gantry/plugin-kit/vocabulary';
import { Agent } from './agent/agent.ts';
import { nodeSecrets } from './agent/secret-source.ts';
import type { ApiPorts, PluginFacts, PoolSample, PoolStatus } from './api/context.ts';
import { createTokens, type Tokens } from './auth/tokens.ts';
import { systemClock, type Clock } from './clock.ts';
import { createCommands } from './commands/commands.ts';
import type { Commands } from './commands/submit.ts';
import { declaredResources } from './config/node-resources.ts';
import type { Config } from './config/schema.ts';
import { BUILT_IN_PLUGINS } from './built-in-plugins.ts';
import { takeDataFolder, type DataFolder } from './data-folder.ts';
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
import { maintenanceOf } from './maintenance/in-thread.ts';
import { configuredRetention } from './retention/configured.ts';
import { Retention } from './retention/retention.ts';
import { openStore } from './store/open.ts';
import type { Store } from './store/store.ts';
import { StorageGuard } from './storage-guard.ts';

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
  readonly retention: Retention;
  /** Watches the disk of the database. */
  readonly storage: Service;
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

/**
 * Takes the data folder, opens the store and wires everything on it. Rejects with what keeps the folder from being
 * taken or the store from opening. Closing the store frees the folder.
 */
export async function assemble(config: Config, log: Logger, clock: Clock = systemClock): Promise<Assembly> {
  const folder = takeDataFolder(config.dataDir, clock.now());
  if (folder.problem !== null)
    log.warn({ problem: folder.problem }, 'The data folder cannot be written to: the next start will be slower.');
  let opened: Store | null = null;
  const close = async () => {
    await opened?.close();
    folder.release();
  };
  try {
    opened = await openStore({ url: config.databaseUrl, clock, log: (...notes) => log.warn({ notes }, 'store') });
    return await wire(config, log, clock, folder, { ...opened, close });
  } catch (error) {
    await close().catch(() => undefined);
    throw error;
  }
}

async function wire(config: Config, log: Logger, clock: Clock, folder: DataFolder, store: Store): Promise<Assembly> {
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
    idempotent: null,
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
        holder: { name: folder.holder, predecessors: folder.predecessors },
        store,
        clock,
        log,
        silence: DEFAULT_SILENCE,
        isRunnerIdempotent: registry.isRunnerIdempotent,
        makePlacement: () => makePlacement({ pool, store, registry, clock, log, batch: PLACEMENT_BATCH }),
        reset: () => dispatch.reset(pool),
        perform: (effects) => dispatch.perform(pool, effects),
        publish: (batch) => hub.publish(batch),
        publishLoads: (nodes) => hub.loadsChanged(pool, nodes),
      }),
    );
  }
  const storage = new StorageGuard({
    folder: store.file === null ? config.dataDir : dirname(store.file),
    percent: store.file === null ? 0 : config.diskReserve,
    ballastBytes: config.ballast * 1_048_576,
    clock,
    log,
    makeRoom: () => store.makeRoom(),
  });
  const placement = placementReader(engines);
  const history = new PoolHistory([...engines.keys()], (pool) => gaugeOf(placement.status(pool)), clock);
  const retention = new Retention({
    store,
    hub,
    clock,
    log,
    configured: configuredRetention(config),
    dataDir: config.dataDir,
    isOwner: () => engines.get(DEFAULT_POOL)?.isReady === true,
  });
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
    capacity: {
      ...declaredResources(config.nodeResources),
      ...(config.nodeSlots === null ? {} : { slots: config.nodeSlots }),
    } satisfies Resources,
    settings: config.runners as RunnerSettings,
    secrets: nodeSecrets(config.secretsDir, process.env),
    dataDirectory: join(config.dataDir, 'node'),
    diskReserve: config.diskReserve,
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
    retention,
    decisions: decisionReader(store, registry),
    simulation: simulationReader(
      engines,
      store,
      clock,
      (pool, choice) => makeTrialPlacement(choice, { pool, registry, clock, log, batch: PLACEMENT_BATCH }),
      { plugins: pluginSources(config), foreign: config.plugins, batch: PLACEMENT_BATCH },
    ),
    storage,
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
    maintenance: maintenanceOf({ dataDir: config.dataDir, databaseUrl: config.databaseUrl, version: VERSION }, clock),
    newRunId: () => runId(randomUUIDv7()),
    log: (level, message, details) => log[level](details, message),
  };
  return {
    store,
    hub,
    events,
    commands,
    tokens,
    registry,
    engines: allEngines,
    agent,
    history,
    retention,
    storage,
    ports,
    firstStart,
  };
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
