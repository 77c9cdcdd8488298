import { importPKCS8, SignJWT } from 'jose';
import { z } from 'zod';
import { createBoundedCache } from '../../src/bounded-cache.ts';
import type { CallContext, HttpReply } from '../provider.ts';
import { accountName, type Credentials, type ServiceAccount } from './credentials.ts';
import { GoogleTrouble, tokenTroubleOf } from './trouble.ts';

export type TokenContext = Pick<CallContext<unknown>, 'http' | 'signal' | 'now' | 'serviceUrl'>;

/** Access tokens, kept for as long as they are good: one for each set of credentials, and never one for another. */
export interface AccessTokens {
  /** Throws GoogleTrouble where Google gives none. */
  of(credentials: Credentials, context: TokenContext): Promise<string>;
  /** Google did not take it any more. */
  forget(credentials: Credentials): void;
}

/** The root of the simulator has all of Google below it; Google itself has a host for each service. */
const tokenUrl = 'https://oauth2.googleapis.com/token';
const scope = 'https://www.googleapis.com/auth/drive';
const limits = { kept: 10_000, timeoutMs: 10_000, assertionSeconds: 3_600, earlyMs: 300_000 };

const grant = z.object({ access_token: z.string().min(1), expires_in: z.number().positive() });
const refusal = z.object({ error: z.string().catch(''), error_description: z.string().catch('') }).catch({ error: '', error_description: '' });

export function createAccessTokens(): AccessTokens {
  const known = createBoundedCache<string, { token: string; goodUntil: number }>({ maxWeight: limits.kept });
  return {
    async of(credentials, context) {
      const now = context.now().getTime();
      const kept = known.get(credentials.id);
      if (kept && now < kept.goodUntil) return kept.token;
      const { access_token: token, expires_in: seconds } = await requestToken(credentials, context);
      known.set(credentials.id, { token, goodUntil: now + seconds * 1_000 - limits.earlyMs }, 1);
      return token;
    },
    forget: ({ id }) => known.delete(id),
  };
}

async function requestToken(credentials: Credentials, context: TokenContext): Promise<z.output<typeof grant>> {
  const { http, signal, now, serviceUrl } = context;
  const root = serviceUrl('google');
  const reply = await http.post({
    url: root === undefined ? tokenUrl : `${root}/token`,
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: Buffer.from(new URLSearchParams(await formOf(credentials, now())).toString()),
    timeoutMs: limits.timeoutMs,
    signal,
  });
  return grantIn(reply, { account: accountName(credentials), now: now() });
}

function grantIn(reply: HttpReply, about: { account: string; now: Date }): z.output<typeof grant> {
  if (reply.kind === 'failure') throw new GoogleTrouble({ status: 'retry', error: reply.error, reason: reply.message });
  const { status: httpStatus, headers, body } = reply;
  if (httpStatus !== 200) {
    const { error, error_description: message } = refusal.parse(parsed(body));
    const retryAfter = headers['retry-after'];
    throw new GoogleTrouble(tokenTroubleOf({ httpStatus, reasons: [error], message, retryAfter: Array.isArray(retryAfter) ? retryAfter[0] : retryAfter }, about));
  }
  const granted = grant.safeParse(parsed(body));
  if (!granted.success) throw new GoogleTrouble({ status: 'retry', error: 'RESPONSE_INVALID', reason: 'Google answered the request for access with something that makes no sense.' });
  return granted.data;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

async function formOf(credentials: Credentials, now: Date): Promise<Record<string, string>> {
  if (credentials.kind === 'person') {
    const { clientId, clientSecret, refreshToken } = credentials;
    return { grant_type: 'refresh_token', client_id: clientId, client_secret: clientSecret, refresh_token: refreshToken };
  }
  return { grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer', assertion: await assertionOf(credentials, now) };
}

/** Source: RFC 7523; Google, "Using OAuth 2.0 for server to server applications". */
async function assertionOf({ email, privateKey, keyId }: ServiceAccount, now: Date): Promise<string> {
  const issuedAt = Math.floor(now.getTime() / 1_000);
  return new SignJWT({ scope })
    .setProtectedHeader({ alg: 'RS256', typ: 'JWT', ...(keyId === undefined ? {} : { kid: keyId }) })
    .setIssuer(email)
    .setAudience(tokenUrl)
    .setIssuedAt(issuedAt)
    .setExpirationTime(issuedAt + limits.assertionSeconds)
    .sign(await importPKCS8(privateKey, 'RS256'));
}
