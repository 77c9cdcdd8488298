import { generateKeyPairSync } from 'node:crypto';
import { expect, test } from 'vitest';
import { quotasOf } from '../../integrations/google-sheets/credentials.ts';
import { googleSheetsSettings } from '../../integrations/google-sheets/settings.ts';
import { keyFileOf } from '../support/google/key-file.ts';

const pem = (type: 'rsa' | 'ed25519') =>
  generateKeyPairSync(type as 'rsa', { modulusLength: 2_048 }).privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
const account = (members: { privateKey?: string; email?: string; project?: string } = {}) =>
  ({ key: keyFileOf({ kind: 'serviceAccount', email: 'a@p.example', project: 'p', privateKeyId: 'k', privateKey: rsa, ...members }) });
const rsa = pem('rsa');
const oauth = { clientId: '123-x.apps.googleusercontent.com', clientSecret: 's', refreshToken: 'r' };
const folderId = '0AAAAAAAAAAAAAAAA';

const refused: [string, unknown, string][] = [
  ['nobody', { folderId }, 'either a service account or'],
  ['two at once', { serviceAccount: account(), oauth, folderId }, 'either a service account or'],
  ['a service account without a drive', { serviceAccount: account() }, 'no storage of its own'],
  ['a key that is no JSON', { serviceAccount: { key: 'MIIE' }, folderId }, 'not the JSON key file'],
  ['the key file of something else', { serviceAccount: { key: '{"type":"authorized_user"}' }, folderId }, 'not the JSON key file'],
  ['a private key that Google makes none of', { serviceAccount: account({ privateKey: pem('ed25519') }), folderId }, 'not the JSON key file'],
  ['an address in place of a folder’s id', { oauth, folderId: 'https://drive.google.com/x' }, 'stands last in its address'],
  ['a folder’s id that would end a query', { oauth, folderId: "x' or '1'='1'" }, 'stands last in its address'],
  ['a recipient that is no address', { oauth, shareWith: 'me' }, 'not an e-mail address'],
  ['an empty title', { oauth, title: '  ' }, 'The title is empty'],
];

test.each(refused)('settings with %s are refused', (_, input, message) => {
  expect(googleSheetsSettings.safeParse(input).error?.issues.map((issue) => issue.message).join(' ')).toContain(message);
});

test('settings of a service account in a drive, and of a person, are taken', () => {
  expect(googleSheetsSettings.parse({ serviceAccount: account(), folderId })).toMatchObject({ folderId, removedQuestions: 'keep' });
  expect(googleSheetsSettings.parse({ oauth, title: ' Survey ' })).toMatchObject({ title: 'Survey' });
});

test('all sheets of an account share its quota, and all accounts of a project that one, and no name has a secret in it', () => {
  const names = (input: unknown) => quotasOf(googleSheetsSettings.parse(input)).map(({ name }) => name);
  const one = names({ serviceAccount: account(), folderId });
  expect(names({ serviceAccount: account({ privateKey: pem('rsa') }), folderId, title: 'Another' })).toEqual(one);
  expect(names({ serviceAccount: account({ email: 'b@p.example' }), folderId })).toEqual(['google:account:b@p.example', one[1]]);
  const person = names({ oauth: { ...oauth, refreshToken: 'T0PSECRET' } });
  expect(person[1]).toBe('google:project:123');
  expect(person.join()).not.toContain('T0PSECRET');
  expect(names({ oauth: { ...oauth, refreshToken: 'another' } })[0]).not.toBe(person[0]);
});

test('no minute has more calls than Google allows an account and a project', () => {
  const most = quotasOf(googleSheetsSettings.parse({ oauth })).map(({ perMinute, burst }) => perMinute + burst);
  expect(most.map((calls, index) => calls <= [60, 300][index]!)).toEqual([true, true]);
});
