import { CONTRACT } from '@gantry/plugin-kit/vocabulary';
import type { RunnerPlugin } from '@gantry/plugin-kit/runner';
import type { SchedulerPlugin } from '@gantry/plugin-kit/scheduler';

export type Plugin = SchedulerPlugin | RunnerPlugin;

/** What is wrong with a plugin. INCOMPATIBLE: it was built for another contract. */
export interface Fault {
  readonly state: 'FAILED' | 'INCOMPATIBLE';
  readonly problem: string;
}

const NAME = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/;
const VERSION = /^\d+\.\d+\.\d+(-[0-9A-Za-z.-]+)?(\+[0-9A-Za-z.-]+)?$/;

/** Looks a default export over before anything of it is used; null when it is a plugin that this server can run. */
export function faultOf(exported: unknown): Fault | null {
  const failed = (problem: string): Fault => ({ state: 'FAILED', problem });
  if (typeof exported !== 'object' || exported === null)
    return failed('Its default export is not a plugin: use defineRunner or defineScheduler.');
  const plugin = exported as Record<string, unknown>;
  if (plugin['kind'] !== 'scheduler' && plugin['kind'] !== 'runner')
    return failed(`Its kind is ${String(plugin['kind'])}; a plugin is a scheduler or a runner.`);
  if (typeof plugin['name'] !== 'string' || !NAME.test(plugin['name']))
    return failed(`Its name is ${String(plugin['name'])}; names are lower case letters, digits and dashes.`);
  if (typeof plugin['version'] !== 'string' || !VERSION.test(plugin['version']))
    return failed(`Its version is ${String(plugin['version'])}, which is not a semantic version.`);
  if (typeof plugin['summary'] !== 'string') return failed('It has no `summary`: one sentence for lists and forms.');
  const contract = contractFault(plugin['contract']);
  if (contract) return contract;
  const config = plugin['config'] as Record<string, unknown> | undefined;
  if (typeof config?.['check'] !== 'function') return failed('Its config has no function `check`: use zodConfig.');
  if (typeof config['jsonSchema'] !== 'object' || config['jsonSchema'] === null)
    return failed('Its config has no `jsonSchema`: use zodConfig.');
  const verb = plugin['kind'] === 'scheduler' ? 'place' : 'run';
  if (typeof plugin[verb] !== 'function') return failed(`A ${plugin['kind']} must have a function \`${verb}\`.`);
  for (const name of plugin['kind'] === 'runner'
    ? ['reattach', 'handleOf', 'forget', 'isIdempotent', 'detect', 'close']
    : []) {
    if (plugin[name] !== undefined && typeof plugin[name] !== 'function')
      return failed(`Its \`${name}\` must be a function, or be left out.`);
  }
  if (plugin['handleOf'] !== undefined && plugin['reattach'] === undefined)
    return failed('It has a `handleOf`, but no `reattach` that takes its handles: add one, or leave both out.');
  return null;
}

function contractFault(contract: unknown): Fault | null {
  const [major, minor] = CONTRACT.split('.').map(Number) as [number, number];
  const built = typeof contract === 'string' ? /^(\d+)\.(\d+)$/.exec(contract) : null;
  if (!built)
    return {
      state: 'FAILED',
      problem: `Its contract is ${String(contract)}; it must say for which version it was built, such as ${CONTRACT}.`,
    };
  if (Number(built[1]) === major && Number(built[2]) <= minor) return null;
  return {
    state: 'INCOMPATIBLE',
    problem: `Built for contract ${contract as string}; this Gantry speaks ${major}.0 to ${CONTRACT}.`,
  };
}
