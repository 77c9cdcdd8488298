import { decodeJwt } from 'jose';
import type { AccessTokens } from '../accounts/access-tokens.ts';
import { keyPrefix } from '../accounts/api-keys.service.ts';
import type { Standings } from '../accounts/standings.ts';
import type { Viewer } from '../graphql/viewer.ts';

/** Who a request speaks for, by its header `Authorization`. */
export type Identify = (authorization: string | undefined) => Promise<Viewer | 'anonymous' | 'refused'>;

const bearer = /^bearer +([\w.~+/-]+=*) *$/i;

/** When a token that was found good ends by itself; undefined for an API key, which is looked up again and again. */
export function expiryOf(authorization: string | undefined): Date | undefined {
  const token = bearer.exec(authorization ?? '')?.[1];
  if (token === undefined || token.startsWith(keyPrefix)) return undefined;
  const { exp } = decodeJwt(token);
  return exp === undefined ? undefined : new Date(exp * 1_000);
}

/**
 * Without the header: anonymous, and nothing is looked up. With anything but an API key that is good, or a token of ours
 * that is good and whose session has not ended: refused. Throws UnavailableError where that cannot be known now.
 */
export function createIdentify({ tokens, standings }: { tokens: AccessTokens; standings: Standings }): Identify {
  return async (authorization) => {
    if (authorization === undefined) return 'anonymous';
    const token = bearer.exec(authorization)?.[1];
    if (token?.startsWith(keyPrefix)) return (await standings.ofKey(token)) ?? 'refused';
    const holder = token && (await tokens.verify(token));
    return (holder && (await standings.ofSession(holder.sessionId))) || 'refused';
  };
}
