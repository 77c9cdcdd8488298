import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { providerNamed, providers } from '../../integrations/index.ts';

const kebab = (name: string): string => name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);

test.each(providers.map(({ name }) => name))('%s has tests of its own, and keeps the contract in them', (name) => {
  const file = path.join(import.meta.dirname, `${kebab(name)}.test.ts`);
  expect(existsSync(file), `${file} is missing: write one that calls describeProvider or describeChecking`).toBe(true);
  const text = readFileSync(file, 'utf8');
  expect(text).toMatch(/^describe(Provider|Checking)\(/m);
  expect(text).toContain(`from '../../integrations/${kebab(name)}/`);
});

test('a provider is found by its name, and each has its own', () => {
  for (const provider of providers) expect(providerNamed(provider.name)).toBe(provider);
  expect(providerNamed('toString')).toBeUndefined();
  expect(new Set(providers.map(({ name }) => name)).size).toBe(providers.length);
});
