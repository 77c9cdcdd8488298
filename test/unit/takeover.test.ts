import { expect, test } from 'vitest';
import { patienceMs } from '../../src/dispatcher/takeover.ts';

test('NATS is waited for longer after each failure in a row, and never longer than eight seconds', () => {
  expect([0, 1, 2, 3, 4, 100].map(patienceMs)).toEqual([1_000, 2_000, 4_000, 8_000, 8_000, 8_000]);
});
