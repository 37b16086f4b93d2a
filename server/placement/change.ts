import { GPU, shareOf } from '@gantry/plugin-kit/gpus';
import { ruleText, type LabelRule } from '../domain/label-rule.ts';
import { DISK_FULL_TAINT, type Taint } from '../domain/node.ts';
import { formatQuantity, parseQuantity, roundedQuantity } from '../domain/resources.ts';
import type { ClusterNode } from './filter.ts';
import { makeShape, type TaskShape } from './shape.ts';

/**
 * One thing that a person can do so that a node takes a task: to the node, to what runs there, or to the task. A remedy
 * is a list of them, and is only told when a trial of exactly this has made the task fit.
 */
export type Change =
  /** The agent of a lost node is started again, or that of a suspect one is heard again. */
  | { readonly kind: 'RECONNECT'; readonly isLost: boolean }
  | { readonly kind: 'UNCORDON' }
  /** Files are removed from the node's full disk. */
  | { readonly kind: 'FREE_DISK' }
  /** What a runner needs is installed, or mended. */
  | { readonly kind: 'RUNNER'; readonly runner: string; readonly isAbsent: boolean }
  | { readonly kind: 'SET_LABEL'; readonly label: string; readonly value: string }
  | { readonly kind: 'UNTAINT'; readonly taint: Taint }
  /** Out of the task's `nodeSelector`. */
  | { readonly kind: 'DROP_LABEL'; readonly label: string; readonly value: string }
  /** Out of the task's placement. */
  | { readonly kind: 'DROP_RULE'; readonly rule: LabelRule & { readonly isNear?: true } }
  | { readonly kind: 'TOLERATE'; readonly taint: Taint }
  /** The task asks for at most so much; 0: it does without. */
  | { readonly kind: 'ASK'; readonly resource: string; readonly amount: number }
  /** What runs on the node gives back so much more. */
  | { readonly kind: 'FREE'; readonly resource: string; readonly amount: number }
  /** What runs on one GPU gives back so many thousandths more. */
  | { readonly kind: 'FREE_GPU'; readonly gpu: number; readonly amount: number }
  /** So many more GPUs become wholly free, whichever they are. */
  | { readonly kind: 'EMPTY_GPUS'; readonly count: number }
  | { readonly kind: 'RAISE_LIMIT'; readonly max: number }
  /** One of those whom a limit per node counts ends. */
  | { readonly kind: 'END_ONE' }
  /** The task gives up having the node for itself. */
  | { readonly kind: 'SHARE' }
  /** Everything that runs on the node ends: one task that has it for itself, or whatever there is. */
  | { readonly kind: 'EMPTY'; readonly isExclusive: boolean }
  /** The task's spread is preferred instead of required. */
  | { readonly kind: 'PREFER_SPREAD' };

/**
 * As an order. Without a node it names none, so that nodes which ask for the same are told in one sentence.
 *
 * @param node The name of the node where it is to be done.
 */
export function orderOf(change: Change, node?: string): string {
  const on = node === undefined ? '' : ` on ${node}`;
  const of = node === undefined ? '' : ` of ${node}`;
  switch (change.kind) {
    case 'RECONNECT':
      return change.isLost ? `start the agent${of} again` : `wait until the agent${of} is heard again`;
    case 'UNCORDON':
      return node === undefined ? 'uncordon' : `uncordon ${node}`;
    case 'FREE_DISK':
      return `free space on the disk${of}`;
    case 'RUNNER':
      return change.isAbsent ? `install what ${change.runner} needs${on}` : `repair ${change.runner}${on}`;
    case 'SET_LABEL':
      return `give ${node ?? 'it'} the label ${change.label}=${change.value}`;
    case 'UNTAINT':
      return `take the taint ${taintText(change.taint)} off${node === undefined ? '' : ` ${node}`}`;
    case 'DROP_LABEL':
      return `drop ${change.label}=${change.value}${node === undefined ? '' : ' from the task’s nodeSelector'}`;
    case 'DROP_RULE': {
      if (change.rule.isNear) return 'let “near” be preferred instead of required';
      return `drop “${ruleText(change.rule)}”${node === undefined ? '' : ' from the task’s placement'}`;
    }
    case 'TOLERATE':
      return `tolerate ${taintText(change.taint)}`;
    case 'ASK':
      if (change.amount === 0) return `do without ${change.resource}`;
      return `ask for at most ${roundedQuantity(change.resource, change.amount, 'down')} of ${change.resource}`;
    case 'FREE':
      return `free ${roundedQuantity(change.resource, change.amount, 'up')} more of ${change.resource}${on}`;
    case 'FREE_GPU':
      return `free ${formatQuantity(GPU, change.amount)} more of gpu ${change.gpu}${on}`;
    case 'EMPTY_GPUS':
      return `empty ${change.count === 1 ? 'one more gpu' : `${change.count} more gpus`}${on}`;
    case 'RAISE_LIMIT':
      return `raise maxPerNode to ${change.max}`;
    case 'END_ONE':
      return 'wait until one of those that maxPerNode counts has ended';
    case 'SHARE':
      return 'drop “exclusive”';
    case 'EMPTY':
      if (change.isExclusive)
        return `wait until the exclusive task ${node === undefined ? 'there' : `on ${node}`} has ended`;
      return `wait until ${node ?? 'the node'} is empty`;
    case 'PREFER_SPREAD':
      return 'let the spread be preferred instead of required';
    default:
      return change satisfies never;
  }
}

/** The same for changes that differ in nothing but an amount. */
export function kindKeyOf(change: Change): string {
  switch (change.kind) {
    case 'ASK':
      return `${change.amount === 0 ? 'WITHOUT' : 'ASK'} ${change.resource}`;
    case 'FREE':
      return `FREE ${change.resource}`;
    case 'FREE_GPU':
      return `FREE_GPU ${change.gpu}`;
    case 'EMPTY_GPUS':
    case 'RAISE_LIMIT':
    case 'UNCORDON':
    case 'SHARE':
    case 'PREFER_SPREAD':
      return change.kind;
    case 'DROP_LABEL':
    case 'SET_LABEL':
      return `${change.kind} ${change.label}=${change.value}`;
    default:
      return JSON.stringify(change);
  }
}

/** How much a change asks of people, among those of one kind: the one with the least is told. */
export function sizeOf(change: Change): number {
  switch (change.kind) {
    case 'ASK':
      return -change.amount;
    case 'FREE':
    case 'FREE_GPU':
      return change.amount;
    case 'EMPTY_GPUS':
      return change.count;
    case 'RAISE_LIMIT':
      return change.max;
    default:
      return 0;
  }
}

/** The change as it is told: with its amount rounded as the sentence rounds it. */
export function asTold(change: Change): Change {
  if (change.kind !== 'ASK' && change.kind !== 'FREE') return change;
  const toward = change.kind === 'ASK' ? 'down' : 'up';
  const parsed = parseQuantity(change.resource, roundedQuantity(change.resource, change.amount, toward));
  return parsed.ok ? { ...change, amount: parsed.amount } : change;
}

const TO_TASK: ReadonlySet<Change['kind']> = new Set([
  'DROP_LABEL',
  'DROP_RULE',
  'TOLERATE',
  'ASK',
  'RAISE_LIMIT',
  'SHARE',
  'PREFER_SPREAD',
]);

/** Whether a change is to the task, and not to a node or to what runs there. */
export const isToTask = ({ kind }: Change): boolean => TO_TASK.has(kind);

/** The task after a change to it; the same object when the change is to something else. */
export function changedShape(shape: TaskShape, change: Change): TaskShape {
  const { rules } = shape;
  switch (change.kind) {
    case 'DROP_LABEL': {
      const { [change.label]: _dropped, ...nodeSelector } = shape.nodeSelector;
      return makeShape({ ...shape, nodeSelector });
    }
    case 'DROP_RULE':
      return makeShape({
        ...shape,
        rules: rules && { ...rules, require: rules.require.filter((rule) => rule !== change.rule) },
      });
    case 'TOLERATE': {
      const { key, value } = change.taint;
      return makeShape({
        ...shape,
        tolerations: [...shape.tolerations, value === undefined ? { key } : { key, value }],
      });
    }
    case 'ASK':
      return makeShape({ ...shape, resources: { ...shape.resources, [change.resource]: change.amount } });
    case 'RAISE_LIMIT':
      return makeShape({
        ...shape,
        rules: rules && { ...rules, perNode: rules.perNode && { ...rules.perNode, max: change.max } },
      });
    case 'SHARE':
      return makeShape({ ...shape, rules: rules && { ...rules, exclusive: false } });
    case 'PREFER_SPREAD':
      return makeShape({
        ...shape,
        rules: rules && { ...rules, spread: rules.spread && { ...rules.spread, required: false } },
      });
    default:
      return shape;
  }
}

/** The node after a change to it; the same object when the change is to something else. */
export function changedNode(node: ClusterNode, change: Change): ClusterNode {
  switch (change.kind) {
    case 'RECONNECT':
      return { ...node, connection: 'READY' };
    case 'UNCORDON':
      return { ...node, eligibility: 'ELIGIBLE' };
    case 'FREE_DISK':
      return { ...node, taints: node.taints.filter(({ key }) => key !== DISK_FULL_TAINT) };
    case 'RUNNER': {
      const others = node.runners.filter(({ name }) => name !== change.runner);
      return { ...node, runners: [...others, { name: change.runner, version: '', health: 'HEALTHY' }] };
    }
    case 'SET_LABEL':
      return { ...node, labels: { ...node.labels, [change.label]: change.value } };
    case 'UNTAINT':
      return { ...node, taints: node.taints.filter((each) => each !== change.taint) };
    default:
      return node;
  }
}

/** What a change frees of a node's amounts, given what it has and what is free of its GPUs. */
export interface Freed {
  readonly resources: Readonly<Record<string, number>>;
  /** By GPU, in thousandths. */
  readonly gpus: readonly number[];
}

/** What is freed by changes to anything but what runs on the node. */
export const NOTHING: Freed = { resources: {}, gpus: [] };
const FREEING: ReadonlySet<Change['kind']> = new Set(['EMPTY', 'FREE', 'FREE_GPU', 'EMPTY_GPUS']);

/** What changes free in all; null for changes after which the node is empty. */
export function freedBy(changes: readonly Change[], gpus: readonly number[]): Freed | null {
  if (!changes.some(({ kind }) => FREEING.has(kind))) return NOTHING;
  const resources: Record<string, number> = Object.create(null) as Record<string, number>;
  const freed = gpus.map(() => 0);
  const add = (resource: string, amount: number): void =>
    void (resources[resource] = (resources[resource] ?? 0) + amount);
  for (const change of changes) {
    if (change.kind === 'EMPTY') return null;
    if (change.kind === 'FREE') add(change.resource, change.amount);
    if (change.kind === 'FREE_GPU') {
      freed[change.gpu]! += change.amount;
      add(GPU, change.amount);
    }
    if (change.kind === 'EMPTY_GPUS') {
      let left = change.count;
      for (let gpu = 0; gpu < gpus.length && left > 0; gpu++) {
        const held = shareOf(Infinity) - gpus[gpu]!;
        if (held <= 0) continue;
        left--;
        freed[gpu]! += held;
        add(GPU, held);
      }
    }
  }
  return { resources, gpus: freed };
}

/** A taint as a person writes it: `gpu=only`, `spot`. */
export const taintText = ({ key, value }: Taint): string => (value === undefined ? key : `${key}=${value}`);
