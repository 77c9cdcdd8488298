import { createPublicKey, generateKeyPairSync } from 'node:crypto';
import { linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { Config } from '../config.ts';

/**
 * The Ed25519 key (PKCS 8, PEM) that signs access tokens: the configured one, or one made at the first start and kept
 * beside the embedded servers' data. Several processes need the same key, so without an embedded database it must be
 * configured; throws an Error that says how.
 */
export function signingKey(config: Config): string {
  if (config.FORMWIRE_JWT_KEY) return unescaped(config.FORMWIRE_JWT_KEY);
  if (config.DATABASE_URL) {
    throw new Error(
      'FORMWIRE_JWT_KEY is missing: every process on one database must sign with the same key. Make one with: openssl genpkey -algorithm ed25519',
    );
  }
  return keptKey(path.resolve(config.FORMWIRE_DATA));
}

/** The keys (PEM) whose tokens are still taken beside those of the signing key. Throws an Error that says what is wrong. */
export function oldKeys(config: Config): string[] {
  const text = unescaped(config.FORMWIRE_JWT_OLD_KEYS ?? '');
  const pems = text.match(/-----BEGIN [A-Z ]+-----[^-]+-----END [A-Z ]+-----/g) ?? [];
  if (text.trim() !== '' && (pems.length === 0 || !pems.every(isEd25519))) {
    throw new Error('FORMWIRE_JWT_OLD_KEYS holds something that is no Ed25519 key in PEM.');
  }
  return pems;
}

function isEd25519(pem: string): boolean {
  try {
    return createPublicKey(pem).asymmetricKeyType === 'ed25519';
  } catch {
    return false;
  }
}

/** Where an environment cannot hold line ends, they are written as \\n. */
const unescaped = (pem: string): string => pem.replaceAll('\\n', '\n');

function keptKey(dir: string): string {
  const file = path.join(dir, 'access-token-key.pem');
  mkdirSync(dir, { recursive: true });
  const draft = `${file}.${process.pid}`;
  const { privateKey } = generateKeyPairSync('ed25519');
  writeFileSync(draft, privateKey.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600 });
  try {
    linkSync(draft, file); // fails where there is one: the first one stays
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
  } finally {
    rmSync(draft);
  }
  return readFileSync(file, 'utf8');
}
