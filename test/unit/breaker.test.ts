import { describe, expect, test } from 'vitest';
import { afterAttempt, allowedConcurrency, closedBreaker, type Breaker, type Health } from '../../src/dispatcher/breaker.ts';

const settings = { threshold: 3, concurrency: 8 };
const success: Health = { ok: true };
const failure: Health = { ok: false, reason: 'down' };

const after = (start: Breaker, ...healths: Health[]): Breaker =>
  healths.reduce((breaker, health) => afterAttempt(breaker, health, settings), start);
const open = after(closedBreaker, failure, failure, failure);

describe('the breaker of a lane', () => {
  test('stays closed while failures are not in a row', () => {
    expect(after(closedBreaker, failure, failure, success, failure, failure)).toMatchObject({ state: 'closed', failuresInRow: 2 });
  });

  test('opens at the threshold, with the last reason', () => {
    expect(open).toEqual({ state: 'open', reason: 'down' });
  });

  test('allows one attempt at a time while it is open', () => {
    expect(allowedConcurrency(open, settings)).toBe(1);
    expect(after(open, failure, failure).state).toBe('open');
  });

  test('doubles what it allows with as many successes, until the lane is at its own limit', () => {
    const limits: number[] = [];
    let breaker = after(open, success);
    while (breaker.state === 'ramping') {
      limits.push(allowedConcurrency(breaker, settings));
      breaker = after(breaker, success);
    }
    expect(limits).toEqual([1, 2, 2, 4, 4, 4, 4]);
    expect(breaker).toEqual(closedBreaker);
  });

  test('opens again at the first failure while the backlog drains', () => {
    expect(after(open, success, success, failure).state).toBe('open');
  });

  test('closes with the first successes where the lane has one place', () => {
    const narrow = { threshold: 3, concurrency: 1 };
    expect(afterAttempt(afterAttempt(open, success, narrow), success, narrow)).toEqual(closedBreaker);
  });
});
