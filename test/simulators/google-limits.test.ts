import { describe, expect, test } from 'vitest';
import { connectServiceAccount } from '../support/google/clients.ts';
import { googleErrors, replyOf } from '../support/google/errors.ts';
import { describeError, setUpSheet, writeRows, type SheetSetUp } from '../support/google/sheet-of.ts';
import { createManualClock } from '../support/simulators/clock.ts';
import { createRandom, type Outcome } from '../support/simulators/faults.ts';
import type { LoggedRequest } from '../support/simulators/server.ts';

const write = writeRows([['a']]);
const read = (at: SheetSetUp) => at.sheets.spreadsheets.values.get({ spreadsheetId: at.spreadsheetId, range: 'A1' });
const isWrite = ({ operation }: LoggedRequest) => operation === 'sheets.batchUpdate';
const rowsOf = (at: SheetSetUp) => at.google.asUser.rows(at.spreadsheetId);

describe('the quota', () => {
  test('of an account is sixty writes and sixty reads in any minute', async () => {
    const clock = createManualClock();
    await using at = await setUpSheet({ clock });
    for (let count = 0; count < 60; count += 1) await at.batch(write, write);
    expect(await at.refusal(write)).toContain("429 RESOURCE_EXHAUSTED rateLimitExceeded: Quota exceeded for quota metric 'Write requests' and limit 'Write requests per minute per user'");
    await read(at);
    clock.advance(59_999);
    expect(await at.refusal(write)).toContain('429');
    clock.advance(1);
    expect(await at.refusal(write)).toBeUndefined();
  });

  test('of a project is shared by its accounts', async () => {
    const clock = createManualClock();
    await using at = await setUpSheet({ clock, quotas: { writesPerUser: 2, writesPerProject: 3 } });
    const second = at.google.accounts.addServiceAccount();
    at.google.setRole(at.spreadsheetId, second.email, 'writer');
    const { sheets } = connectServiceAccount(at.google, second);
    const writeAsSecond = () =>
      sheets.spreadsheets.batchUpdate({ spreadsheetId: at.spreadsheetId, requestBody: { requests: [write] } }).then(() => 'written', describeError);
    await at.batch(write);
    await at.batch(write);
    expect(await writeAsSecond()).toBe('written');
    expect(await writeAsSecond()).toContain("limit 'Write requests per minute' of service");
  });

  test('of Drive is refused with 403', async () => {
    await using at = await setUpSheet({ quotas: { drivePerUser: 2 } });
    await at.drive.files.list();
    await expect(at.drive.files.list()).rejects.toMatchObject({ status: 403, response: { data: { error: { errors: [{ reason: 'userRateLimitExceeded' }] } } } });
  });
});

describe('a fault', () => {
  const backendError = replyOf(googleErrors.backendError(), 'sheets');
  const cases: [string, Outcome, string, boolean][] = [
    ['503 before applying', { kind: 'reply', reply: backendError }, '503 UNAVAILABLE backendError', false],
    ['503 after applying', { kind: 'reply', reply: backendError, applied: true }, '503 UNAVAILABLE backendError', true],
    ['a dropped connection before applying', { kind: 'drop', applied: false }, '', false],
    ['a dropped connection after applying', { kind: 'drop', applied: true }, '', true],
    ['a body that breaks off', { kind: 'truncated' }, '', true],
  ];
  test.each(cases)('can be %s', async (_, outcome, error, isApplied) => {
    await using at = await setUpSheet();
    at.google.faults.add({ when: isWrite, outcome });
    expect(await at.refusal(write)).toContain(error);
    expect(rowsOf(at)).toEqual(isApplied ? [['a']] : []);
    expect(at.google.requests.find(isWrite)).toMatchObject({ applied: isApplied, fault: outcome.kind });
    await at.batch(write);
    expect(rowsOf(at)).toEqual([['a']]);
  });

  test('can be a body that is no JSON, which the client hands on as text', async () => {
    await using at = await setUpSheet();
    at.google.faults.add({ when: isWrite, outcome: { kind: 'malformed' } });
    const { data } = await at.sheets.spreadsheets.batchUpdate({ spreadsheetId: at.spreadsheetId, requestBody: { requests: [write] } });
    expect(data).toContain('<!doctype html>');
    expect(rowsOf(at)).toEqual([['a']]);
  });

  test('can be no answer at all, until the caller gives up', async () => {
    await using at = await setUpSheet();
    at.google.faults.add({ when: isWrite, outcome: { kind: 'hang', applied: true } });
    const call = at.sheets.spreadsheets.batchUpdate({ spreadsheetId: at.spreadsheetId, requestBody: { requests: [write] } }, { signal: AbortSignal.timeout(200) });
    await expect(call).rejects.toThrow();
    expect(rowsOf(at)).toEqual([['a']]);
  });

  test('can be throttling that says when to come back, or does not', async () => {
    await using at = await setUpSheet();
    at.google.faults.add({ when: isWrite, outcome: { kind: 'reply', reply: replyOf(googleErrors.rateLimitExceeded(undefined, 7), 'sheets') } });
    at.google.faults.add({ when: isWrite, outcome: { kind: 'reply', reply: replyOf(googleErrors.rateLimitExceeded(), 'sheets') } });
    const retryAfter = () => at.batch(write).then(() => 'none', (error: unknown) => (error as { response: { headers: Headers } }).response.headers.get('retry-after'));
    expect([await retryAfter(), await retryAfter(), await retryAfter()]).toEqual(['7', null, 'none']);
  });

  test('stands for as many requests as it says, or until its scope ends', async () => {
    await using at = await setUpSheet();
    {
      using _standing = at.google.faults.add({ when: isWrite, times: Infinity, outcome: { kind: 'drop', applied: false } });
      for (let count = 0; count < 3; count += 1) expect(await at.refusal(write)).toBeDefined();
    }
    expect(await at.refusal(write)).toBeUndefined();
    at.google.faults.add({ when: isWrite, times: 2, outcome: { kind: 'drop', applied: false } });
    expect([await at.refusal(write), await at.refusal(write), await at.refusal(write)].map(Boolean)).toEqual([true, true, false]);
  });

  test('at random is the same for the same seed', () => {
    const draw = (seed: number) => Array.from({ length: 20 }, createRandom(seed));
    expect(draw(7)).toEqual(draw(7));
    expect(draw(7)).not.toEqual(draw(8));
    expect(draw(7).every((number) => number >= 0 && number < 1)).toBe(true);
  });

  test('can be an outage, after which everything is still there', async () => {
    await using at = await setUpSheet();
    await at.batch(write);
    {
      await using _outage = await at.google.outage();
      await at.refusal(write);
      expect(await at.refusal(write)).toContain('ECONNREFUSED');
    }
    await at.batch(writeRows([['b']], { row: 1 }));
    expect(rowsOf(at)).toEqual([['a'], ['b']]);
  });
});

test('a sheet takes twenty thousand rows in twenty writes', async () => {
  await using at = await setUpSheet();
  const thousand = Array.from({ length: 1000 }, (_, row) => Array.from({ length: 20 }, (_unused, column) => `${row}/${column}`));
  await at.batch({ updateSheetProperties: { properties: { sheetId: 0, gridProperties: { rowCount: 30_000 } }, fields: 'gridProperties.rowCount' } });
  for (let batch = 0; batch < 20; batch += 1) await at.batch(writeRows(thousand, { row: batch * 1000 }));
  expect(rowsOf(at)).toHaveLength(20_000);
});
