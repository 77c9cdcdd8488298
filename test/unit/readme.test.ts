import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';

const root = path.resolve(import.meta.dirname, '../..');
const read = (file: string): string => readFileSync(path.join(root, file), 'utf8');

test.each(['README.md', 'integrations/README.md', 'ops/README.md', 'ops/upkeep.md'])('every link of %s to a file leads to one', (file) => {
  const targets = [...read(file).matchAll(/\]\(([^)#]+)[^)]*\)/g)].map(([, target = '']) => target).filter((target) => !/^https?:/.test(target));
  expect(targets.length).toBeGreaterThan(0);
  expect(targets.filter((target) => !existsSync(path.join(root, path.dirname(file), target)))).toEqual([]);
});

test('how to write a provider names every member of the contract, and what each outcome means', () => {
  const contract = read('integrations/provider.ts');
  const readme = read('integrations/README.md');
  const provider = /export interface Provider<[^]*?\n}/.exec(contract)?.[0] ?? '';
  const members = [...provider.matchAll(/^ {2}(\w+)\??[:(]/gm)].map(([, name]) => name).filter((name) => name !== 'name' && name !== 'title' && name !== 'description');
  const outcomes = [...(/export type Outcome =[^]*?;\n/.exec(contract)?.[0] ?? '').matchAll(/status: '(\w+)'/g)].map(([, name]) => name);
  const context = /export interface CallContext<[^]*?\n}/.exec(contract)?.[0] ?? '';
  const lent = [...context.matchAll(/^ {2}(\w+)\??[:(]/gm)].map(([, name]) => name);
  expect(lent.length).toBeGreaterThan(8);
  expect(lent.filter((name) => !readme.includes(`context.${name}`) && !readme.includes(`\`${name}`))).toEqual([]);
  expect(members.length).toBeGreaterThan(15);
  expect(outcomes).toContain('deferred');
  expect(members.filter((name) => !readme.includes(`\`${name}`))).toEqual([]);
  expect(outcomes.filter((name) => !readme.includes(`| \`${name}\` |`))).toEqual([]);
});
