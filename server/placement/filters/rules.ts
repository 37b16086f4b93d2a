import { labelOf, meetsRule, NODE_NAME, ruleText } from '../../domain/label-rule.ts';
import type { Filter } from '../filter.ts';

/** The node meets everything that the task's placement rules require of its labels. */
export const rules: Filter = {
  code: 'RULE_NOT_MET',
  tier: 'CONSTRAINT',
  undoneBy: ['NODE_JOINED', 'LABELS_CHANGED'],
  passes: (shape, { name, labels }) => shape.rules?.require.every((rule) => meetsRule(rule, name, labels)) ?? true,
  refuse(shape, { name, labels }) {
    const broken = shape.rules?.require.filter((rule) => !meetsRule(rule, name, labels)) ?? [];
    return broken.map((rule) => {
      const value = labelOf(rule.label, name, labels);
      const found =
        value === undefined ? `has no label ${rule.label}` : rule.label === NODE_NAME ? 'is another' : `has ${value}`;
      return {
        code: rules.code,
        message: `Node ${name} ${found}; the task requires ${ruleText(rule)}.`,
        ways: [{ kind: 'DROP_RULE', rule }],
      };
    });
  },
};
