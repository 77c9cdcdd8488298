import { createHash, randomBytes } from 'node:crypto';

/** A secret that whoever holds it may use: 32 random bytes, as text that fits into a URL and a header. */
export const newSecretToken = (): string => randomBytes(32).toString('base64url');

/**
 * What is stored of a secret: SHA-256, in hexadecimal. It needs no salt and no slowness, for there is nothing to guess
 * in 256 random bits; that is only true of our own secrets, never of passwords.
 */
export const hashOfSecret = (secret: string): string => createHash('sha256').update(secret).digest('hex');
