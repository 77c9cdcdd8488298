import type { EntityManager } from '@mikro-orm/postgresql';
import { expect, test } from 'vitest';
import { createContext, type Services } from '../../src/graphql/context.ts';
import { createLoader } from '../../src/graphql/loader.ts';

const newContext = (forkEntityManager = () => ({}) as EntityManager) =>
  createContext({ viewer: undefined, address: '127.0.0.1', services: {} as Services, forkEntityManager, onChange: () => undefined });

const counting = () => {
  const reads: (readonly string[])[] = [];
  const loader = createLoader(async (keys: readonly string[]) => {
    reads.push(keys);
    return new Map(keys.filter((key) => key !== 'missing').map((key) => [key, { key, reading: reads.length }]));
  });
  return { reads, loader };
};

test('what is asked for together is read together, once', async () => {
  const { reads, loader } = counting();
  const context = newContext();
  const found = await Promise.all(['a', 'b', 'a', 'missing'].map((key) => loader(context).load(key)));
  expect(found.map((value) => value?.key)).toEqual(['a', 'b', 'a', undefined]);
  await loader(context).load('a');
  expect(reads).toEqual([['a', 'b', 'missing']]);
});

test('operations share nothing, and a renewed one reads anew', async () => {
  const { reads, loader } = counting();
  const context = newContext();
  await loader(context).load('a');
  await loader(newContext()).load('a');
  context.renew();
  expect(await loader(context).load('a')).toEqual({ key: 'a', reading: 3 });
  expect(reads).toHaveLength(3);
});

test('a unit of work is made at its first use, and another after a renewal', () => {
  let forks = 0;
  const context = newContext(() => ({ number: (forks += 1) }) as unknown as EntityManager);
  expect(forks).toBe(0);
  expect(context.em).toBe(context.em);
  const first = context.em;
  context.renew();
  expect(context.em).not.toBe(first);
  expect(forks).toBe(2);
});
