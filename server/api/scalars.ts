import { Kind, valueFromASTUntyped, type ValueNode } from 'graphql';
import { inexactMessage, inexactRemedy, isExactNumber, placeText } from '@gantry/plugin-kit/exact-json';
import { formatIsoDuration, parseDuration } from '../domain/time.ts';
import { builder } from './builder.ts';
import { formatDateTime } from './date-time.ts';
import { badInput } from './errors.ts';

const DATE_TIME = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?(?:Z|[+-]\d{2}:\d{2})$/i;

function readDateTime(value: unknown): number {
  const ms = typeof value === 'string' && DATE_TIME.test(value) ? Date.parse(value) : Number.NaN;
  if (Number.isNaN(ms)) {
    throw badInput('A DateTime is written as in ISO 8601 with its zone, for example "2026-01-31T12:00:00Z".');
  }
  return ms;
}

function readDuration(value: unknown): number {
  if (typeof value !== 'string') throw badInput('A Duration is a string, for example "90s", "1h30m" or "PT90S".');
  const parsed = parseDuration(value);
  if (!parsed.ok) throw badInput(parsed.reason.message);
  return parsed.ms;
}

builder.scalarType('DateTime', {
  description: 'A point in time, in ISO 8601 and UTC with milliseconds: `2026-01-31T12:00:00.000Z`.',
  serialize: formatDateTime,
  parseValue: readDateTime,
});

builder.scalarType('Duration', {
  description: 'A span of time. Written out in ISO 8601 (`PT1M30S`); read in that form and as `90s`, `1h30m`, `250ms`.',
  serialize: (ms) => formatIsoDuration(Math.max(0, Math.round(ms))),
  parseValue: readDuration,
});

builder.scalarType('JSON', {
  description: 'Any JSON value.',
  serialize: (value) => value,
  parseValue: (value) => value,
  parseLiteral: (node, variables) => {
    refuseLossy(node, []);
    return valueFromASTUntyped(node, variables);
  },
});

/** Refuses what would be another value as JSON: a name without quotes, a number that no double holds. */
function refuseLossy(node: ValueNode, path: readonly (string | number)[]): void {
  const where = path.length === 0 ? '' : `${placeText(path)}: `;
  if (node.kind === Kind.ENUM) throw badInput(`${where}${node.value} is not JSON. Write it in quotes.`);
  if (node.kind === Kind.INT || node.kind === Kind.FLOAT) {
    if (!isExactNumber(node.value))
      throw badInput(`${where}${inexactMessage(node.value)} ${inexactRemedy(node.value)}`);
  } else if (node.kind === Kind.LIST) {
    for (const [at, item] of node.values.entries()) refuseLossy(item, [...path, at]);
  } else if (node.kind === Kind.OBJECT) {
    for (const { name, value } of node.fields) refuseLossy(value, [...path, name.value]);
  }
}
