import { randomBytes } from 'node:crypto';
import { decodeJwt, errors, jwtVerify } from 'jose';
import type { Clock } from '../simulators/clock.ts';
import type { Reply } from '../simulators/server.ts';
import type { Account, Accounts } from './accounts.ts';

export interface AccessToken {
  account: Account;
  scopes: string[];
  expiresAt: Date;
}

export interface Tokens {
  /** Answers a request of the token endpoint, given its form. */
  grant(form: URLSearchParams): Promise<Reply>;
  /** Undefined for one that is unknown, expired or revoked. */
  verify(authorization: string | undefined): AccessToken | undefined;
}

const lifetimeSeconds = 3599;
const assertionLifetimeSeconds = 3600;
const clockSkewSeconds = 300;
const allScopes = 'https://www.googleapis.com/auth/drive https://www.googleapis.com/auth/spreadsheets';

/**
 * Google's token endpoint: assertions of service accounts (RFC 7523) and refresh tokens. `audiences` are the addresses
 * an assertion may be meant for. Source: "Using OAuth 2.0 for server to server applications".
 */
export function createTokens(deps: { accounts: Accounts; clock: Clock; audiences: () => string[] }): Tokens {
  const { accounts, clock } = deps;
  const issued = new Map<string, AccessToken>();
  const issue = (account: Account, scope: string): Reply => {
    const token = `ya29.${randomBytes(32).toString('base64url')}`;
    const expiresAt = new Date(clock.now().getTime() + lifetimeSeconds * 1000);
    issued.set(token, { account, scopes: scope.split(' '), expiresAt });
    return { status: 200, body: { access_token: token, expires_in: lifetimeSeconds, token_type: 'Bearer', scope } };
  };
  return {
    async grant(form) {
      const grantType = form.get('grant_type');
      if (grantType === 'refresh_token') return refresh(form, accounts, issue);
      if (grantType === 'urn:ietf:params:oauth:grant-type:jwt-bearer') return assertion(form, deps, issue);
      return refusal(400, 'unsupported_grant_type', `Invalid grant_type: ${grantType ?? ''}`);
    },
    verify(authorization) {
      const token = issued.get(/^Bearer (.+)$/.exec(authorization ?? '')?.[1] ?? '');
      if (token === undefined || token.expiresAt <= clock.now() || accounts.isRevoked(token.account)) return undefined;
      return token;
    },
  };
}

type Issue = (account: Account, scope: string) => Reply;

function refresh(form: URLSearchParams, accounts: Accounts, issue: Issue): Reply {
  const secret = accounts.oauthClientSecret(form.get('client_id') ?? '');
  if (secret === undefined) return refusal(401, 'invalid_client', 'The OAuth client was not found.');
  if (secret !== form.get('client_secret')) return refusal(401, 'invalid_client', 'Unauthorized');
  const user = accounts.user(form.get('refresh_token') ?? '');
  if (user === undefined) return refusal(400, 'invalid_grant', 'Bad Request');
  if (accounts.isRevoked(user)) return refusal(400, 'invalid_grant', 'Token has been expired or revoked.');
  return issue(user, allScopes);
}

async function assertion(
  form: URLSearchParams,
  { accounts, clock, audiences }: Parameters<typeof createTokens>[0],
  issue: Issue,
): Promise<Reply> {
  const jwt = form.get('assertion') ?? '';
  const claims = claimsOf(jwt);
  if (claims === undefined) return refusal(400, 'invalid_grant', 'Invalid JWT: Failed to parse.');
  const account = accounts.serviceAccount(claims.iss ?? '');
  if (account === undefined) return refusal(400, 'invalid_grant', 'Invalid grant: account not found');
  const now = clock.now();
  try {
    await jwtVerify(jwt, accounts.publicKey(account), { algorithms: ['RS256'], currentDate: now, clockTolerance: clockSkewSeconds, audience: audiences() });
  } catch (error) {
    return refuseAssertion(error);
  }
  if (accounts.isRevoked(account)) return refusal(400, 'invalid_grant', 'Invalid JWT Signature.');
  const { iat = 0, exp = Infinity } = claims;
  const seconds = now.getTime() / 1000;
  if (exp - iat > assertionLifetimeSeconds || iat > seconds + clockSkewSeconds || exp < seconds) return refusal(400, 'invalid_grant', unreasonableTime);
  if (typeof claims['scope'] !== 'string') return refusal(400, 'invalid_scope', 'Invalid OAuth scope or ID token audience provided.');
  return issue(account, claims['scope']);
}

const unreasonableTime =
  'Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable timeframe. Check your iat and exp values in the JWT claim.';

function refuseAssertion(error: unknown): Reply {
  if (error instanceof errors.JWTExpired) return refusal(400, 'invalid_grant', unreasonableTime);
  if (error instanceof errors.JWTClaimValidationFailed && error.claim === 'aud') {
    return refusal(400, 'invalid_grant', 'Invalid JWT: Failed audience check. The right audience is https://oauth2.googleapis.com/token');
  }
  return refusal(400, 'invalid_grant', 'Invalid JWT Signature.');
}

function claimsOf(jwt: string) {
  try {
    return decodeJwt(jwt);
  } catch {
    return undefined;
  }
}

const refusal = (status: number, error: string, description: string): Reply => ({ status, body: { error, error_description: description } });
