import { faultOfRule, type LabelOperator, type LabelRule } from '../domain/label-rule.ts';
import { ANYWHERE, type PlacementRules } from '../domain/placement-rules.ts';
import { parseDuration } from '../domain/time.ts';
import type { Path, ProblemList } from './problem.ts';
import type { PlacementForm } from './schema.ts';

type RuleForm = NonNullable<PlacementForm['require']>[number];

const OPERATORS: Readonly<Record<Exclude<keyof RuleForm, 'label'>, LabelOperator>> = {
  equals: 'IN',
  in: 'IN',
  notIn: 'NOT_IN',
  exists: 'EXISTS',
  gt: 'GREATER',
  lt: 'LESS',
  matches: 'MATCHES',
  version: 'VERSION',
  contains: 'CONTAINS_ALL',
  containsAny: 'CONTAINS_ANY',
};
const OPERATOR_NAMES = Object.keys(OPERATORS) as (keyof typeof OPERATORS)[];

/** What a task that does not say otherwise prefers by. */
const DEFAULT_WEIGHT = 50;

/** The rules with every default filled in; null for a task that may run anywhere. What is wrong is in the list. */
export function checkPlacement(
  form: PlacementForm | undefined,
  needs: readonly string[],
  path: Path,
  problems: ProblemList,
): PlacementRules | null {
  if (form === undefined) return null;
  const place = [...path, 'placement'];
  const rules: PlacementRules = {
    ...ANYWHERE,
    require: (form.require ?? []).map((rule, at) => ruleOf(rule, [...place, 'require', at], problems)),
    prefer: (form.prefer ?? []).map(({ weight = DEFAULT_WEIGHT, ...rule }, at) => ({
      ...ruleOf(rule, [...place, 'prefer', at], problems),
      weight,
    })),
    perNode: perNodeOf(form),
    exclusive: form.exclusive ?? false,
    spread: spreadOf(form),
    near: nearOf(form, needs, place, problems),
    gang: gangOf(form, place, problems),
  };
  return isAnywhere(rules) ? null : rules;
}

function ruleOf(form: RuleForm, path: Path, problems: ProblemList): LabelRule {
  const written = OPERATOR_NAMES.filter((name) => form[name] !== undefined);
  const [name = 'exists', second] = written;
  if (written.length !== 1) {
    const message =
      second === undefined
        ? `The rule about “${form.label}” does not say what its value must be.`
        : `The rule about “${form.label}” has both ${name} and ${second}.`;
    const suggestion = `Write exactly one of ${OPERATOR_NAMES.join(', ')}; more rules are more entries.`;
    problems.add({ code: 'BAD_VALUE', message, path, suggestion });
  }
  const value = form[name];
  const isAbsent = name === 'exists' && value === false;
  const operator = isAbsent ? 'ABSENT' : OPERATORS[name];
  const hasOperand = operator !== 'EXISTS' && operator !== 'ABSENT';
  const rule: LabelRule = {
    label: form.label,
    operator,
    values: hasOperand ? operandsOf(value, [...path, name], problems) : [],
  };
  const fault = hasOperand ? faultOfRule(rule) : null;
  if (fault !== null) problems.add({ ...fault, path: [...path, name], suggestion: fault.remedy });
  return rule;
}

/** Labels are text, so a number is compared as it is written: `equals: 3.10` is not 3.1. */
function operandsOf(value: unknown, path: Path, problems: ProblemList): readonly string[] {
  const text = (word: unknown, at: Path): string =>
    typeof word === 'string' ? word : (problems.sourceOf(at) ?? String(word));
  return Array.isArray(value) ? value.map((word, at) => text(word, [...path, at])) : [text(value, path)];
}

function perNodeOf({ maxPerNode }: PlacementForm): PlacementRules['perNode'] {
  if (maxPerNode === undefined) return null;
  if (typeof maxPerNode === 'number') return { max: maxPerNode, among: 'TASK' };
  const { max, among = 'task' } = maxPerNode;
  return { max, among: among === 'task' ? 'TASK' : among === 'run' ? 'RUN' : 'PIPELINE' };
}

function spreadOf({ spread }: PlacementForm): PlacementRules['spread'] {
  if (spread === undefined) return null;
  if (typeof spread === 'string') return { label: spread, required: false };
  return { label: spread.by, required: spread.required ?? false };
}

function nearOf(
  { near }: PlacementForm,
  needs: readonly string[],
  path: Path,
  problems: ProblemList,
): PlacementRules['near'] {
  if (near === undefined) return null;
  const rule = typeof near === 'string' ? { task: near } : near;
  if (!needs.includes(rule.task)) {
    problems.add({
      code: 'UNKNOWN_TASK',
      message: `“near” names “${rule.task}”, which this task does not need.`,
      path: typeof near === 'string' ? [...path, 'near'] : [...path, 'near', 'task'],
      suggestion: needs.length > 0 ? `It needs: ${needs.join(', ')}.` : 'Add it to `needs`.',
    });
  }
  return { task: rule.task, required: rule.required ?? false, weight: rule.weight ?? DEFAULT_WEIGHT };
}

function gangOf({ gang }: PlacementForm, path: Path, problems: ProblemList): PlacementRules['gang'] {
  if (gang === undefined || gang === false) return null;
  if (gang === true || gang.timeout === undefined) return { timeoutMs: null };
  const parsed = parseDuration(gang.timeout);
  if (parsed.ok) return { timeoutMs: parsed.ms };
  problems.add({ ...parsed.reason, path: [...path, 'gang', 'timeout'], suggestion: parsed.reason.remedy });
  return null;
}

const isAnywhere = ({ require, prefer, perNode, exclusive, spread, near, gang }: PlacementRules): boolean =>
  require.length === 0 &&
  prefer.length === 0 &&
  perNode === null &&
  !exclusive &&
  spread === null &&
  near === null &&
  gang === null;
