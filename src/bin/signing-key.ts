import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import type { Config } from '../config.ts';
import { keptFile, keptFilePath } from './kept-file.ts';

const howToMake = 'openssl genpkey -algorithm ed25519';
export const signingKeyFile = 'access-token-key.pem';
const newKey = (): string => generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();

/**
 * The Ed25519 key (PKCS 8, PEM) that signs access tokens: the configured one, or one made at the first start and kept
 * beside the embedded servers' data. Several processes need the same key, so without an embedded database it must be
 * configured. Throws a sentence for people where there is none, or none that can sign.
 */
export function signingKey(config: Config): string {
  if (config.FORMWIRE_JWT_KEY) return checked(unescaped(config.FORMWIRE_JWT_KEY), 'FORMWIRE_JWT_KEY');
  if (config.DATABASE_URL) {
    throw new Error(
      `FORMWIRE_JWT_KEY is missing: every process on one database must sign with the same key. Make one with: ${howToMake}`,
    );
  }
  return checked(keptFile(config, { name: signingKeyFile, make: newKey }), keptFilePath(config, signingKeyFile));
}

function checked(pem: string, name: string): string {
  if (isEd25519(pem, createPrivateKey)) return pem;
  throw new Error(`${name} is no Ed25519 private key in PEM; make one with: ${howToMake}`);
}

/** The keys (PEM) whose tokens are still taken beside those of the signing key. Throws an Error that says what is wrong. */
export function oldKeys(config: Config): string[] {
  const text = unescaped(config.FORMWIRE_JWT_OLD_KEYS ?? '');
  const pems = text.match(/-----BEGIN [A-Z ]+-----[^-]+-----END [A-Z ]+-----/g) ?? [];
  if (text.trim() !== '' && (pems.length === 0 || !pems.every((pem) => isEd25519(pem, createPublicKey)))) {
    throw new Error('FORMWIRE_JWT_OLD_KEYS holds something that is no Ed25519 key in PEM.');
  }
  return pems;
}

function isEd25519(pem: string, read: (pem: string) => KeyObject): boolean {
  try {
    return read(pem).asymmetricKeyType === 'ed25519';
  } catch {
    return false;
  }
}

/** Where an environment cannot hold line ends, they are written as \\n. */
const unescaped = (pem: string): string => pem.replaceAll('\\n', '\n');
