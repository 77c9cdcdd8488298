import { expect, test } from 'vitest';
import { createDueTimes } from '../../src/jobs/due-times.ts';

test('one waits for the first that is to come, and no longer than asked', () => {
  const due = createDueTimes();
  expect(due.waitMs(0, 500)).toBe(500);
  for (const at of [300, 200, 900]) due.add(at);
  expect([0, 150, 200, 250, 300].map((now) => due.waitMs(now, 500))).toEqual([200, 50, 100, 50, 500]);
  expect(due.waitMs(899, 500)).toBe(1);
  expect(due.waitMs(900, 500)).toBe(500);
});
