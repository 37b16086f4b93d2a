import { Kind, valueFromASTUntyped } from 'graphql';
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
    if (node.kind === Kind.ENUM) throw badInput(`${node.value} is not JSON. Write it in quotes.`);
    return valueFromASTUntyped(node, variables);
  },
});
