import { generateKeyPairSync } from 'node:crypto';
import { linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { Config } from '../config.ts';

/**
 * The Ed25519 key (PKCS 8, PEM) that signs access tokens: the configured one, or one made at the first start and kept
 * beside the embedded servers' data. Several processes need the same key, so without an embedded database it must be
 * configured; throws an Error that says how.
 */
export function signingKey(config: Config): string {
  if (config.FORMWIRE_JWT_KEY) return config.FORMWIRE_JWT_KEY.replaceAll('\\n', '\n');
  if (config.DATABASE_URL) {
    throw new Error(
      'FORMWIRE_JWT_KEY is missing: every process on one database must sign with the same key. Make one with: openssl genpkey -algorithm ed25519',
    );
  }
  return keptKey(path.resolve(config.FORMWIRE_DATA));
}

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
