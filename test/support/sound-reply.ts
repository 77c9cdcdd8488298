import { expect } from 'vitest';
import type { Reply } from './api.ts';

const leaks = /insert into|violates|duplicate key|relation "|column "|syntax error at|invalid (input|byte)|node_modules|\/src\/|\.ts:\d|\n +at |ECONN|pg_|Cannot read|is not a function|Maximum call stack/i;

/** Whatever was sent: a GraphQL response that blames the caller, and tells nothing of what is inside. */
export function expectSound({ status, body }: Reply): void {
  expect(status).toBeLessThan(500);
  expect(body).toBeTypeOf('object');
  expect('data' in body || 'errors' in body).toBe(true);
  if ('errors' in body) expect(body.errors.length).toBeGreaterThan(0);
  for (const error of body.errors ?? []) {
    expect(error.message).toBeTypeOf('string');
    expect(error.extensions?.code).toBeTypeOf('string');
    expect(error.extensions.code).not.toBe('INTERNAL');
  }
  expect(messagesIn(body).filter((message) => leaks.test(message))).toEqual([]);
}

function messagesIn(value: unknown): string[] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, item]) => (key === 'message' && typeof item === 'string' ? [item] : messagesIn(item)));
}
