import { generateKeyPairSync } from 'node:crypto';
import { OAuth2Client } from 'google-auth-library';
import { describe, expect, test } from 'vitest';
import { assertionForm, connect, connectServiceAccount, requestToken, signAssertion } from '../support/google/clients.ts';
import { spreadsheetType } from '../support/google/drive-files.ts';
import { startGoogle, type GoogleSimulator } from '../support/google/google.ts';
import type { GoogleUser } from '../support/google/accounts.ts';
import { describeError } from '../support/google/sheet-of.ts';
import { createManualClock } from '../support/simulators/clock.ts';

const refreshForm = ({ clientId, clientSecret, refreshToken }: GoogleUser) => ({
  grant_type: 'refresh_token',
  client_id: clientId,
  client_secret: clientSecret,
  refresh_token: refreshToken,
});

function connectUser(google: GoogleSimulator, user: GoogleUser) {
  const auth = new OAuth2Client({ clientId: user.clientId, clientSecret: user.clientSecret, endpoints: { oauth2TokenUrl: google.tokenUrl } });
  auth.setCredentials({ refresh_token: user.refreshToken });
  return connect(google, auth);
}

describe('the token endpoint', () => {
  test('takes an assertion that the account signed for it', async () => {
    await using google = await startGoogle();
    const account = google.accounts.addServiceAccount();
    for (const audience of ['https://oauth2.googleapis.com/token', google.tokenUrl]) {
      const { status, body } = await requestToken(google.tokenUrl, assertionForm(await signAssertion(account, { audience })));
      expect({ status, body }).toMatchObject({ status: 200, body: { token_type: 'Bearer', expires_in: 3599 } });
    }
  });

  test.each([
    ['signed with another key', async () => ({ privateKey: generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({ type: 'pkcs8', format: 'pem' }).toString() }), 'Invalid JWT Signature.'],
    ['meant for another server', async () => ({ audience: 'https://example.com' }), 'audience'],
    ['that has expired', async () => ({ issuedAt: Math.floor(Date.now() / 1000) - 7200 }), 'short-lived'],
    ['that lasts longer than an hour', async () => ({ expiresIn: 3601 }), 'short-lived'],
    ['from the future', async () => ({ issuedAt: Math.floor(Date.now() / 1000) + 3000, expiresIn: 60 }), 'short-lived'],
  ])('refuses an assertion %s', async (_, changes, description) => {
    await using google = await startGoogle();
    const account = google.accounts.addServiceAccount();
    const { status, body } = await requestToken(google.tokenUrl, assertionForm(await signAssertion(account, await changes())));
    expect([status, body['error']]).toEqual([400, 'invalid_grant']);
    expect(body['error_description']).toContain(description);
  });

  test('refuses an account it does not know', async () => {
    await using google = await startGoogle();
    await using elsewhere = await startGoogle();
    const account = elsewhere.accounts.addServiceAccount({ email: 'unknown@example.com' });
    const { body } = await requestToken(google.tokenUrl, assertionForm(await signAssertion(account)));
    expect(body).toEqual({ error: 'invalid_grant', error_description: 'Invalid grant: account not found' });
  });

  test('refuses a wrong client, a wrong refresh token and one that was revoked, each in its words', async () => {
    await using google = await startGoogle();
    const form = refreshForm(google.accounts.addUser());
    const answer = async (changes: Partial<typeof form>) => {
      const { status, body } = await requestToken(google.tokenUrl, { ...form, ...changes });
      return [status, body['error'] ?? 'granted'];
    };
    expect(await answer({})).toEqual([200, 'granted']);
    expect(await answer({ client_secret: 'wrong' })).toEqual([401, 'invalid_client']);
    expect(await answer({ refresh_token: 'wrong' })).toEqual([400, 'invalid_grant']);
    google.accounts.revoke(google.accounts.user(form.refresh_token)!);
    expect(await answer({})).toEqual([400, 'invalid_grant']);
  });
});

describe('an access token', () => {
  test('of a user makes files that are theirs', async () => {
    await using google = await startGoogle();
    const user = google.accounts.addUser();
    const { drive } = connectUser(google, user);
    await drive.files.create({ requestBody: { name: 'Mine', mimeType: spreadsheetType } });
    expect(google.files().map(({ name, owner }) => [name, owner])).toEqual([['Mine', user.email]]);
  });

  test('is no longer taken once access was revoked, and no new one is to be had', async () => {
    await using google = await startGoogle();
    const user = google.accounts.addUser();
    const { drive } = connectUser(google, user);
    await drive.files.list();
    google.accounts.revoke(user);
    const errorOf = (call: Promise<unknown>) => call.then(() => 'none', describeError);
    expect(await errorOf(drive.files.list())).toContain('401');
    expect(await errorOf(connectUser(google, user).drive.files.list())).toContain('invalid_grant');
    expect(google.requests.map(({ operation, status }) => `${operation} ${status}`)).toEqual([
      'token 200',
      'drive.files.list 200',
      'drive.files.list 401',
      'token 400',
    ]);
  });

  test('ends after an hour by the clock', async () => {
    const clock = createManualClock();
    await using google = await startGoogle({ clock });
    const { body } = await requestToken(google.tokenUrl, refreshForm(google.accounts.addUser()));
    const status = async () => (await fetch(`${google.url}/drive/v3/files`, { headers: { authorization: `Bearer ${String(body['access_token'])}` } })).status;
    expect(await status()).toBe(200);
    clock.advance(3_600_000);
    expect(await status()).toBe(401);
  });

  test('serves the scopes it was made for', async () => {
    await using google = await startGoogle();
    const account = google.accounts.addServiceAccount();
    const { drive } = connectServiceAccount(google, account, { scope: 'https://www.googleapis.com/auth/spreadsheets' });
    await expect(drive.files.list()).rejects.toMatchObject({ status: 403, response: { data: { error: { errors: [{ reason: 'insufficientPermissions' }] } } } });
  });
});
