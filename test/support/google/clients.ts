import { drive, type drive_v3 } from '@googleapis/drive';
import { sheets, type sheets_v4 } from '@googleapis/sheets';
import { OAuth2Client } from 'google-auth-library';
import { importPKCS8, SignJWT } from 'jose';
import type { ServiceAccount } from './accounts.ts';
import type { GoogleSimulator } from './google.ts';

export interface GoogleClients {
  drive: drive_v3.Drive;
  sheets: sheets_v4.Sheets;
}

export interface AssertionChanges {
  audience?: string;
  /** Seconds from now. */
  expiresIn?: number;
  scope?: string;
  privateKey?: string;
  issuedAt?: number;
}

const bothScopes = 'https://www.googleapis.com/auth/drive https://www.googleapis.com/auth/spreadsheets';

/** An assertion as a service account signs it, or as it should not. */
export async function signAssertion(account: ServiceAccount, changes: AssertionChanges = {}): Promise<string> {
  const issuedAt = changes.issuedAt ?? Math.floor(Date.now() / 1000);
  const key = await importPKCS8(changes.privateKey ?? account.privateKey, 'RS256');
  return new SignJWT({ scope: changes.scope ?? bothScopes })
    .setProtectedHeader({ alg: 'RS256', typ: 'JWT', kid: account.privateKeyId })
    .setIssuer(account.email)
    .setAudience(changes.audience ?? 'https://oauth2.googleapis.com/token')
    .setIssuedAt(issuedAt)
    .setExpirationTime(issuedAt + (changes.expiresIn ?? 3600))
    .sign(key);
}

export async function requestToken(tokenUrl: string, form: Record<string, string>): Promise<{ status: number; body: Record<string, unknown> }> {
  const response = await fetch(tokenUrl, { method: 'POST', body: new URLSearchParams(form) });
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
}

export const assertionForm = (assertion: string) => ({ grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer', assertion });

/** Google's own clients for a service account, set up against the simulator. */
export function connectServiceAccount(google: GoogleSimulator, account: ServiceAccount, changes: AssertionChanges = {}): GoogleClients {
  const auth = new OAuth2Client();
  auth.refreshHandler = async () => {
    const { body } = await requestToken(google.tokenUrl, assertionForm(await signAssertion(account, changes)));
    return { access_token: String(body['access_token']), expiry_date: Date.now() + Number(body['expires_in']) * 1000 };
  };
  return connect(google, auth);
}

/** Google's own clients with any way to authenticate. They do not retry by themselves. */
export function connect(google: GoogleSimulator, auth: OAuth2Client): GoogleClients {
  const options = { auth, rootUrl: google.rootUrl, retry: false };
  return { drive: drive({ version: 'v3', ...options }), sheets: sheets({ version: 'v4', ...options }) };
}
