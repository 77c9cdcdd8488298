import { createHash, createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto';
import { errors, jwtVerify, SignJWT } from 'jose';
import { isId, type Id } from '../events/id.ts';

const issuer = 'formwire';
const audience = 'formwire-api';
const algorithm = 'EdDSA';
const lifetimeSeconds = 3_600;
const maxRemembered = 10_000;

/** Whose token it is, and the session it belongs to; what both are worth now is for `Standings` to say. */
export interface TokenHolder {
  userId: Id<'usr'>;
  sessionId: Id<'ses'>;
}

/** Signs and checks the tokens that calls carry. */
export interface AccessTokens {
  /** A JWT that names its holder for one hour. */
  sign(holder: TokenHolder): Promise<string>;
  /** Whose token it is; undefined where it is not one of ours, was altered, or has expired. */
  verify(token: string): Promise<TokenHolder | undefined>;
}

export interface AccessTokenOptions {
  /** An Ed25519 key in PKCS 8; every process of an installation signs with the same one. */
  privateKeyPem: string;
  /** Keys, private or public, whose tokens are still taken; a token names its key by `kid`. */
  oldKeyPems?: readonly string[];
  now: () => Date;
}

/**
 * A token that was checked once is remembered until it expires, so that the calls of one client cost a look-up, not a
 * signature.
 */
export function createAccessTokens({ privateKeyPem, oldKeyPems = [], now }: AccessTokenOptions): AccessTokens {
  const privateKey = createPrivateKey(privateKeyPem);
  const kid = keyId(createPublicKey(privateKey));
  const publicKeys = new Map([privateKeyPem, ...oldKeyPems].map((pem) => createPublicKey(pem)).map((key) => [keyId(key), key]));
  const remembered = new Map<string, { holder: TokenHolder; expiresAtMs: number }>();

  const recall = (token: string): TokenHolder | undefined => {
    const known = remembered.get(token);
    if (!known) return undefined;
    if (known.expiresAtMs > now().getTime()) return known.holder;
    remembered.delete(token);
    return undefined;
  };

  const remember = (token: string, holder: TokenHolder, expiresAtMs: number): void => {
    const [oldest] = remembered.keys();
    if (remembered.size >= maxRemembered && oldest !== undefined) remembered.delete(oldest);
    remembered.set(token, { holder, expiresAtMs });
  };

  return {
    sign: ({ userId, sessionId }) => {
      const issuedAt = Math.floor(now().getTime() / 1_000);
      return new SignJWT({ sid: sessionId })
        .setProtectedHeader({ alg: algorithm, typ: 'JWT', kid })
        .setSubject(userId)
        .setIssuer(issuer)
        .setAudience(audience)
        .setIssuedAt(issuedAt)
        .setExpirationTime(issuedAt + lifetimeSeconds)
        .sign(privateKey);
    },
    verify: async (token) => {
      const known = recall(token);
      if (known) return known;
      const claims = await verifiedClaims(token, { publicKeys, now: now() });
      const holder = claims && holderOf(claims);
      if (holder) remember(token, holder, (claims.exp ?? 0) * 1_000);
      return holder;
    },
  };
}

/** Names a key by what it is, so that no name has to be configured: the beginning of a hash of its public half. */
const keyId = (publicKey: KeyObject): string =>
  createHash('sha256').update(publicKey.export({ type: 'spki', format: 'der' })).digest('base64url').slice(0, 16);

interface Claims {
  sub?: string | undefined;
  exp?: number | undefined;
  sid?: unknown;
}

async function verifiedClaims(
  token: string,
  { publicKeys, now }: { publicKeys: ReadonlyMap<string, KeyObject>; now: Date },
): Promise<Claims | undefined> {
  const keyOf = ({ kid = '' }: { kid?: string }): KeyObject => {
    const key = publicKeys.get(kid);
    if (!key) throw new errors.JWKSNoMatchingKey();
    return key;
  };
  try {
    const { payload } = await jwtVerify(token, keyOf, {
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

function holderOf({ sub, sid }: Claims): TokenHolder | undefined {
  if (typeof sub !== 'string' || typeof sid !== 'string' || !isId('usr', sub) || !isId('ses', sid)) return undefined;
  return { userId: sub, sessionId: sid };
}
