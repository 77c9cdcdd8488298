import { describe, expect, test } from 'vitest';
import { trackingOf } from '../../integrations/sms/message-status.ts';
import { outcomeOfRefusal, outcomeOfSearch, outcomeOfUnknown, outcomeOfUnsent } from '../../integrations/sms/outcome-of.ts';
import { troubleOf, wordsOf } from '../../integrations/sms/troubles.ts';
import { newId } from '../../src/events/id.ts';

const hour = 3_600_000;
const refusal = (code: number | undefined, httpStatus = 400, afterMs?: number) => ({ kind: 'refusal' as const, code, httpStatus, ...(afterMs !== undefined && { afterMs }) });

describe('an error of Twilio is', () => {
  test.each([
    ['permanent', [21_211, 21_602, 21_610, 21_612, 21_614, 21_617, 30_003, 30_004, 30_005, 30_006, 30_007, 30_008]],
    ['number', [21_408, 21_608]],
    ['account', [20_003, 20_404, 21_212, 21_606, 21_701, 30_002, 30_032, 30_034]],
    ['passing', [20_429, 21_611, 30_001]],
  ])('%s: %s', (kind, codes) => {
    expect(codes.map((code) => troubleOf({ code, httpStatus: 400 }).class)).toEqual(codes.map(() => kind));
  });

  test.each([
    [429, undefined, 'passing', 'Twilio takes no more requests at the moment (HTTP 429).'],
    [401, undefined, 'account', 'Twilio does not let this account send messages (HTTP 401).'],
    [403, 20_999, 'account', 'Twilio does not let this account send messages (error 20999).'],
    [404, undefined, 'account', 'Twilio does not let this account send messages (HTTP 404).'],
    [400, 29_999, 'permanent', 'Twilio refused the message (error 29999).'],
  ])('by its status where its code says nothing: %i', (httpStatus, code, kind, words) => {
    expect(troubleOf({ code, httpStatus })).toEqual({ class: kind, words });
  });

  test('told in words with its code', () => {
    expect(wordsOf(30_003)).toBe('The recipient’s phone is switched off or out of reach (Twilio’s error 30003).');
    expect(wordsOf(39_999)).toBe('It failed for another reason (Twilio’s error 39999).');
  });
});

describe('a refusal', () => {
  test('for good rejects the delivery', () => {
    expect(outcomeOfRefusal(refusal(21_211), 0)).toEqual({ status: 'rejected', error: 'REFUSED', reason: 'The recipient’s number is not valid (Twilio’s error 21211).', httpStatus: 400 });
  });

  test('of the account keeps everything pending until it is mended', () => {
    expect(outcomeOfRefusal(refusal(20_003, 401), 0)).toMatchObject({ status: 'blocked', reason: expect.stringContaining('auth token') });
  });

  test('of one number lets the others go on, asks again every hour, and ends after three days', () => {
    expect(outcomeOfRefusal(refusal(21_408), 0)).toMatchObject({ status: 'deferred', afterMs: hour, reason: expect.stringContaining('Geo permissions') });
    expect(outcomeOfRefusal(refusal(21_608), 72 * hour - 1)).toHaveProperty('status', 'deferred');
    expect(outcomeOfRefusal(refusal(21_608), 72 * hour)).toMatchObject({ status: 'rejected', error: 'REFUSED' });
  });

  test('that passes waits as long as it is told', () => {
    expect(outcomeOfRefusal(refusal(20_429, 429, 7_000), 0)).toMatchObject({ status: 'throttled', afterMs: 7_000 });
    expect(outcomeOfRefusal(refusal(21_611, 429), 0)).not.toHaveProperty('afterMs');
  });

  test('to look into the list settles nothing: the delivery waits, whatever it was', () => {
    expect(outcomeOfSearch(refusal(21_211))).toHaveProperty('status', 'blocked');
    expect(outcomeOfSearch(refusal(20_003, 401))).toHaveProperty('status', 'blocked');
    expect(outcomeOfSearch(refusal(20_429, 429, 3_000))).toMatchObject({ status: 'throttled', afterMs: 3_000 });
  });
});

test('a call without an answer is tried again, and says whether anything was sent', () => {
  const unanswered = { kind: 'unanswered' as const, error: 'TIMEOUT' as const, message: 'It did not answer.', isSent: true };
  expect(outcomeOfUnknown(unanswered)).toEqual({ status: 'retry', error: 'TIMEOUT', reason: 'It did not answer. Nobody knows yet whether the message was taken.' });
  expect(outcomeOfUnsent({ ...unanswered, isSent: false })).toEqual({ status: 'retry', error: 'TIMEOUT', reason: 'It did not answer.' });
});

describe('news of a message', () => {
  const eventId = newId('evt');
  const rankOf = (status: string) => trackingOf(eventId, { sid: 'SM1', status })?.rank ?? 0;

  test('rank along its way', () => {
    const way = ['accepted', 'queued', 'sending', 'sent', 'delivered'];
    expect(way.map(rankOf)).toEqual(way.map(rankOf).toSorted((left, right) => left - right));
    expect(new Set(way.map(rankOf)).size).toBe(way.length);
    expect(rankOf('undelivered')).toBe(rankOf('delivered'));
  });

  test('are final once nothing follows, with what went wrong', () => {
    expect(trackingOf(eventId, { sid: 'SM1', status: 'sent' })).toEqual({ eventId, reference: 'SM1', status: 'sent', rank: 4, isFinal: false });
    expect(trackingOf(eventId, { sid: 'SM1', status: 'failed', errorCode: 30_007 })).toEqual({
      eventId, reference: 'SM1', status: 'failed', rank: 5, isFinal: true, detail: 'The carrier filtered the message as unwanted (Twilio’s error 30007).',
    });
  });

  test('that say nothing of its way are none', () => {
    expect(trackingOf(eventId, { sid: 'SM1', status: 'constructor' })).toBeUndefined();
    expect(trackingOf(eventId, { sid: 'SM1', status: 'received' })).toBeUndefined();
  });
});
