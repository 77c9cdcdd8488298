import { describe, expect, test } from 'vitest';
import { connectServiceAccount } from '../support/google/clients.ts';
import { googleErrors, replyOf } from '../support/google/errors.ts';
import { formShape } from '../support/call-context.ts';
import { openSheetWorld } from '../support/sheet-world.ts';
import { eventOf, newFamily, question, rowOfFamily } from '../support/sheet-events.ts';
import type { Outcome } from '../support/simulators/faults.ts';

const form = formShape({ title: 'Households', email: 'owner@example.org', questions: [question('a'), question('b')] });
const isRead = (operation: string) => /get|list/i.test(operation);

describe('a sheet that is connected', () => {
  test('is a spreadsheet in the given drive, with the form’s title and columns, shared with its address', async () => {
    await using at = await openSheetWorld({ form });
    const settled = await at.connect();
    const [file] = at.spreadsheets();
    expect(settled).toEqual({ status: 'done', resourceUrl: `https://docs.google.com/spreadsheets/d/${file?.id}/edit` });
    expect(file).toMatchObject({ name: 'Households', parents: [at.driveId], permissions: [{ role: 'writer', emailAddress: 'owner@example.org' }] });
    expect(at.rows()).toEqual([['Response', 'Submitted', 'Revision', 'Flags', 'Question a', 'Question b']]);
  });

  test('is shared by one mail, however often it is connected', async () => {
    await using at = await openSheetWorld({ form });
    await at.connect();
    at.restart();
    await at.connect();
    expect(at.count('drive.permissions.create')).toBe(1);
    expect(at.google.requests.find(({ operation }) => operation === 'drive.permissions.create')?.query.get('sendNotificationEmail')).toBe('true');
  });

  test('follows the form’s title and address, and takes back the access of the address before', async () => {
    await using at = await openSheetWorld({ form });
    await at.connect();
    at.form = { ...form, title: 'Families', email: 'next@example.org' };
    await at.connect();
    expect(at.spreadsheets()).toMatchObject([{ name: 'Families', permissions: [{ emailAddress: 'next@example.org' }] }]);
  });

  test('keeps what its users did to it: its name, and access that they took away', async () => {
    await using at = await openSheetWorld({ form });
    await at.connect();
    const { drive } = connectServiceAccount(at.google, at.account);
    await drive.files.update({ fileId: at.fileId(), supportsAllDrives: true, requestBody: { name: 'My own name' } });
    at.google.setRole(at.fileId(), form.email, undefined);
    at.form = { ...form, version: 2, questions: [...form.questions, question('c')] };
    await at.connect();
    expect(at.spreadsheets()).toMatchObject([{ name: 'My own name', permissions: [] }]);
    expect(at.rows()[0]).toHaveLength(7);
  });

  test('gets columns for new questions, new titles, and marks what was removed', async () => {
    await using at = await openSheetWorld({ form });
    await at.connect();
    at.form = { ...form, version: 2, questions: [question('b', 'Renamed'), question('c')] };
    await at.connect();
    expect(at.rows()[0]?.slice(4)).toEqual(['Question a (removed)', 'Renamed', 'Question c']);
  });

  test('loses the columns of removed questions where its owner wants that', async () => {
    await using at = await openSheetWorld({ form, settings: { removedQuestions: 'delete' } });
    await at.connect();
    at.form = { ...form, version: 2, questions: [question('b')] };
    await at.connect();
    expect(at.rows()[0]?.slice(4)).toEqual(['Question b']);
  });
});

describe('a connecting process that dies', () => {
  const steps = ['drive.files.list', 'drive.files.create', 'sheets.getByDataFilter', 'sheets.batchUpdate', 'drive.files.get', 'drive.permissions.list', 'drive.permissions.create'];
  const cases = steps.flatMap((step): [string, string, Outcome][] => [
    [step, 'before', { kind: 'drop', applied: false }],
    [step, 'after', { kind: 'drop', applied: true }],
  ]);

  test.each(cases)('at %s, %s it took effect, leaves nothing that the next one does not find', async (step, _, outcome) => {
    await using at = await openSheetWorld({ form });
    at.google.faults.add({ when: ({ operation }) => operation === step, outcome });
    expect(await at.connect()).toMatchObject({ status: 'retry', error: 'CONNECTION' });
    at.restart();
    expect(await at.connect()).toMatchObject({ status: 'done' });
    expect(at.spreadsheets()).toHaveLength(1);
    expect(at.rows()).toEqual([['Response', 'Submitted', 'Revision', 'Flags', 'Question a', 'Question b']]);
    expect(at.spreadsheets()[0]?.permissions).toHaveLength(1);
    expect(at.google.requests.filter(({ operation, applied }) => operation === 'drive.permissions.create' && applied)).toHaveLength(1);
  });

  test('and whose file no list shows yet leaves one that goes to the bin when it is seen', async () => {
    await using at = await openSheetWorld({ form, listDelayMs: 30_000 });
    at.google.faults.add({ when: ({ operation }) => operation === 'drive.files.create', outcome: { kind: 'drop', applied: true } });
    await at.connect();
    await at.connect();
    expect(at.spreadsheets()).toHaveLength(2);
    const family = newFamily({ a: 'x' });
    await at.deliver(eventOf(family, form));
    at.clock.advance(30_000);
    expect(await at.connect()).toMatchObject({ status: 'done' });
    expect(at.spreadsheets()).toHaveLength(1);
    expect(at.rows()[1]).toEqual(rowOfFamily(family, ['a', 'b']));
  });

  test('beside another makes one sheet with it', async () => {
    await using at = await openSheetWorld({ form });
    const first = at.connect();
    at.restart();
    await Promise.all([first, at.connect()]);
    expect(await at.connect()).toMatchObject({ status: 'done' });
    expect(at.spreadsheets()).toHaveLength(1);
    expect(at.rows()[0]).toHaveLength(6);
  });
});

describe('what keeps a sheet from being connected', () => {
  const fault = (operation: string, error: Parameters<typeof replyOf>[0]) => ({ when: (request: { operation: string }) => request.operation === operation, outcome: { kind: 'reply', reply: replyOf(error, 'drive') } as const });

  test.each([
    ['a service account without storage', 'drive.files.create', googleErrors.storageQuotaExceeded(), 'blocked', 'shared drive'],
    ['a drive it may not write to', 'drive.files.create', googleErrors.insufficientFilePermissions(), 'blocked', 'give it the right'],
    ['an API that is off', 'sheets.getByDataFilter', googleErrors.serviceDisabled('sheets.googleapis.com', 'p'), 'blocked', 'must be enabled'],
    ['an address it cannot be shared with', 'drive.permissions.create', googleErrors.invalidSharing('Bad Request.'), 'blocked', 'cannot be shared with owner@example.org'],
    ['too many mails', 'drive.permissions.create', googleErrors.sharingRateLimitExceeded(), 'throttled', 'quota'],
  ])('is said: %s', async (_, operation, error, status, reason) => {
    await using at = await openSheetWorld({ form });
    at.google.faults.add(fault(operation, error));
    expect(await at.connect()).toMatchObject({ status, reason: expect.stringContaining(reason) });
    expect(await at.connect()).toMatchObject({ status: 'done' });
  });

  test('is said of a file in the bin, and of a revoked key', async () => {
    await using at = await openSheetWorld({ form });
    await at.connect();
    at.google.asUser.trash(at.fileId());
    expect(await at.connect()).toMatchObject({ status: 'blocked', reason: 'The spreadsheet "Households" is in the bin: restore it, or delete the integration.' });
    at.google.accounts.revoke(at.account);
    expect(await at.connect()).toMatchObject({ status: 'blocked', reason: expect.stringMatching(/revoked.*Connect the service account .* again/) });
  });
});

describe('a sheet that is disconnected', () => {
  test('is in the bin with all of its parts, also where one of them is gone', async () => {
    await using at = await openSheetWorld({ form });
    await at.connect();
    at.google.asUser.deleteForever(at.fileId());
    expect(await at.provider.disconnect(at.context())).toEqual({ status: 'done' });
  });

  test('says so where its files may not be moved to the bin', async () => {
    await using at = await openSheetWorld({ form });
    await at.connect();
    at.google.faults.add({ when: ({ operation }) => operation === 'drive.files.update', outcome: { kind: 'reply', reply: replyOf(googleErrors.insufficientFilePermissions(), 'drive') } });
    expect(await at.provider.disconnect(at.context())).toMatchObject({ status: 'blocked' });
    await at.provider.disconnect(at.context());
    expect(at.spreadsheets()).toEqual([]);
  });
});

test('a person’s access works as well as a service account, in their own drive', async () => {
  await using at = await openSheetWorld({ form });
  const { clientId, clientSecret, refreshToken, email } = at.google.accounts.addUser();
  at.settings = { oauth: { clientId, clientSecret, refreshToken }, removedQuestions: 'keep', shareWith: email };
  expect(await at.connect()).toMatchObject({ status: 'done' });
  expect(at.spreadsheets()).toMatchObject([{ owner: email, permissions: [{ role: 'owner' }] }]);
  expect(at.google.requests.filter(({ operation }) => !isRead(operation)).every(({ account }) => account === undefined || account === email)).toBe(true);
});

test('a token is asked for once, and again when Google does not take it any more', async () => {
  await using at = await openSheetWorld({ form });
  await at.connect();
  await at.connect();
  expect(at.count('token')).toBe(1);
  at.clock.advance(3_600_000);
  await at.connect();
  expect(at.count('token')).toBe(2);
  at.google.faults.add({ when: ({ operation }) => operation === 'drive.files.list', outcome: { kind: 'reply', reply: replyOf(googleErrors.unauthenticated(), 'drive') } });
  expect(await at.connect()).toMatchObject({ status: 'done' });
  expect(at.count('token')).toBe(3);
});
