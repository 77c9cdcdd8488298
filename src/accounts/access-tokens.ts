import { createPrivateKey, createPublicKey } from 'node:crypto';
import { errors, jwtVerify, SignJWT } from 'jose';
import { isId } from '../events/id.ts';
import type { Viewer } from '../graphql/context.ts';

const issuer = 'formwire';
const audience = 'formwire-api';
const algorithm = 'EdDSA';
const lifetimeSeconds = 3_600;
const maxRemembered = 10_000;

/** Signs and checks the tokens that calls carry. */
export interface AccessTokens {
  /** A JWT that says who the viewer is for one hour. */
  sign(viewer: Viewer): Promise<string>;
  /** Who a token speaks for; undefined where it is not one of ours, was altered, or has expired. */
  verify(token: string): Promise<Viewer | undefined>;
}

/**
 * `privateKeyPem`: an Ed25519 key in PKCS 8; every process of an installation has the same one. A token that was
 * checked once is remembered until it expires, so that the calls of one client cost a look-up, not a signature.
 */
export function createAccessTokens({ privateKeyPem, now }: { privateKeyPem: string; now: () => Date }): AccessTokens {
  const privateKey = createPrivateKey(privateKeyPem);
  const publicKey = createPublicKey(privateKey);
  const remembered = new Map<string, { viewer: Viewer; expiresAtMs: number }>();

  const recall = (token: string): Viewer | undefined => {
    const known = remembered.get(token);
    if (!known) return undefined;
    if (known.expiresAtMs > now().getTime()) return known.viewer;
    remembered.delete(token);
    return undefined;
  };

  const remember = (token: string, viewer: Viewer, expiresAtMs: number): void => {
    const [oldest] = remembered.keys();
    if (remembered.size >= maxRemembered && oldest !== undefined) remembered.delete(oldest);
    remembered.set(token, { viewer, expiresAtMs });
  };

  return {
    sign: (viewer) => {
      const issuedAt = Math.floor(now().getTime() / 1_000);
      return new SignJWT({ org: viewer.organizationId })
        .setProtectedHeader({ alg: algorithm, typ: 'JWT' })
        .setSubject(viewer.userId)
        .setIssuer(issuer)
        .setAudience(audience)
        .setIssuedAt(issuedAt)
        .setExpirationTime(issuedAt + lifetimeSeconds)
        .sign(privateKey);
    },
    verify: async (token) => {
      const known = recall(token);
      if (known) return known;
      const claims = await verifiedClaims(token, { publicKey, now: now() });
      const viewer = claims && viewerOf(claims);
      if (viewer) remember(token, viewer, (claims.exp ?? 0) * 1_000);
      return viewer;
    },
  };
}

interface Claims {
  sub?: string | undefined;
  exp?: number | undefined;
  org?: unknown;
}

async function verifiedClaims(
  token: string,
  { publicKey, now }: { publicKey: ReturnType<typeof createPublicKey>; now: Date },
): Promise<Claims | undefined> {
  try {
    const { payload } = await jwtVerify(token, publicKey, {
      issuer,
      audience,
      algorithms: [algorithm],
      requiredClaims: ['exp', 'sub'],
      currentDate: now,
    });
    return payload;
  } catch (error) {
    if (error instanceof errors.JOSEError) return undefined;
    throw error;
  }
}

function viewerOf({ sub, org }: Claims): Viewer | undefined {
  if (typeof sub !== 'string' || typeof org !== 'string' || !isId('usr', sub) || !isId('org', org)) return undefined;
  return { userId: sub, organizationId: org };
}
