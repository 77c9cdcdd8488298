import { expect, test } from 'vitest';
import { isGivenUp, isWorthSaying, patienceMs, restMs } from '../../src/dispatcher/takeover.ts';

test('NATS is waited for longer after each failure in a row, and never longer than eight seconds', () => {
  expect([0, 1, 2, 3, 4, 100].map(patienceMs)).toEqual([1_000, 2_000, 4_000, 8_000, 8_000, 8_000]);
});

test('after each failure in a row the rest is longer, up to two seconds', () => {
  expect([0, 1, 2, 3, 4, 100].map(restMs)).toEqual([250, 500, 1_000, 2_000, 2_000, 2_000]);
});

test('of many failures in a row few are told', () => {
  expect(Array.from({ length: 40 }, (_, index) => index + 1).filter(isWorthSaying)).toEqual([1, 2, 4, 8, 16, 32]);
});

test('a consumer that nobody leads is waited for a few times, and then given up on', () => {
  expect([0, 1, 2, 3, 4, 5].map(isGivenUp)).toEqual([false, false, false, false, true, true]);
});
