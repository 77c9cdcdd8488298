import type { ExecutionResult } from 'graphql';
import { requestError } from './request-error.ts';

/**
 * The result, or what is answered in its place where it is too large to be sent. Objects that stand in it many times
 * are one in memory, so that it becomes large only as text: it is looked at before that.
 */
export function withinSize(result: ExecutionResult, { most, isMutation }: { most: number; isMutation: boolean }): ExecutionResult {
  if (!isLongerThan(result.data, most)) return result;
  const done = isMutation ? 'The operation was done, but its answer' : 'The answer';
  const message = `${done} would take more than ${most} bytes; ask for smaller pages, or for fewer fields.`;
  return { ...result, data: null, errors: [requestError('ANSWER_TOO_LARGE', message)] };
}

/**
 * Whether a value takes more characters as JSON than `most`, by what its texts and names take. Stops as soon as that is
 * sure, and needs no more memory than the value is wide.
 */
function isLongerThan(value: unknown, most: number): boolean {
  let left = most;
  const waiting: unknown[] = [value];
  while (waiting.length > 0 && left >= 0) {
    const next = waiting.pop();
    left -= lengthOf(next);
    if (typeof next !== 'object' || next === null) continue;
    if (Array.isArray(next)) for (const item of next as unknown[]) waiting.push(item);
    else {
      for (const name in next) {
        left -= name.length + 3;
        waiting.push((next as Record<string, unknown>)[name]);
      }
    }
  }
  return left < 0;
}

/** With the comma behind it; of what holds others, the brackets alone. */
function lengthOf(value: unknown): number {
  return typeof value === 'string' ? value.length + 3 : 3;
}
