import { describe, expect, test } from 'vitest';
import { outcomeOf } from '../../integrations/webhook/outcome-of.ts';
import type { DeliveryError, HttpReply } from '../../integrations/provider.ts';

const now = new Date('2026-11-21T06:30:00Z');
const answer = (status: number, headers: Record<string, string> = {}, body = ''): HttpReply => ({
  kind: 'response',
  status,
  headers,
  body,
});

describe('an answer', () => {
  test.each([200, 201, 202, 204, 299])('%i delivers', (status) => {
    expect(outcomeOf(answer(status), now)).toEqual({ status: 'delivered', httpStatus: status });
  });

  test('keeps what the receiver said as evidence', () => {
    expect(outcomeOf(answer(200, {}, 'thanks'), now)).toMatchObject({ httpStatus: 200, responseBody: 'thanks' });
    expect(outcomeOf(answer(500, {}, 'oh no'), now)).toMatchObject({ httpStatus: 500, responseBody: 'oh no' });
  });

  test('410 means that the integration needs its owner', () => {
    expect(outcomeOf(answer(410), now)).toEqual({
      status: 'broken',
      error: 'HTTP_STATUS',
      reason: 'The endpoint answered 410 Gone.',
      httpStatus: 410,
    });
  });

  test.each([300, 301, 302, 307, 308])('%i is tried again, and says that redirects are not followed', (status) => {
    const outcome = outcomeOf(answer(status, { location: 'https://example.com/' }), now);
    expect(outcome).toMatchObject({ status: 'retry', error: 'HTTP_STATUS', httpStatus: status });
    expect(outcome).toHaveProperty('reason', expect.stringContaining('redirects are not followed'));
  });

  test.each([400, 401, 403, 404, 408, 422, 429, 500, 502, 503, 504, 599])('%i is tried again', (status) => {
    const outcome = outcomeOf(answer(status), now);
    expect(outcome).toMatchObject({ status: 'retry', error: 'HTTP_STATUS', httpStatus: status });
    expect(outcome).not.toHaveProperty('afterMs');
  });

  test('says the status in words where there are any', () => {
    expect(outcomeOf(answer(502), now)).toHaveProperty('reason', 'The endpoint answered 502 Bad Gateway.');
    expect(outcomeOf(answer(599), now)).toHaveProperty('reason', 'The endpoint answered 599.');
  });
});

describe('Retry-After', () => {
  test.each([
    ['120', 120_000],
    ['0', 1_000],
    ['86401', 86_400_000],
    ['9'.repeat(400), 86_400_000],
    ['Sat, 21 Nov 2026 06:31:00 GMT', 60_000],
    ['Sat, 21 Nov 2026 06:00:00 GMT', 1_000],
    ['Sun, 21 Nov 2027 06:00:00 GMT', 86_400_000],
  ])('%s asks for %i ms', (header, afterMs) => {
    for (const status of [429, 503]) {
      expect(outcomeOf(answer(status, { 'retry-after': header }), now)).toMatchObject({ status: 'retry', afterMs });
    }
  });

  test.each(['', 'soon', '-5', '1.5', '1e3', '2026-11-21', 'not a date GMT'])('%s is no wait anyone asked for', (header) => {
    expect(outcomeOf(answer(429, { 'retry-after': header }), now)).not.toHaveProperty('afterMs');
  });

  test('counts for 429 and 503 alone', () => {
    expect(outcomeOf(answer(500, { 'retry-after': '60' }), now)).not.toHaveProperty('afterMs');
    expect(outcomeOf(answer(410, { 'retry-after': '60' }), now)).toHaveProperty('status', 'broken');
  });
});

describe('a failure', () => {
  const failed = (error: DeliveryError): HttpReply => ({ kind: 'failure', error, message: 'It failed.', isSent: true });

  test.each(['TIMEOUT', 'CONNECTION', 'TLS', 'ABORTED', 'RESPONSE_INVALID'] as const)('%s is tried again', (error) => {
    expect(outcomeOf(failed(error), now)).toEqual({ status: 'retry', error, reason: 'It failed.' });
  });

  test('a refused address needs the owner', () => {
    expect(outcomeOf(failed('ADDRESS_REFUSED'), now)).toMatchObject({ status: 'broken', error: 'ADDRESS_REFUSED' });
  });

  test('one that a setting of ours refuses does not: it waits, at the cost of no attempt', () => {
    expect(outcomeOf({ kind: 'failure', error: 'ADDRESS_REFUSED', message: 'Not from here.', isSent: false, isOurSetting: true }, now)).toEqual({ status: 'blocked', reason: 'Not from here.' });
  });
});
