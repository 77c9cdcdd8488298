import { describe, expect, test } from 'vitest';
import { parseProviderName } from '../../src/bin/new-provider/provider-name.ts';
import { withProvider } from '../../src/bin/new-provider/write-provider.ts';

const index = (members: string, imports: string) => `import type { Provider } from './provider.ts';\n${imports}\nexport const providers = [${members}] as const satisfies readonly Provider[];\n`;
const imported = (camel: string, kebab = camel) => `import { ${camel} } from './${kebab}/${kebab}.ts';\n`;

describe('the name of a new provider', () => {
  test.each(['parcel-labels', 'parcelLabels', 'ParcelLabels', 'Parcel-Labels'])('%s is spelled as each place needs it', (text) => {
    expect(parseProviderName(text)).toEqual({ kebab: 'parcel-labels', camel: 'parcelLabels', pascal: 'ParcelLabels', title: 'Parcel labels' });
  });

  test.each(['slack', 's3', 'x2-y'])('%s is one', (text) => {
    expect(parseProviderName(text).kebab).toBe(text);
  });

  test.each(['', '-', 'a-', '-a', 'a--b', '3d', 'a-3d', 'a b', 'a_b', 'über', '../webhook', 'a/b', 'a.b', '__proto__'])('%j is none', (text) => {
    expect(() => parseProviderName(text)).toThrow('is no name for a provider');
  });

  test('has at most 40 characters', () => {
    expect(parseProviderName('a'.repeat(40)).camel).toHaveLength(40);
    expect(() => parseProviderName('a'.repeat(41))).toThrow('at most 40 characters');
  });

  test.each(['default', 'new', 'index', 'provider', 'outcomeOf', 'integration', 'contract'])('is not %s, which means something else', (text) => {
    expect(() => parseProviderName(text)).toThrow('means something else already');
  });
});

describe('the list of installed providers', () => {
  const parcels = parseProviderName('parcel-labels');

  test('gets one more at its end, imported by the alphabet', () => {
    expect(withProvider(index('webhook', imported('webhook')), parcels)).toBe(
      index('webhook, parcelLabels', imported('parcelLabels', 'parcel-labels') + imported('webhook')),
    );
    expect(withProvider(index('a, b', imported('a') + imported('b')), parcels)).toBe(
      index('a, b, parcelLabels', imported('a') + imported('b') + imported('parcelLabels', 'parcel-labels')),
    );
  });

  test('may stand on several lines', () => {
    expect(withProvider(index('\n  a,\n  b,\n', imported('a') + imported('b')), parcels)).toContain('[a, b, parcelLabels] as const');
  });

  test('has each once', () => {
    expect(() => withProvider(index('a, parcelLabels', imported('a')), parcels)).toThrow('installed already');
  });

  test('is looked for, and not guessed', () => {
    expect(() => withProvider('export const all = [];\n', parcels)).toThrow('has no list of providers');
  });
});
