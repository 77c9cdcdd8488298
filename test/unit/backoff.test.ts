import { describe, expect, test } from 'vitest';
import { backoffMs } from '../../src/deliveries/backoff.ts';

const scheduleMs = [5_000, 300_000, 1_800_000];
const middle = 0.5;

describe('the wait before another attempt', () => {
  test('follows the schedule, one step for each failed attempt', () => {
    const waits = [1, 2, 3].map((failures) => backoffMs({ failures, scheduleMs, random: middle }));
    expect(waits).toEqual(scheduleMs);
  });

  test('is over when the schedule is used up', () => {
    expect(backoffMs({ failures: 4, scheduleMs, random: middle })).toBeUndefined();
  });

  test('is spread by a fifth to either side', () => {
    expect(backoffMs({ failures: 1, scheduleMs, random: 0 })).toBe(4_000);
    expect(backoffMs({ failures: 1, scheduleMs, random: 1 })).toBe(6_000);
  });

  test('is the one the receiver asks for, where that is longer', () => {
    expect(backoffMs({ failures: 1, scheduleMs, random: middle, askedMs: 60_000 })).toBe(60_000);
    expect(backoffMs({ failures: 2, scheduleMs, random: middle, askedMs: 60_000 })).toBe(300_000);
  });

  test('is a day at most, whatever the receiver asks for', () => {
    expect(backoffMs({ failures: 1, scheduleMs, random: middle, askedMs: 1e12 })).toBe(86_400_000);
  });

  test('is not prolonged beyond the schedule by a receiver that asks for more', () => {
    expect(backoffMs({ failures: 4, scheduleMs, random: middle, askedMs: 60_000 })).toBeUndefined();
  });
});
