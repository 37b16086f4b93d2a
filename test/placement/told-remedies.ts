import { parseQuantity } from '../../server/domain/resources.ts';
import { ruleText } from '../../server/domain/label-rule.ts';
import type { Node } from '../../server/domain/node.ts';
import { makeShape, type TaskShape } from '../../server/placement/shape.ts';
import { aNode } from './cluster.ts';

/** What runs in a cluster that a test has made up. */
export interface Attempt {
  readonly node: string;
  readonly shape: TaskShape;
  readonly gpus: readonly number[];
}

/** A cluster and a task that waits for it, as plain data: changes are made to a copy. */
export interface Situation {
  readonly nodes: readonly Node[];
  readonly attempts: readonly Attempt[];
  readonly shape: TaskShape;
  readonly gangSize: number;
}

/**
 * A situation after what a sentence orders has been done at a node, understood as a person would: by its words. Throws
 * for words that nobody taught it.
 */
export function obeyed(situation: Situation, sentence: string, at: string): Situation {
  return sentence.split(', and ').reduce((changed, order) => obeyedOne(changed, order, at), situation);
}

function obeyedOne(situation: Situation, order: string, at: string): Situation {
  const words = order.slice(0, 1).toLowerCase() + order.slice(1);
  for (const [pattern, effect] of ORDERS) {
    const match = pattern.exec(words);
    if (match !== null) return effect(situation, at, match.slice(1));
  }
  throw new Error(`Nobody knows what to do: ${order}`);
}

type Effect = (situation: Situation, at: string, words: readonly string[]) => Situation;

const onNode =
  (change: (node: Node, words: readonly string[]) => Partial<Node>): Effect =>
  (situation, at, words) => ({
    ...situation,
    nodes: situation.nodes.map((node) => (node.name === at ? { ...node, ...change(node, words) } : node)),
  });

const onTask =
  (change: (shape: TaskShape, words: readonly string[]) => Partial<TaskShape>): Effect =>
  (situation, _at, words) => ({
    ...situation,
    shape: makeShape({ ...situation.shape, ...change(situation.shape, words) }),
  });

const rulesOf = (shape: TaskShape): NonNullable<TaskShape['rules']> => shape.rules!;

function withRunner(node: Node, name: string): Partial<Node> {
  const others = node.runners.filter((runner) => runner.name !== name);
  return { runners: [...others, { name, version: '1.0.0', health: 'HEALTHY' }] };
}

function amountOf(resource: string, text: string): number {
  const parsed = parseQuantity(resource, text);
  if (!parsed.ok) throw new Error(`Nobody can write ${text} of ${resource}.`);
  return parsed.amount;
}

/** Takes an amount off what runs on a node. */
function freed(situation: Situation, at: string, resource: string, amount: number): Situation {
  let left = amount;
  const attempts = situation.attempts.map((attempt) => {
    const held = attempt.shape.resources[resource] ?? 0;
    if (attempt.node !== at || held === 0 || left === 0) return attempt;
    const given = Math.min(held, left);
    left -= given;
    return {
      ...attempt,
      shape: makeShape({ ...attempt.shape, resources: { ...attempt.shape.resources, [resource]: held - given } }),
    };
  });
  // What is told is rounded up, and may be a little more than there is.
  if (left > amount / 10) throw new Error(`${at} cannot give back ${amount} of ${resource}: less is held there.`);
  return { ...situation, attempts };
}

/** Sets what is held of each GPU of a node, as many small attempts. */
function regripped(
  situation: Situation,
  at: string,
  change: (held: readonly number[]) => readonly number[],
): Situation {
  const node = situation.nodes.find(({ name }) => name === at)!;
  const held = Array.from({ length: (node.capacity['gpu'] ?? 0) / 1_000 }, () => 0);
  const others = situation.attempts.map((attempt) => {
    if (attempt.node !== at) return attempt;
    const { gpu = 0, ...resources } = attempt.shape.resources;
    for (const each of attempt.gpus) held[each]! += Math.min(1_000, gpu);
    return { ...attempt, gpus: [], shape: makeShape({ ...attempt.shape, resources }) };
  });
  const grips = change(held).flatMap((share, gpu) => {
    if (share < 0) throw new Error(`GPU ${gpu} of ${at} cannot give back more than is held of it.`);
    const shape = makeShape({ runner: 'mock', nodeSelector: {}, tolerations: [], resources: { gpu: share } });
    return share === 0 ? [] : [{ node: at, shape, gpus: [gpu] }];
  });
  return { ...situation, attempts: [...others, ...grips] };
}

/** Every attempt and the task itself, where they share the task's limit per node. */
function withLimit(situation: Situation, max: number): Situation {
  const { scope } = rulesOf(situation.shape).perNode!;
  const raised = (shape: TaskShape): TaskShape =>
    shape.rules?.perNode?.scope === scope
      ? makeShape({ ...shape, rules: { ...shape.rules, perNode: { scope, max } } })
      : shape;
  return {
    ...situation,
    shape: raised(situation.shape),
    attempts: situation.attempts.map((attempt) => ({ ...attempt, shape: raised(attempt.shape) })),
  };
}

const emptied: Effect = (situation, at) => ({
  ...situation,
  attempts: situation.attempts.filter(({ node }) => node !== at),
});

const ORDERS: readonly (readonly [RegExp, Effect])[] = [
  [/^start the agent again$/, onNode(() => ({ connection: 'READY' }))],
  [/^wait until the agent is heard again$/, onNode(() => ({ connection: 'READY' }))],
  [/^uncordon$/, onNode(() => ({ eligibility: 'ELIGIBLE' }))],
  [/^install what (\S+) needs$/, onNode((node, [name]) => withRunner(node, name!))],
  [/^repair (\S+)$/, onNode((node, [name]) => withRunner(node, name!))],
  [
    /^give it the label (\S+)=(\S+)$/,
    onNode(({ labels }, [key, value]) => ({ labels: { ...labels, [key!]: value! } })),
  ],
  [
    /^take the taint ([^\s=]+)(?:=(\S+))? off$/,
    onNode(({ taints }, [key, value]) => ({
      taints: taints.filter((taint) => taint.key !== key || taint.value !== value),
    })),
  ],
  [/^drop “exclusive”$/, onTask((shape) => ({ rules: { ...rulesOf(shape), exclusive: false } }))],
  [
    /^drop “(.*)”$/,
    onTask((shape, [text]) => {
      const { require } = rulesOf(shape);
      const left = require.filter((rule) => ruleText(rule) !== text);
      if (left.length === require.length) throw new Error(`The task has no rule ${text}.`);
      return { rules: { ...rulesOf(shape), require: left } };
    }),
  ],
  [
    /^drop (\S+)=(\S+)$/,
    onTask(({ nodeSelector }, [key]) => {
      const { [key!]: _dropped, ...left } = nodeSelector;
      return { nodeSelector: left };
    }),
  ],
  [
    /^tolerate ([^\s=]+)(?:=(\S+))?$/,
    onTask(({ tolerations }, [key, value]) => ({
      tolerations: [...tolerations, value === undefined ? { key: key! } : { key: key!, value }],
    })),
  ],
  [/^do without (\S+)$/, onTask(({ resources }, [name]) => ({ resources: { ...resources, [name!]: 0 } }))],
  [
    /^ask for at most (\S+) of (\S+)$/,
    onTask(({ resources }, [text, name]) => ({ resources: { ...resources, [name!]: amountOf(name!, text!) } })),
  ],
  [
    /^free (\S+) more of gpu (\d+)$/,
    (situation, at, [text, gpu]) =>
      regripped(situation, at, (held) =>
        held.map((share, index) => (index === Number(gpu) ? share - amountOf('gpu', text!) : share)),
      ),
  ],
  [
    /^empty (one|\d+) more gpus?$/,
    (situation, at, [count]) =>
      regripped(situation, at, (held) => {
        let left = count === 'one' ? 1 : Number(count);
        return held.map((share) => (share > 0 && left-- > 0 ? 0 : share));
      }),
  ],
  [/^free (\S+) more of (\S+)$/, (situation, at, [text, name]) => freed(situation, at, name!, amountOf(name!, text!))],
  [/^raise maxPerNode to (\d+)$/, (situation, _at, [max]) => withLimit(situation, Number(max))],
  [
    /^wait until one of those that maxPerNode counts has ended$/,
    (situation, at) => {
      const { scope } = rulesOf(situation.shape).perNode!;
      const one = situation.attempts.find(({ node, shape }) => node === at && shape.rules?.perNode?.scope === scope);
      return { ...situation, attempts: situation.attempts.filter((attempt) => attempt !== one) };
    },
  ],
  [/^wait until the exclusive task there has ended$/, emptied],
  [/^wait until the node is empty$/, emptied],
  [
    /^let the spread be preferred instead of required$/,
    onTask((shape) => ({ rules: { ...rulesOf(shape), spread: { ...rulesOf(shape).spread!, required: false } } })),
  ],
];

/** The situation with the nodes that a remedy says to add, and their names; null when it says nothing of that. */
export function withNodeAdded(situation: Situation, remedy: string): (Situation & { readonly added: string }) | null {
  const match = /add (?:a node|(\d+) nodes, each) with (?:(.*) and )?the runner (\S+?)\.$/i.exec(remedy);
  if (match === null) return null;
  const [, count = '1', parts = '', runner = ''] = match;
  const capacity: Record<string, number> = {};
  const labels: Record<string, string> = {};
  for (const part of parts.split(', ')) {
    const [, amount, resource] = /^(\S+) of (\S+)$/.exec(part) ?? [];
    const [, key, value] = /^([^\s=]+)=(\S+)$/.exec(part) ?? [];
    if (resource !== undefined) capacity[resource] = amountOf(resource, amount!);
    else if (key !== undefined) labels[key] = value!;
  }
  const names = Array.from({ length: Number(count) }, (_, at) => `new-${at}`);
  const runners = [{ name: runner, version: '1.0.0', health: 'HEALTHY' as const }];
  const nodes = names.map((name) => aNode(name, { capacity, labels, taints: [], runners }));
  return { ...situation, nodes: [...situation.nodes, ...nodes], added: names[0]! };
}
