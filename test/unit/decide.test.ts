import { describe, expect, test } from 'vitest';
import { postponedUntil } from '../../src/deliveries/postponed.ts';
import { decide, type CountedOutcome, type Decision } from '../../src/dispatcher/decide.ts';

const now = new Date('2026-11-21T02:15:00Z');
const decided = (outcome: CountedOutcome, failures = 1): Decision =>
  decide({ outcome, failures, scheduleMs: [5_000, 60_000], now, random: 0.5 });

describe('after an attempt a delivery', () => {
  test('is delivered when the receiver took it', () => {
    expect(decided({ status: 'delivered', httpStatus: 200 })).toEqual({ status: 'delivered' });
  });

  test('waits for the next attempt while the schedule has one', () => {
    const outcome: CountedOutcome = { status: 'retry', error: 'HTTP_STATUS', reason: 'It answered 500.' };
    expect(decided(outcome)).toEqual({ status: 'pending', reason: 'It answered 500.', nextAttemptAt: new Date('2026-11-21T02:15:05Z') });
  });

  test('is dead when the schedule is used up, with the number of attempts and the last reason', () => {
    const outcome: CountedOutcome = { status: 'retry', error: 'TIMEOUT', reason: 'No answer in 15 s.' };
    expect(decided(outcome, 3)).toEqual({ status: 'dead', reason: 'Given up after 3 attempts. No answer in 15 s.' });
  });

  test('is dead at once when it can never succeed', () => {
    expect(decided({ status: 'rejected', error: 'RESPONSE_INVALID', reason: 'No such number.' })).toEqual({ status: 'dead', reason: 'No such number.' });
  });

  test('waits for its owner when the integration is broken, also after the schedule', () => {
    const outcome: CountedOutcome = { status: 'broken', error: 'HTTP_STATUS', reason: 'It answered 410 Gone.' };
    expect(decided(outcome, 9)).toMatchObject({ status: 'pending', reason: 'It answered 410 Gone.' });
  });
});

describe('what was postponed is due', () => {
  const dueInMs = (outcome: Parameters<typeof postponedUntil>[0]): number => postponedUntil(outcome, now).getTime() - now.getTime();

  test('when the service says so, but within an hour', () => {
    expect(dueInMs({ status: 'throttled', reason: 'Too many calls.', afterMs: 7_000 })).toBe(7_000);
    expect(dueInMs({ status: 'throttled', reason: 'Too many calls.', afterMs: 86_400_000 })).toBe(3_600_000);
  });

  test('for one that is deferred, when it asks, but within a day', () => {
    expect(dueInMs({ status: 'deferred', reason: 'Nobody knows yet.', afterMs: 90_000 })).toBe(90_000);
    expect(dueInMs({ status: 'deferred', reason: 'Nobody knows yet.', afterMs: 1e9 })).toBe(86_400_000);
  });

  test('after a minute where the service does not say', () => {
    expect(dueInMs({ status: 'throttled', reason: 'Too many calls.' })).toBe(60_000);
    expect(dueInMs({ status: 'blocked', reason: 'The sheet is not shared any more.' })).toBe(60_000);
  });
});
