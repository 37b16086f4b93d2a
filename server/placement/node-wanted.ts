import { minVersion } from 'semver';
import { NODE_NAME, type LabelRule } from '../domain/label-rule.ts';
import { formatQuantity } from '../domain/resources.ts';
import type { ClusterNode } from './filter.ts';
import { passesAll } from './feasibility.ts';
import type { TaskShape } from './shape.ts';

/**
 * The least node that takes a task of a shape: with what it asks for and nothing else. Null when none can be thought of:
 * the task wants a node of a certain name, or a label that matches an expression.
 *
 * @param domain Where the next task of its spread must go; undefined when it may go anywhere.
 */
export function nodeWantedBy(shape: TaskShape, domain: string | null | undefined): ClusterNode | null {
  const labels: Record<string, string> = { ...shape.nodeSelector };
  for (const rule of shape.rules?.require ?? []) {
    if (rule.label === NODE_NAME) continue;
    const value = labels[rule.label] ?? exampleFor(rule);
    if (value !== null) labels[rule.label] = value;
  }
  const spread = shape.rules?.spread;
  if (spread?.required === true && spread.label !== NODE_NAME) labels[spread.label] ??= domain ?? 'a';
  const node: ClusterNode = {
    name: 'another node',
    labels,
    taints: [],
    runners: [{ name: shape.runner, version: '', health: 'HEALTHY' }],
    capacity: shape.resources,
    eligibility: 'ELIGIBLE',
    connection: 'READY',
  };
  const isInDomain =
    spread?.required !== true ||
    domain === null ||
    domain === undefined ||
    (spread.label !== NODE_NAME && labels[spread.label] === domain);
  return isInDomain && passesAll(shape, node) ? node : null;
}

/** What a person needs to know to add such a node: `a node with 2 of gpu, zone=a and the runner shell`. */
export function wantedText(node: ClusterNode | null, count = 1): string | null {
  if (node === null) return null;
  const parts = [
    ...Object.entries(node.capacity).flatMap(([name, amount]) =>
      amount > 0 ? `${formatQuantity(name, amount)} of ${name}` : [],
    ),
    ...Object.entries(node.labels).map(([label, value]) => `${label}=${value}`),
  ];
  const runner = `the runner ${node.runners[0]!.name}`;
  const what = parts.length === 0 ? runner : `${parts.join(', ')} and ${runner}`;
  return count === 1 ? `add a node with ${what}` : `add ${count} nodes, each with ${what}`;
}

/** A value that meets a rule; null when the label had better be absent, or nobody knows one. */
function exampleFor({ operator, values }: LabelRule): string | null {
  const [value = ''] = values;
  switch (operator) {
    case 'IN':
    case 'CONTAINS_ANY':
      return value;
    case 'EXISTS':
      return 'true';
    case 'GREATER':
      return String(Number(value) + 1);
    case 'LESS':
      return String(Number(value) - 1);
    case 'VERSION':
      return minVersion(value)?.version ?? null;
    case 'CONTAINS_ALL':
      return values.join(',');
    case 'NOT_IN':
    case 'ABSENT':
    case 'MATCHES':
      return null;
    default:
      return operator satisfies never;
  }
}
