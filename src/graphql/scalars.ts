import { GraphQLError } from 'graphql';
import type { Json } from '../events/canonical-json.ts';
import { builder } from './builder.ts';

/** Deeper values could exhaust the stack of whatever walks them. Inputs have tighter rules, and errors with a path. */
const maxJsonDepth = 64;

const rfc3339 = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{1,9})?(Z|[+-]\d{2}:\d{2})$/;

builder.scalarType('DateTime', {
  description: 'A moment as RFC 3339: `2026-11-21T02:15:00.101Z`. Answers are always in UTC, to the millisecond.',
  serialize: (date) => date.toISOString(),
  parseValue: parseDateTime,
});

builder.scalarType('JSON', {
  description: `Any JSON value, nested at most ${maxJsonDepth} deep.`,
  serialize: (value) => value,
  parseValue: (value) => {
    requireJson(value, maxJsonDepth);
    return value;
  },
});

function parseDateTime(value: unknown): Date {
  const date = typeof value === 'string' && rfc3339.test(value) ? new Date(value) : undefined;
  if (date && !Number.isNaN(date.getTime())) return date;
  throw new GraphQLError('Write a moment as RFC 3339, for example 2026-11-21T02:15:00Z.');
}

function requireJson(value: unknown, depth: number): asserts value is Json {
  if (typeof value !== 'object' || value === null) return;
  if (depth === 0) throw new GraphQLError(`JSON may be nested at most ${maxJsonDepth} deep.`);
  for (const item of Object.values(value)) requireJson(item, depth - 1);
}
