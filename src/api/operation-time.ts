import { createOperationScope } from '../db/operation-scope.ts';
import { requestError } from './request-error.ts';
import type { OperationResult } from './operation.ts';

/** Why an operation ended before it was done. */
export type Over = 'time' | 'gone';

export interface OperationTime {
  /** How long it may take. */
  operationMs: number;
  /** Calls back when nobody waits for the answer any more. Absent: the operation is to end by itself. */
  whenGone?: ((listener: () => void) => void) | undefined;
}

/**
 * Runs an operation until it is done, its time is over, or its client is gone. Then the signal aborts, which stops its
 * resolvers, and its statements are cancelled in the database. What others share, such as the statement that writes a
 * batch of responses, goes on.
 */
export async function withinTime<T>(run: (signal: AbortSignal) => T | PromiseLike<T>, { operationMs, whenGone }: OperationTime): Promise<{ done: T } | { over: Over }> {
  const scope = createOperationScope();
  const controller = new AbortController();
  let over: Over | undefined;
  let isDone = false;
  const end = (why: Over): void => {
    if (isDone) return;
    isDone = true;
    over = why;
    controller.abort(new Error(`The operation is over: ${why}.`));
    void scope.end();
  };
  const timer = setTimeout(end, operationMs, 'time');
  whenGone?.(() => end('gone'));
  try {
    return { done: await scope.run(() => run(controller.signal)) };
  } catch (error) {
    if (over) return { over };
    throw error;
  } finally {
    isDone = true;
    clearTimeout(timer);
  }
}

/** What an operation answers that was not done in time. Whether a mutation took effect nobody can say: its commit may have passed. */
export function outOfTime({ isMutation, operationMs }: { isMutation: boolean; operationMs: number }): OperationResult {
  const took = `The operation was not done after ${operationMs / 1_000} seconds`;
  const error = isMutation
    ? requestError('OUTCOME_UNKNOWN', `${took}, and may have taken effect. Look before you send it again; a response may be sent again with its clientId.`)
    : requestError('TIMED_OUT', `${took}. Ask for less at a time.`);
  return { result: { errors: [error] }, status: 503 };
}
