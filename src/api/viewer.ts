import type { AccessTokens } from '../accounts/access-tokens.ts';
import type { Viewer } from '../graphql/context.ts';

/** Who a request speaks for, by its header `Authorization`. */
export type Identify = (authorization: string | undefined) => Promise<Viewer | 'anonymous' | 'refused'>;

const bearer = /^bearer +([\w.~+/-]+=*) *$/i;

/** Without the header: anonymous. With anything but a bearer token of ours that is still good: refused. */
export function createIdentify({ tokens }: { tokens: AccessTokens }): Identify {
  return async (authorization) => {
    if (authorization === undefined) return 'anonymous';
    const token = bearer.exec(authorization)?.[1];
    return (token && (await tokens.verify(token))) || 'refused';
  };
}
