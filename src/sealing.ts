import { createCipheriv, createDecipheriv, createHash, randomBytes } from 'node:crypto';

/** Keeps texts unreadable at rest: who has the database alone learns nothing. */
export interface Sealer {
  /** Another text every time. `context` names what it belongs to: it opens there and nowhere else. */
  seal(text: string, context: string): string;
  /** Throws where it was sealed by a key that is not here, for another context, or was changed. */
  open(sealed: string, context: string): string;
  /** Whether it was sealed by the present key; what was not is to be sealed again. */
  isCurrent(sealed: string): boolean;
}

const prefix = 'sealed:1:';
const cipherName = 'aes-256-gcm';
const keyBytes = 32;
/** Source: NIST SP 800-38D, 8.2: 96 bits, at random, for up to 2^32 texts of a key. */
const nonceBytes = 12;
const tagBytes = 16;

/**
 * Seals by AES-256-GCM with the first of `keys` (32 bytes each) and opens with any of them, so that a key can be
 * replaced while the old one still opens. A sealed text is `sealed:1:<key>:<nonce, text and tag in base64url>`.
 */
export function createSealer(keys: readonly [Buffer, ...Buffer[]]): Sealer {
  for (const key of keys) if (key.length !== keyBytes) throw new RangeError(`a sealing key has ${keyBytes} bytes`);
  const known = new Map(keys.map((key) => [nameOf(key), key]));
  const [current] = keys;
  const currentName = nameOf(current);

  return {
    seal: (text, context) => {
      const nonce = randomBytes(nonceBytes);
      const cipher = createCipheriv(cipherName, current, nonce).setAAD(Buffer.from(context));
      const sealed = Buffer.concat([nonce, cipher.update(text, 'utf8'), cipher.final(), cipher.getAuthTag()]);
      return `${prefix}${currentName}:${sealed.toString('base64url')}`;
    },
    open: (sealed, context) => {
      const body = sealed.slice(prefix.length).split(':')[1] ?? '';
      const key = isSealed(sealed) ? known.get(sealedBy(sealed)) : undefined;
      if (!key) throw new Error('This was sealed with a key that is not configured.');
      return opened({ key, bytes: Buffer.from(body, 'base64url'), context });
    },
    isCurrent: (sealed) => sealed.startsWith(`${prefix}${currentName}:`),
  };
}

/** Whether a text is a sealed one. */
export const isSealed = (text: unknown): text is string => typeof text === 'string' && text.startsWith(prefix);

function opened({ key, bytes, context }: { key: Buffer; bytes: Buffer; context: string }): string {
  const decipher = createDecipheriv(cipherName, key, bytes.subarray(0, nonceBytes), { authTagLength: tagBytes });
  decipher.setAAD(Buffer.from(context)).setAuthTag(bytes.subarray(-tagBytes));
  return decipher.update(bytes.subarray(nonceBytes, -tagBytes), undefined, 'utf8') + decipher.final('utf8');
}

/** The name of the key that sealed a text. */
export const sealedBy = (sealed: string): string => sealed.slice(prefix.length).split(':')[0] ?? '';

/** Tells keys apart without telling them. */
export const nameOf = (key: Buffer): string => createHash('sha256').update(key).digest('hex').slice(0, 8);
