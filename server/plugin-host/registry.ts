import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { RunnerPlugin } from '@gantry/plugin-kit/runner';
import type { SchedulerPlugin } from '@gantry/plugin-kit/scheduler';
import type { Json, JsonObject, Problem } from '@gantry/plugin-kit/vocabulary';
import { didYouMean } from '../domain/suggestion.ts';
import { faultOf, type Plugin } from './check.ts';
import { isolated } from './isolated-scheduler.ts';

/** What the API, the CLI and the UI show of a plugin, loaded or not. */
export interface PluginInfo {
  readonly kind: 'SCHEDULER' | 'RUNNER' | null;
  readonly name: string;
  readonly version: string | null;
  readonly contract: string | null;
  readonly summary: string;
  readonly state: 'ACTIVE' | 'FAILED' | 'INCOMPATIBLE';
  /** Why it is not active, and what to do. */
  readonly problem: string | null;
  readonly configSchema: Json;
  /** The package or path that it was loaded from. */
  readonly source: string;
}

/** The plugins of this process. Loading never throws: what is wrong with one is listed. */
export interface Registry {
  scheduler(name: string): SchedulerPlugin | null;
  runner(name: string): RunnerPlugin | null;
  list(): readonly PluginInfo[];
  /** The names of the active plugins of a kind, sorted. */
  names(kind: 'scheduler' | 'runner'): readonly string[];
  /** Problems of a task's `with`; an unknown runner is one, with a suggestion. */
  checkRunnerConfig(name: string, config: JsonObject): readonly Problem[];
  /** Problems of a pool's scheduler config; an unknown scheduler is one, with a suggestion. */
  checkSchedulerConfig(name: string, config: JsonObject): readonly Problem[];
  /** Whether a runner lets the work of a rendered `with` be done twice. False for an unknown one, and where it fails. */
  isRunnerIdempotent(name: string, config: JsonObject): boolean;
  /** The JSON Schema of a runner's `with`; null for an unknown one. */
  runnerSchema(name: string): Json | null;
}

/**
 * Loads plugins one after the other: names of packages, or paths that begin with `.` or `/`. Nothing is scanned.
 *
 * @param folder What relative paths are relative to.
 * @param strangers Of the sources, those that did not come with Gantry: their schedulers get a thread of their own.
 */
export async function createRegistry(
  sources: readonly string[],
  folder: string,
  strangers: readonly string[] = [],
): Promise<Registry> {
  const active = new Map<string, Plugin>();
  const infos: PluginInfo[] = [];
  for (const source of sources) {
    const loaded = await load(source, folder, strangers.includes(source));
    if ('problem' in loaded) {
      infos.push(unusable(source, loaded.plugin, loaded.state, loaded.problem));
      continue;
    }
    const { plugin } = loaded;
    const key = `${plugin.kind} ${plugin.name}`;
    if (active.has(key)) {
      infos.push(
        unusable(
          source,
          plugin,
          'FAILED',
          `There is already a ${plugin.kind} named ${plugin.name}; leave one of them out.`,
        ),
      );
      continue;
    }
    active.set(key, plugin);
    infos.push({
      kind: plugin.kind === 'scheduler' ? 'SCHEDULER' : 'RUNNER',
      name: plugin.name,
      version: plugin.version,
      contract: plugin.contract,
      summary: plugin.summary,
      state: 'ACTIVE',
      problem: null,
      configSchema: plugin.config.jsonSchema,
      source,
    });
  }
  const find = <Kind extends Plugin['kind']>(kind: Kind, name: string) =>
    (active.get(`${kind} ${name}`) as Extract<Plugin, { kind: Kind }> | undefined) ?? null;
  const names = (kind: Plugin['kind']) =>
    [...active.values()]
      .filter((plugin) => plugin.kind === kind)
      .map(({ name }) => name)
      .sort();
  const checkConfig = (kind: Plugin['kind'], name: string, config: JsonObject): readonly Problem[] => {
    const plugin = find(kind, name);
    if (!plugin) {
      const known = names(kind);
      const suggestion = didYouMean(name, known);
      const remedy = suggestion
        ? `Did you mean ${suggestion}?`
        : known.length > 0
          ? `There are: ${known.join(', ')}.`
          : `No ${kind} is loaded: see the list of plugins.`;
      return [{ code: `UNKNOWN_${kind.toUpperCase()}`, message: `There is no ${kind} ${name}.`, remedy, path: [] }];
    }
    const checked = checkSafely(plugin, config);
    return checked.ok ? [] : checked.problems;
  };
  return {
    scheduler: (name) => find('scheduler', name),
    runner: (name) => find('runner', name),
    list: () => infos,
    names,
    isRunnerIdempotent: (name, config) => saysIdempotent(find('runner', name), config),
    runnerSchema: (name) => find('runner', name)?.config.jsonSchema ?? null,
    checkRunnerConfig: (name, config) => checkConfig('runner', name, config),
    checkSchedulerConfig: (name, config) => checkConfig('scheduler', name, config),
  };
}

/** What a runner says of a config. Whoever says nothing, or fails at it, is not taken for somebody who says yes. */
export function saysIdempotent(runner: RunnerPlugin | null, config: JsonObject): boolean {
  if (runner?.isIdempotent === undefined) return false;
  try {
    const checked = runner.config.check(config);
    return checked.ok && runner.isIdempotent(checked.config) === true;
  } catch {
    return false;
  }
}

/** A plugin's own check, which must not throw, and might. */
function checkSafely(plugin: Plugin, config: JsonObject): ReturnType<Plugin['config']['check']> {
  try {
    const checked: unknown = plugin.config.check(config);
    const { ok, problems } = (checked ?? {}) as { readonly ok?: unknown; readonly problems?: unknown };
    if (ok !== true && !(ok === false && Array.isArray(problems))) throw new Error('its check returned no result');
    return checked as ReturnType<Plugin['config']['check']>;
  } catch (error) {
    return {
      ok: false,
      problems: [
        {
          code: 'PLUGIN_FAULT',
          message: `The ${plugin.kind} ${plugin.name} failed on this config: ${messageOf(error)}`,
          path: [],
        },
      ],
    };
  }
}

async function load(
  source: string,
  folder: string,
  isStrange: boolean,
): Promise<
  | { readonly plugin: Plugin }
  | { readonly plugin: unknown; readonly state: 'FAILED' | 'INCOMPATIBLE'; readonly problem: string }
> {
  const isPath = source.startsWith('.') || source.startsWith('/');
  try {
    const url = isPath ? pathToFileURL(resolve(folder, source)).href : import.meta.resolve(source);
    const module = (await import(url)) as { default?: unknown };
    const fault = faultOf(module.default);
    if (fault) return { plugin: module.default, ...fault };
    const plugin = module.default as Plugin;
    return { plugin: isStrange && plugin.kind === 'scheduler' ? isolated(plugin, url) : plugin };
  } catch (error) {
    const hint = isPath ? 'Is the path right, and does the file load by itself?' : 'Is the package installed?';
    return { plugin: null, state: 'FAILED', problem: `It could not be loaded: ${messageOf(error)}. ${hint}` };
  }
}

/** What was thrown, in words: a plugin may throw anything. */
function messageOf(thrown: unknown): string {
  try {
    return thrown instanceof Error ? thrown.message : String(thrown);
  } catch {
    return 'something that cannot be shown was thrown';
  }
}

function unusable(source: string, plugin: unknown, state: 'FAILED' | 'INCOMPATIBLE', problem: string): PluginInfo {
  const header = (typeof plugin === 'object' && plugin !== null ? plugin : {}) as Record<string, unknown>;
  const text = (key: string) => (typeof header[key] === 'string' ? header[key] : null);
  return {
    kind: header['kind'] === 'scheduler' ? 'SCHEDULER' : header['kind'] === 'runner' ? 'RUNNER' : null,
    name: text('name') ?? source,
    version: text('version'),
    contract: text('contract'),
    summary: text('summary') ?? '',
    state,
    problem,
    configSchema: null,
    source,
  };
}
