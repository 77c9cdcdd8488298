import { describe, expect, test } from 'vitest';
import { connectServiceAccount } from '../support/google/clients.ts';
import { spreadsheetType } from '../support/google/drive-files.ts';
import { describeError } from '../support/google/sheet-of.ts';
import { startGoogle, type GoogleOptions } from '../support/google/google.ts';
import { createManualClock } from '../support/simulators/clock.ts';

async function setUp(options: GoogleOptions = {}) {
  const google = await startGoogle(options);
  const account = google.accounts.addServiceAccount();
  const driveId = google.addSharedDrive({ [account.email]: 'fileOrganizer' });
  const clients = connectServiceAccount(google, account);
  const create = async (name = 'Survey', appProperties: Record<string, string> = {}) => {
    const requestBody = { name, mimeType: spreadsheetType, parents: [driveId], appProperties };
    const { data } = await clients.drive.files.create({ requestBody, supportsAllDrives: true, fields: 'id,appProperties,webViewLink,driveId' });
    return data;
  };
  const find = async (q: string) => {
    const { data } = await clients.drive.files.list({ q, supportsAllDrives: true, includeItemsFromAllDrives: true, fields: 'files(id,name,trashed)' });
    return data.files ?? [];
  };
  return { google, account, driveId, ...clients, create, find, [Symbol.asyncDispose]: () => google.close() };
}

const reasonOf = (call: Promise<unknown>): Promise<string> => call.then(() => 'no error', (error: unknown) => describeError(error).replace(/ undefined|:.*/g, ''));

describe('files', () => {
  test('made in a shared drive are found by their application property until they are in the bin', async () => {
    await using at = await setUp();
    const made = await at.create('Survey', { formwireIntegration: "int_1'x" });
    const q = "appProperties has { key='formwireIntegration' and value='int_1\\'x' } and trashed=false";
    expect(made).toMatchObject({ appProperties: { formwireIntegration: "int_1'x" }, driveId: at.driveId });
    expect(await at.find(q)).toEqual([{ id: made.id, name: 'Survey', trashed: false }]);

    await at.drive.files.update({ fileId: made.id!, supportsAllDrives: true, requestBody: { trashed: true } });

    expect(await at.find(q)).toEqual([]);
    expect(await at.find(q.replace('false', 'true'))).toHaveLength(1);
    expect((await at.drive.files.get({ fileId: made.id!, supportsAllDrives: true, fields: 'trashed' })).data.trashed).toBe(true);
  });

  test('made twice are two files, with the same name and properties', async () => {
    await using at = await setUp();
    await at.create('Survey', { key: 'one' });
    await at.create('Survey', { key: 'one' });
    expect(await at.find("appProperties has { key='key' and value='one' } and trashed=false")).toHaveLength(2);
  });

  test('show their properties to the application that set them, and to those who ask for them', async () => {
    await using at = await setUp();
    const { id } = await at.create('Survey', { key: 'one' });
    const other = at.google.accounts.addServiceAccount({ project: 'another-project' });
    at.google.setRole(id!, other.email, 'writer');
    const stranger = connectServiceAccount(at.google, other);
    const { data } = await stranger.drive.files.get({ fileId: id!, supportsAllDrives: true, fields: 'appProperties' });
    expect(data.appProperties).toEqual({});
    expect((await at.drive.files.get({ fileId: id!, supportsAllDrives: true })).data).not.toHaveProperty('appProperties');
  });

  test('can be late in lists', async () => {
    const clock = createManualClock();
    await using at = await setUp({ clock, listDelayMs: 5_000 });
    await at.create('Survey');
    expect(await at.find('trashed=false')).toEqual([]);
    clock.advance(5_000);
    expect(await at.find('trashed=false')).toHaveLength(1);
  });

  test('cannot be made outside of a shared drive by a service account, which owns no storage', async () => {
    await using at = await setUp();
    expect(await reasonOf(at.drive.files.create({ requestBody: { name: 'Mine', mimeType: spreadsheetType } }))).toBe('403 storageQuotaExceeded');
  });

  test('in a shared drive do not show to a caller that does not say it knows shared drives', async () => {
    await using at = await setUp();
    const { id } = await at.create();
    expect(await reasonOf(at.drive.files.get({ fileId: id! }))).toBe('404 notFound');
    expect((await at.drive.files.list({ q: 'trashed=false' })).data.files).toEqual([]);
    expect(await reasonOf(at.drive.files.create({ requestBody: { name: 'Survey', parents: [at.driveId] } }))).toBe('404 notFound');
  });

  test('are binned by content managers, not by contributors, and by no stranger', async () => {
    await using at = await setUp();
    const { id } = await at.create();
    const contributor = at.google.accounts.addServiceAccount();
    const bin = () => connectServiceAccount(at.google, contributor).drive.files.update({ fileId: id!, supportsAllDrives: true, requestBody: { trashed: true } });
    expect(await reasonOf(bin())).toBe('404 notFound');
    at.google.setRole(id!, contributor.email, 'writer');
    expect(await reasonOf(bin())).toBe('403 insufficientFilePermissions');
  });

  test('are looked for in the documented language only', async () => {
    await using at = await setUp();
    expect(await reasonOf(at.find('trashed=false or name=1'))).toBe('400 invalid');
    expect(await reasonOf(at.find('colour has blue'))).toBe('400 invalid');
  });

  test('come in pages', async () => {
    await using at = await setUp();
    for (const name of ['a', 'b', 'c']) await at.create(name);
    const shared = { supportsAllDrives: true, includeItemsFromAllDrives: true, pageSize: 2 };
    const first = await at.drive.files.list(shared);
    const second = await at.drive.files.list({ ...shared, pageToken: first.data.nextPageToken! });
    expect([first.data.files?.length, second.data.files?.length, second.data.nextPageToken]).toEqual([2, 1, undefined]);
  });

  test('of others are out of reach of a token for own files', async () => {
    await using at = await setUp();
    const { id } = await at.create();
    const other = at.google.accounts.addServiceAccount({ project: 'another-project' });
    at.google.setRole(id!, other.email, 'writer');
    const scope = 'https://www.googleapis.com/auth/drive.file';
    const { drive } = connectServiceAccount(at.google, other, { scope });
    expect(await reasonOf(drive.files.get({ fileId: id!, supportsAllDrives: true }))).toBe('404 notFound');
  });
});

describe('sharing', () => {
  test('with one person twice leaves one permission', async () => {
    await using at = await setUp();
    const { id } = await at.create();
    const share = async (role: string) => {
      const requestBody = { type: 'user', role, emailAddress: 'owner@example.com' };
      const { data } = await at.drive.permissions.create({ fileId: id!, supportsAllDrives: true, sendNotificationEmail: false, requestBody });
      return data.id;
    };
    expect(await share('reader')).toBe(await share('writer'));
    const { data } = await at.drive.permissions.list({ fileId: id!, supportsAllDrives: true, fields: 'permissions(emailAddress,role)' });
    expect(data.permissions).toEqual([{ emailAddress: 'owner@example.com', role: 'writer' }]);
  });

  test('needs an address', async () => {
    await using at = await setUp();
    const { id } = await at.create();
    const requestBody = { type: 'user', role: 'writer', emailAddress: 'nobody' };
    expect(await reasonOf(at.drive.permissions.create({ fileId: id!, supportsAllDrives: true, requestBody }))).toBe('400 invalidSharingRequest');
  });
});
