import { generateKeyPairSync, randomBytes, type KeyObject } from 'node:crypto';

/** What a service account's key file says of it. */
export interface ServiceAccount {
  kind: 'serviceAccount';
  email: string;
  project: string;
  /** PKCS #8, PEM. */
  privateKey: string;
  privateKeyId: string;
}

/** A person who has granted an OAuth client access to their files. */
export interface GoogleUser {
  kind: 'user';
  email: string;
  /** The project of the OAuth client: quotas are counted for it, and application properties are its own. */
  project: string;
  clientId: string;
  clientSecret: string;
  refreshToken: string;
}

export type Account = ServiceAccount | GoogleUser;

export interface Accounts {
  addServiceAccount(options?: { email?: string; project?: string }): ServiceAccount;
  addUser(options?: { email?: string; project?: string }): GoogleUser;
  /** Takes back what was granted: the refresh token or key, and every access token. Nothing says so but the next call. */
  revoke(account: Account): void;
  isRevoked(account: Account): boolean;
  serviceAccount(email: string): ServiceAccount | undefined;
  publicKey(account: ServiceAccount): KeyObject;
  user(refreshToken: string): GoogleUser | undefined;
  oauthClientSecret(clientId: string): string | undefined;
  byEmail(email: string): Account | undefined;
}

export function createAccounts(): Accounts {
  const known: Account[] = [];
  const keys = new Map<string, KeyObject>();
  const revoked = new Set<string>();
  const nextEmail = (name: string, domain: string) => `${name}-${known.length + 1}@${domain}`;
  const find = <Kind extends Account['kind']>(kind: Kind, holds: (account: Extract<Account, { kind: Kind }>) => boolean) =>
    known.filter((account): account is Extract<Account, { kind: Kind }> => account.kind === kind).find(holds);
  return {
    addServiceAccount({ project = 'formwire-project', email = nextEmail('sheets', `${project}.iam.gserviceaccount.com`) } = {}) {
      const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
      const privateKeyPem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
      const account: ServiceAccount = { kind: 'serviceAccount', email, project, privateKey: privateKeyPem, privateKeyId: randomBytes(20).toString('hex') };
      known.push(account);
      keys.set(email, publicKey);
      return account;
    },
    addUser({ project = 'formwire-project', email = nextEmail('owner', 'example.com') } = {}) {
      const account: GoogleUser = {
        kind: 'user',
        email,
        project,
        clientId: `${project}.apps.googleusercontent.com`,
        clientSecret: `GOCSPX-${project}`,
        refreshToken: `1//${randomBytes(24).toString('base64url')}`,
      };
      known.push(account);
      return account;
    },
    revoke: (account) => void revoked.add(account.email),
    isRevoked: (account) => revoked.has(account.email),
    serviceAccount: (email) => find('serviceAccount', (account) => account.email === email),
    publicKey(account) {
      const key = keys.get(account.email);
      if (key === undefined) throw new Error(`${account.email} is not an account of this simulator.`);
      return key;
    },
    user: (refreshToken) => find('user', (account) => account.refreshToken === refreshToken),
    oauthClientSecret: (clientId) => find('user', (account) => account.clientId === clientId)?.clientSecret,
    byEmail: (email) => known.find((account) => account.email === email),
  };
}
