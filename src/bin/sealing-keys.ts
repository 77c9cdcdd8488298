import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { Config } from '../config.ts';
import { keptFile, keptFileIsThere, keptFilePath } from './kept-file.ts';

export const howToMakeSealingKey = 'openssl rand -base64 32';
export const sealingKeyFile = 'secrets-key';
const keyBytes = 32;

/**
 * The keys that secrets of integrations are sealed with, the present one first: the configured ones, or the one that the
 * first start made and kept beside the embedded servers' data. Several processes need the same keys, so without an
 * embedded database they must be configured. Throws a sentence for people where there is none, or none that can seal.
 */
export const sealingKeys = (config: Config): [Buffer, ...Buffer[]] => [presentKey(config), ...oldSealingKeys(config)];

/** Those that only open. Throws a sentence for people where one is none. */
export function oldSealingKeys({ FORMWIRE_SECRETS_OLD_KEYS: texts = '' }: Config): Buffer[] {
  return texts.split(',').filter((text) => text.trim() !== '').map((text) => decoded(text, 'FORMWIRE_SECRETS_OLD_KEYS'));
}

/** Whether nobody has given a present key, and a start has to make it. */
export const lacksSealingKey = (config: Config): boolean =>
  !config.FORMWIRE_SECRETS_KEY && !config.DATABASE_URL && !keptFileIsThere(config, sealingKeyFile);

/** Makes the present key, in the data directory; leaves one that is there. Throws a sentence for people where it cannot. */
export function makeSealingKey(config: Config): void {
  keptFile(config, { name: sealingKeyFile, make: () => `${randomBytes(keyBytes).toString('base64')}\n` });
}

function presentKey(config: Config): Buffer {
  if (config.FORMWIRE_SECRETS_KEY) return decoded(config.FORMWIRE_SECRETS_KEY, 'FORMWIRE_SECRETS_KEY');
  if (config.DATABASE_URL) {
    throw new Error(`FORMWIRE_SECRETS_KEY is missing: every process on one database must open the same secrets. Make one with: ${howToMakeSealingKey}`);
  }
  const file = keptFilePath(config, sealingKeyFile);
  if (lacksSealingKey(config)) throw new Error(`${file} is missing, and FORMWIRE_SECRETS_KEY is not set: the first start makes the file.`);
  return decoded(readFileSync(file, 'utf8'), file);
}

function decoded(text: string, place: string): Buffer {
  const key = Buffer.from(text.trim(), 'base64');
  if (key.length === keyBytes) return key;
  throw new Error(`${place} holds something that is no key of ${keyBytes} bytes in base64; make one with: ${howToMakeSealingKey}`);
}
