import { describe, expect, test } from 'vitest';
import { readEnvelope } from '../../src/responses/envelope.ts';
import { householdResponses } from '../support/household.ts';

describe('the envelope of a response', () => {
  test.for([
    ['an empty client id', { clientId: '' }, ['clientId']],
    ['a client id of 201 characters', { clientId: 'x'.repeat(201) }, ['clientId']],
    ['a client id with NUL', { clientId: 'a\u0000' }, ['clientId']],
    ['half a surrogate pair in a name', { respondent: { name: '\ud800' } }, ['respondent', 'name']],
    ['a mobile number without end', { respondent: { mobile: '1'.repeat(51) } }, ['respondent', 'mobile']],
    ['a day that does not exist', { collector: { submittedAt: '2026-02-30T00:00:00Z' } }, ['collector', 'submittedAt']],
    ['a time without an offset', { collector: { lastModifiedAt: '2026-02-20T00:00:00' } }, ['collector', 'lastModifiedAt']],
    ['an hour that does not exist', { collector: { submittedAt: '2026-02-20T25:00:00Z' } }, ['collector', 'submittedAt']],
    ['a time that is none', { collector: { submittedAt: 'yesterday' } }, ['collector', 'submittedAt']],
    ['NUL within its metadata', { metadata: [{ a: '\u0000' }] }, ['metadata', 0, 'a']],
  ] as const)('with %s is a fault there', ([, input, path]) => {
    expect(readEnvelope(input).faults).toEqual([expect.objectContaining({ code: 'INVALID_INPUT', path })]);
  });

  test('has all its faults told at once', () => {
    const input = { clientId: '', respondent: { email: 'x'.repeat(255) }, collector: { userId: '\u0000', submittedAt: '' }, metadata: '\ud800' };
    expect(readEnvelope(input).faults.map((fault) => fault.path.join('.'))).toEqual([
      'clientId', 'respondent.email', 'collector.userId', 'collector.submittedAt', 'metadata',
    ]);
  });

  test('is stored without what is null or absent, and with {} for no metadata', () => {
    const input = { respondent: { mobile: '+1', email: null }, collector: null, metadata: null };
    const stored = readEnvelope(input).envelope;
    expect(stored).toEqual({ clientId: null, respondent: { mobile: '+1' }, collector: {}, metadata: {} });
    expect(Object.keys(stored.respondent)).toEqual(['mobile']);
  });

  test('is stored with its times in UTC', () => {
    const collector = { submittedAt: '2026-10-01T06:30:00+05:30', lastModifiedAt: '2026-10-01T00:59:00.1234567Z' };
    expect(readEnvelope({ collector }).envelope.collector).toEqual({ submittedAt: '2026-10-01T01:00:00.000Z', lastModifiedAt: '2026-10-01T00:59:00.123Z' });
  });

  test('of every response of the household survey is sound', () => {
    expect(householdResponses('form').flatMap((response) => readEnvelope(response).faults)).toEqual([]);
  });
});
