import { randomBytes } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { lacksSealingKey, makeSealingKey, sealingKeys } from '../../src/bin/sealing-keys.ts';
import { parseConfig } from '../../src/config.ts';
import { createTemporaryDirectory } from '../support/temporary-directory.ts';

const base64 = (): string => randomBytes(32).toString('base64');
const DATABASE_URL = 'postgresql://somewhere/x';

test('on embedded servers a key is made once, for its owner alone', () => {
  using directory = createTemporaryDirectory();
  const config = parseConfig({ FORMWIRE_DATA: directory.path });
  makeSealingKey(config);
  const [made] = sealingKeys(config);
  makeSealingKey(config);
  expect(sealingKeys(config)).toEqual([made]);
  const file = path.join(directory.path, 'secrets-key');
  expect(Buffer.from(readFileSync(file, 'utf8'), 'base64')).toEqual(made);
  expect(statSync(file).mode & 0o077).toBe(0);
});

test('whoever only reads keys makes none: the error says where the key is looked for', () => {
  using directory = createTemporaryDirectory();
  const config = parseConfig({ FORMWIRE_DATA: directory.path });
  expect(() => sealingKeys(config)).toThrow(`${directory.path}/secrets-key is missing`);
  expect(lacksSealingKey(config)).toBe(true);
  makeSealingKey(config);
  expect(lacksSealingKey(config)).toBe(false);
});

test('beside a database of its own a key must be given, and the error says how to make one', () => {
  expect(() => sealingKeys(parseConfig({ DATABASE_URL }))).toThrow(/FORMWIRE_SECRETS_KEY is missing.*openssl rand -base64 32/);
});

test('old keys come after the present one', () => {
  const [present, old, older] = [base64(), base64(), base64()];
  const config = parseConfig({ DATABASE_URL, FORMWIRE_SECRETS_KEY: present, FORMWIRE_SECRETS_OLD_KEYS: `${old}, ${older}` });
  expect(sealingKeys(config).map((key) => key.toString('base64'))).toEqual([present, old, older]);
});

test.each([
  ['FORMWIRE_SECRETS_KEY', { FORMWIRE_SECRETS_KEY: 'secret' }],
  ['FORMWIRE_SECRETS_OLD_KEYS', { FORMWIRE_SECRETS_KEY: base64(), FORMWIRE_SECRETS_OLD_KEYS: `${base64()},x` }],
])('a %s that is none is named, and not shown', (name, variables) => {
  const read = () => sealingKeys(parseConfig({ DATABASE_URL, ...variables }));
  expect(read).toThrow(new RegExp(`^${name} holds something that is no key`));
  expect(read).not.toThrow(/secret,/);
});
