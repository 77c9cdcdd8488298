import { describe, expect, test } from 'vitest';
import { tokenTroubleOf, troubleOf, type ErrorReply } from '../../integrations/google-sheets/trouble.ts';

const now = new Date('2026-11-21T06:30:00Z');
const about = { account: 'the service account a@b.example', now };
const reply = (httpStatus: number, reason = '', more: Partial<ErrorReply> = {}): ErrorReply => ({ httpStatus, reasons: reason === '' ? [] : [reason], message: '', ...more });

describe('an error of Google', () => {
  const table: [string, ErrorReply, { status: string; reason: string; afterMs?: number }][] = [
    ['a quota of Sheets', reply(429, 'RATE_LIMIT_EXCEEDED'), { status: 'throttled', reason: 'its quota is used up' }],
    ['a quota that says when', reply(429, 'rateLimitExceeded', { retryAfter: '7' }), { status: 'throttled', reason: 'quota', afterMs: 7_000 }],
    ['a quota of Drive, which is a 403', reply(403, 'userRateLimitExceeded'), { status: 'throttled', reason: 'quota' }],
    ['a quota of sharing', reply(403, 'sharingRateLimitExceeded'), { status: 'throttled', reason: 'quota' }],
    ['a service account’s missing storage', reply(403, 'storageQuotaExceeded', { message: 'Service Accounts do not have storage quota.' }), { status: 'blocked', reason: 'give the id of a shared drive' }],
    ['a person’s full storage', reply(403, 'storageQuotaExceeded', { message: 'The storage quota has been exceeded.' }), { status: 'blocked', reason: 'is full' }],
    ['a full shared drive', reply(403, 'teamDriveFileLimitExceeded'), { status: 'blocked', reason: 'shared drive is full' }],
    ['a full spreadsheet', reply(400, 'badRequest', { message: 'Invalid requests[0].appendDimension: This action would increase the number of cells in the workbook above the limit of 10000000 cells.' }), { status: 'blocked', reason: 'The spreadsheet is full' }],
    ['an API that is off', reply(403, 'SERVICE_DISABLED'), { status: 'blocked', reason: 'must be enabled' }],
    ['a grant that is too narrow', reply(403, 'insufficientPermissions'), { status: 'blocked', reason: 'connect it again' }],
    ['a token that is not taken', reply(401, 'authError'), { status: 'blocked', reason: 'connect it again' }],
    ['a file that may not be changed', reply(403, 'forbidden'), { status: 'blocked', reason: 'the service account a@b.example may not do this' }],
    ['a file that is gone', reply(404, 'notFound'), { status: 'blocked', reason: 'was deleted' }],
    ['a request it does not take', reply(400, 'badRequest', { message: 'Invalid value: "my answer".' }), { status: 'refused', reason: 'Google refused the request: Invalid value: "…".' }],
    ['a fault of its own', reply(503, 'backendError'), { status: 'retry', reason: 'Google answered 503.' }],
    ['a request that took it too long', reply(408), { status: 'retry', reason: 'Google answered 408.' }],
  ];
  test.each(table)('about %s', (_, given, { status, reason, ...rest }) => {
    expect(troubleOf(given, about)).toMatchObject({ status, reason: expect.stringContaining(reason), ...rest });
  });

  test.each(table)('is a sentence about %s', (_, given) => {
    expect(troubleOf(given, about).reason).toMatch(/^[A-Z].*\.$/s);
  });
});

describe('where Google gives no access', () => {
  test.each([
    ['invalid_grant', 400, 'blocked', 'revoked or has run out'],
    ['invalid_client', 401, 'blocked', 'does not know the OAuth client'],
    ['unauthorized_client', 401, 'blocked', 'Connect the service account a@b.example again'],
    ['', 503, 'retry', 'Google answered 503.'],
    ['', 429, 'throttled', 'quota'],
  ])('for %s (%i), it is %s', (error, httpStatus, status, reason) => {
    expect(tokenTroubleOf(reply(httpStatus, error), about)).toMatchObject({ status, reason: expect.stringContaining(reason) });
  });
});
