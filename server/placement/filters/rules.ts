import { labelOf, meetsRule, NODE_NAME, ruleText } from '../../domain/label-rule.ts';
import type { Filter } from '../filter.ts';

/** The node meets everything that the task's placement rules require of its labels. */
export const rules: Filter = {
  code: 'RULE_NOT_MET',
  tier: 'CONSTRAINT',
  undoneBy: ['NODE_JOINED', 'LABELS_CHANGED'],
  refuse(shape, { name, labels }) {
    const broken = shape.rules?.require.find((rule) => !meetsRule(rule, name, labels));
    if (broken === undefined) return null;
    const value = labelOf(broken.label, name, labels);
    const found =
      value === undefined ? `has no label ${broken.label}` : broken.label === NODE_NAME ? 'is another' : `has ${value}`;
    return {
      code: rules.code,
      message: `Node ${name} ${found}; the task requires ${ruleText(broken)}.`,
      remedy: `Drop “${ruleText(broken)}” from the task’s placement, or change the label of ${name}.`,
      relief: `drop “${ruleText(broken)}”`,
    };
  },
};
