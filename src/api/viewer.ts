import type { AccessTokens } from '../accounts/access-tokens.ts';
import type { Standings } from '../accounts/standings.ts';
import type { Viewer } from '../graphql/context.ts';

/** Who a request speaks for, by its header `Authorization`. */
export type Identify = (authorization: string | undefined) => Promise<Viewer | 'anonymous' | 'refused'>;

const bearer = /^bearer +([\w.~+/-]+=*) *$/i;

/**
 * Without the header: anonymous, and nothing is looked up. With anything but a bearer token of ours that is still good,
 * of a session that has not ended: refused. Throws UnavailableError where that cannot be known now.
 */
export function createIdentify({ tokens, standings }: { tokens: AccessTokens; standings: Standings }): Identify {
  return async (authorization) => {
    if (authorization === undefined) return 'anonymous';
    const token = bearer.exec(authorization)?.[1];
    const holder = token && (await tokens.verify(token));
    return (holder && (await standings.ofSession(holder.sessionId))) || 'refused';
  };
}
