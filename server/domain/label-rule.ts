import type { Reason } from '@gantry/plugin-kit/vocabulary';
import { RE2JS } from 're2js';
import { coerce, satisfies, validRange } from 'semver';
import { excerpt } from './excerpt.ts';

/**
 * A condition on one label of a node. `node.name` is the node's name, which every node has.
 *
 * - `IN`, `NOT_IN`: the value is one of `values`, or is none of them; a node without the label is in none.
 * - `EXISTS`, `ABSENT`: whether the node has the label at all.
 * - `GREATER`, `LESS`: the value is a number above or below the one in `values`.
 * - `MATCHES`: the regular expression (RE2, so that none can take for ever) is found in the value.
 * - `VERSION`: the value is a version in the range, as in `>=535.1 <600`.
 * - `CONTAINS_ALL`, `CONTAINS_ANY`: the value is a list with commas that has all of `values`, or one of them.
 */
export interface LabelRule {
  readonly label: string;
  readonly operator: LabelOperator;
  readonly values: readonly string[];
}

export const LABEL_OPERATORS = [
  'IN',
  'NOT_IN',
  'EXISTS',
  'ABSENT',
  'GREATER',
  'LESS',
  'MATCHES',
  'VERSION',
  'CONTAINS_ALL',
  'CONTAINS_ANY',
] as const;
export type LabelOperator = (typeof LABEL_OPERATORS)[number];

/** The label that every node has. */
export const NODE_NAME = 'node.name';

const MAX_PATTERNS = 1_000;
const patterns = new Map<string, RE2JS>();

/** The value of a label, with that of `node.name`; undefined when the node lacks it. */
export function labelOf(label: string, name: string, labels: Readonly<Record<string, string>>): string | undefined {
  if (label === NODE_NAME) return name;
  return Object.hasOwn(labels, label) ? labels[label] : undefined;
}

/** Whether a node of this name with these labels meets the rule. */
export function meetsRule(
  { label, operator, values }: LabelRule,
  name: string,
  labels: Readonly<Record<string, string>>,
): boolean {
  const value = labelOf(label, name, labels);
  switch (operator) {
    case 'EXISTS':
      return value !== undefined;
    case 'ABSENT':
      return value === undefined;
    case 'NOT_IN':
      return value === undefined || !values.includes(value);
    case 'IN':
      return value !== undefined && values.includes(value);
    case 'GREATER':
      return value !== undefined && numberOf(value) > Number(values[0]);
    case 'LESS':
      return value !== undefined && numberOf(value) < Number(values[0]);
    case 'MATCHES':
      return value !== undefined && patternOf(values[0]!).matcher(value).find();
    case 'VERSION': {
      const version = value === undefined ? null : coerce(value, { loose: true });
      return version !== null && satisfies(version, values[0]!);
    }
    case 'CONTAINS_ALL':
      return value !== undefined && values.every((each) => listOf(value).includes(each));
    case 'CONTAINS_ANY':
      return value !== undefined && values.some((each) => listOf(value).includes(each));
    default:
      return operator satisfies never;
  }
}

/** What is wrong with a rule's operands; null when nothing is. */
export function faultOfRule({ operator, values }: LabelRule): Reason | null {
  const [value = ''] = values;
  switch (operator) {
    case 'GREATER':
    case 'LESS':
      if (value.trim() !== '' && Number.isFinite(Number(value))) return null;
      return { code: 'BAD_VALUE', message: `“${excerpt(value)}” is not a number.` };
    case 'VERSION':
      if (validRange(value) !== null) return null;
      return {
        code: 'BAD_VALUE',
        message: `“${excerpt(value)}” is not a range of versions.`,
        remedy: 'Write for example >=12.2, ^535.1 or >=1.2 <2.',
      };
    case 'MATCHES':
      try {
        patternOf(value);
        return null;
      } catch (error) {
        const message = `“${excerpt(value)}” is not a regular expression: ${(error as Error).message}.`;
        return { code: 'BAD_VALUE', message, remedy: 'It is RE2: no back references and no look-around.' };
      }
    default:
      return null;
  }
}

/** A rule as a person would write it: `zone in (a, b)`, `cores > 8`. */
export function ruleText({ label, operator, values }: LabelRule): string {
  const [value = ''] = values;
  switch (operator) {
    case 'IN':
      return values.length === 1 ? `${label}=${value}` : `${label} in (${values.join(', ')})`;
    case 'NOT_IN':
      return values.length === 1 ? `${label}≠${value}` : `${label} not in (${values.join(', ')})`;
    case 'EXISTS':
      return `${label} exists`;
    case 'ABSENT':
      return `${label} is absent`;
    case 'GREATER':
      return `${label} > ${value}`;
    case 'LESS':
      return `${label} < ${value}`;
    case 'MATCHES':
      return `${label} matches ${value}`;
    case 'VERSION':
      return `${label} is a version ${value}`;
    case 'CONTAINS_ALL':
      return `${label} contains ${values.join(', ')}`;
    case 'CONTAINS_ANY':
      return `${label} contains one of ${values.join(', ')}`;
    default:
      return operator satisfies never;
  }
}

const numberOf = (value: string): number => (value.trim() === '' ? Number.NaN : Number(value));
const listOf = (value: string): readonly string[] => value.split(',').map((each) => each.trim());

/** Compiled once; throws for what is no expression. */
function patternOf(pattern: string): RE2JS {
  let compiled = patterns.get(pattern);
  if (compiled === undefined) {
    compiled = RE2JS.compile(pattern);
    if (patterns.size >= MAX_PATTERNS) patterns.clear();
    patterns.set(pattern, compiled);
  }
  return compiled;
}
