import { expect, test } from 'vitest';
import type { Outcome } from '../../integrations/provider.ts';
import { verdictOn } from '../../src/dispatcher/verdict.ts';

const now = new Date('2026-11-21T02:15:00Z');
const delivered: Outcome = { status: 'delivered' };
const rejected: Outcome = { status: 'rejected', error: 'HTTP_STATUS', reason: 'No such number.' };
const failed: Outcome = { status: 'retry', error: 'TIMEOUT', reason: 'No answer in 15 s.' };
const throttled: Outcome = { status: 'throttled', reason: 'Too many calls.', afterMs: 7_000 };
const blocked: Outcome = { status: 'blocked', reason: 'The sheet is not shared any more.' };
const broken: Outcome = { status: 'broken', error: 'HTTP_STATUS', reason: 'It answered 410 Gone.' };

test('a receiver that took a delivery, or refused one for itself, is up', () => {
  expect(verdictOn([delivered], now)).toEqual({ kind: 'up' });
  expect(verdictOn([rejected], now)).toEqual({ kind: 'up' });
});

test('a receiver is down only where a call failed as a whole', () => {
  expect(verdictOn([failed, failed], now)).toEqual({ kind: 'down', reason: 'No answer in 15 s.' });
  expect(verdictOn([failed, delivered, failed], now)).toEqual({ kind: 'up' });
});

test('one that is throttled, blocked or broken says so for all, the gravest first', () => {
  expect(verdictOn([delivered, throttled], now)).toEqual({ kind: 'throttled', reason: 'Too many calls.', until: new Date('2026-11-21T02:15:07Z') });
  expect(verdictOn([throttled, blocked, delivered], now)).toEqual({ kind: 'blocked', reason: 'The sheet is not shared any more.' });
  expect(verdictOn([blocked, broken], now)).toEqual({ kind: 'broken', reason: 'It answered 410 Gone.' });
});

test('a delivery that waits by itself, or is not sent at all, says nothing of the receiver', () => {
  expect(verdictOn([{ status: 'deferred', reason: 'Nobody knows yet.', afterMs: 1 }, { status: 'skipped', reason: 'It is flagged.' }], now)).toEqual({ kind: 'nothing' });
  expect(verdictOn([{ status: 'skipped', reason: 'It is flagged.' }, delivered], now)).toEqual({ kind: 'up' });
});

test('a call that was given up says nothing', () => {
  expect(verdictOn([], now)).toEqual({ kind: 'nothing' });
});
