import { expect, test } from 'vitest';
import type { Outcome } from '../../integrations/provider.ts';
import { conclude } from '../../src/dispatcher/conclude.ts';
import type { Work } from '../../src/dispatcher/work.ts';

const now = new Date('2026-11-21T07:00:00Z');

function after(outcome: Outcome, { attempts = 0, scheduleStart = 0 }: Partial<Work> = {}) {
  const attempted = { at: now, durationMs: 3, outcomes: [outcome] };
  const { attempt, ...state } = conclude({ attempts, scheduleStart } as Work, { outcome, attempted, scheduleMs: [1_000], now, random: 0.5 });
  return { ...state, isLogged: attempt !== undefined };
}

test('a delivery that went through has ended', () => {
  expect(after({ status: 'delivered' })).toEqual({ status: 'delivered', reason: null, attempts: 1, nextAttemptAt: null, finishedAt: new Date(now.getTime() + 3), isLogged: true });
});

test('one that failed waits by the schedule, and is dead at its end', () => {
  const failed: Outcome = { status: 'retry', error: 'TIMEOUT', reason: 'No answer.' };
  expect(after(failed)).toMatchObject({ status: 'pending', attempts: 1, isLogged: true });
  expect(after(failed, { attempts: 1 })).toMatchObject({ status: 'dead', attempts: 2, nextAttemptAt: null });
  expect(after(failed, { attempts: 5, scheduleStart: 5 })).toMatchObject({ status: 'pending', attempts: 6 });
});

test('one that the service asks to come later with waits, and was not tried', () => {
  const state = after({ status: 'throttled', reason: 'Too many.', afterMs: 60_000 });
  expect(state).toEqual({ status: 'pending', reason: 'Too many.', attempts: 0, nextAttemptAt: new Date('2026-11-21T07:01:00Z'), finishedAt: null, isLogged: false });
});

test('one that the provider skipped is canceled with its reason', () => {
  expect(after({ status: 'skipped', reason: 'There is no number.' })).toMatchObject({ status: 'canceled', reason: 'There is no number.', attempts: 0, isLogged: false });
});
