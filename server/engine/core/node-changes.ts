import type { Resources } from '@gantry/plugin-kit/vocabulary';
import type { NodeFacts, NodeRunner, Taint } from '../../domain/node.ts';
import type { NodeRecord } from '../../domain/node-record.ts';
import { roundedQuantity } from '../../domain/resources.ts';

type News = Pick<NodeRecord, 'type' | 'message'>;

/** What has become different about a node, for its history: runners that fail or recover one by one, the rest in one. */
export function nodeChanges(before: NodeFacts, after: NodeFacts): readonly News[] {
  const differences = [
    ...differing('pool', { '': before.pool }, { '': after.pool }),
    ...differing('capacity of', amountTexts(before.capacity), amountTexts(steady(before.capacity, after.capacity))),
    ...differing('label', before.labels, after.labels),
    ...differing('taint', taintTexts(before.taints), taintTexts(after.taints)),
    ...differing('runner', versions(before.runners), versions(after.runners)),
    ...differing('agent', { '': before.agentVersion }, { '': after.agentVersion }),
  ];
  const news: News[] = differences.length === 0 ? [] : [{ type: 'CHANGED', message: `${differences.join('; ')}.` }];
  const known = new Map(before.runners.map((runner) => [runner.name, runner]));
  for (const runner of after.runners) {
    const was = known.get(runner.name);
    if (was !== undefined && isUsable(was) !== isUsable(runner)) news.push(runnerNews(runner));
  }
  return news;
}

const isUsable = ({ health }: NodeRunner): boolean => health === 'HEALTHY';

function runnerNews(runner: NodeRunner): News {
  if (isUsable(runner)) return { type: 'RUNNER_RECOVERED', message: `${runner.name} can be used again.` };
  const state = runner.health === 'ABSENT' ? 'is not installed any more' : 'cannot be used';
  return { type: 'RUNNER_FAILED', message: `${runner.name} ${state}${runner.message ? `: ${runner.message}` : '.'}` };
}

const versions = (runners: readonly NodeRunner[]): Readonly<Record<string, string>> =>
  Object.fromEntries(runners.map(({ name, version }) => [name, version]));
const taintTexts = (taints: readonly Taint[]): Readonly<Record<string, string>> =>
  Object.fromEntries(taints.map(({ key, value }) => [key, value ?? 'set']));

/** What is free of a disk is another amount at each start: up to a tenth of it is no news. */
function steady({ disk: before }: Resources, after: Resources): Resources {
  const { disk } = after;
  if (before === undefined || disk === undefined || Math.abs(disk - before) > before / 10) return after;
  return { ...after, disk: before };
}

/** To a tenth of a unit. */
const amountTexts = (capacity: Resources): Readonly<Record<string, string>> =>
  Object.fromEntries(
    Object.entries(capacity).map(([name, amount]) => [name, roundedQuantity(name, amount ?? 0, 'down')]),
  );

type Values = Readonly<Record<string, string | undefined>>;

/** `label zone: a, now b`, for each that was added, taken away or changed; in the order of their names. */
function differing(what: string, before: Values, after: Values): string[] {
  const names = [...new Set([...Object.keys(before), ...Object.keys(after)])].sort();
  return names
    .filter((name) => before[name] !== after[name])
    .map((name) => {
      const subject = `${what} ${name}`.trimEnd();
      return `${subject}: ${before[name] ?? 'none'}, now ${after[name] ?? 'none'}`;
    });
}
