import { expect, test } from 'vitest';
import { createBoundedCache } from '../../src/bounded-cache.ts';

test('what was used longest ago goes first', () => {
  const cache = createBoundedCache<string, number>({ maxWeight: 3 });
  for (const [index, key] of ['a', 'b', 'c'].entries()) cache.set(key, index, 1);
  cache.get('a');
  cache.set('d', 3, 1);
  expect(['a', 'b', 'c', 'd'].map((key) => cache.get(key))).toEqual([0, undefined, 2, 3]);
});

test('the total weight never passes the limit, also when values are replaced', () => {
  const cache = createBoundedCache<string, number>({ maxWeight: 10 });
  cache.set('a', 1, 6);
  cache.set('a', 2, 4);
  cache.set('b', 3, 6);
  expect([cache.get('a'), cache.get('b')]).toEqual([2, 3]);
  cache.delete('a');
  cache.set('c', 4, 4);
  expect([cache.get('b'), cache.get('c')]).toEqual([3, 4]);
});

test('a value heavier than everything is not kept', () => {
  const cache = createBoundedCache<string, number>({ maxWeight: 10 });
  cache.set('a', 1, 11);
  expect(cache.get('a')).toBeUndefined();
});
