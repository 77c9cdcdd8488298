import { randomBytes } from 'node:crypto';
import type { Config } from '../config.ts';
import { keptFile, keptFilePath } from './kept-file.ts';

const howToMake = 'openssl rand -base64 32';
export const sealingKeyFile = 'secrets-key';
const keyBytes = 32;

/**
 * The keys that secrets of integrations are sealed with, the present one first: the configured ones, or one made at the
 * first start and kept beside the embedded servers' data. Several processes need the same keys, so without an embedded
 * database they must be configured. Throws a sentence for people where there is none, or none that can seal.
 */
export function sealingKeys(config: Config): [Buffer, ...Buffer[]] {
  const old = (config.FORMWIRE_SECRETS_OLD_KEYS ?? '').split(',').filter((text) => text.trim() !== '');
  return [presentKey(config), ...old.map((text) => decoded(text, 'FORMWIRE_SECRETS_OLD_KEYS'))];
}

function presentKey(config: Config): Buffer {
  if (config.FORMWIRE_SECRETS_KEY) return decoded(config.FORMWIRE_SECRETS_KEY, 'FORMWIRE_SECRETS_KEY');
  if (config.DATABASE_URL) {
    throw new Error(`FORMWIRE_SECRETS_KEY is missing: every process on one database must open the same secrets. Make one with: ${howToMake}`);
  }
  const text = keptFile(config, { name: sealingKeyFile, make: () => `${randomBytes(keyBytes).toString('base64')}\n` });
  return decoded(text, keptFilePath(config, sealingKeyFile));
}

function decoded(text: string, place: string): Buffer {
  const key = Buffer.from(text.trim(), 'base64');
  if (key.length === keyBytes) return key;
  throw new Error(`${place} holds something that is no key of ${keyBytes} bytes in base64; make one with: ${howToMake}`);
}
