import { hash } from 'node:crypto';
import type { QuotaRate } from '../provider.ts';
import { parseKeyFile, type GoogleSheetsSettings } from './settings.ts';

/** Who is asking Google. `id` tells credentials apart without showing them: it changes with every secret in them. */
export type Credentials = ServiceAccount | Person;

export interface ServiceAccount {
  kind: 'serviceAccount';
  id: string;
  email: string;
  privateKey: string;
  keyId: string | undefined;
  project: string;
}

export interface Person {
  kind: 'person';
  id: string;
  clientId: string;
  clientSecret: string;
  refreshToken: string;
}

/** Throws where settings name nobody, which their schema does not let through. */
export function credentialsOf({ serviceAccount, oauth }: GoogleSheetsSettings): Credentials {
  if (oauth) return { kind: 'person', id: digest(oauth.clientId, oauth.clientSecret, oauth.refreshToken), ...oauth };
  const file = parseKeyFile(serviceAccount?.key ?? '');
  if (!file) throw new Error('settings without credentials');
  const { client_email: email, private_key: privateKey, private_key_id: keyId, project_id: project } = file;
  return { kind: 'serviceAccount', id: digest(email, privateKey), email, privateKey, keyId, project };
}

/** What an owner knows the credentials by. */
export const accountName = (credentials: Credentials): string =>
  credentials.kind === 'serviceAccount' ? `the service account ${credentials.email}` : 'the Google account that was connected';

/**
 * Google takes 60 writes a minute of an account and 300 of a project. A call of ours is one write; what is left over is
 * for the few that are more: a new column, a part, a second try. Reads have as many of their own, and a call has one at
 * most. Source: Sheets API, "Usage limits".
 */
export function quotasOf(settings: GoogleSheetsSettings): QuotaRate[] {
  const credentials = credentialsOf(settings);
  const [account, project] =
    credentials.kind === 'serviceAccount'
      ? [credentials.email, credentials.project]
      : [digest(credentials.refreshToken), credentials.clientId.split('-')[0] ?? credentials.clientId];
  return [
    { name: `google:account:${account}`, perMinute: 54, burst: 2 },
    { name: `google:project:${project}`, perMinute: 270, burst: 10 },
  ];
}

const digest = (...parts: string[]): string => hash('sha256', JSON.stringify(parts)).slice(0, 32);
