import { expect, test } from 'vitest';
import { createBriefCache } from '../../src/accounts/brief-cache.ts';

const setUp = (maxEntries = 10) => {
  const clock = { ms: 0 };
  const reads: string[] = [];
  const source = { fails: false };
  const cache = createBriefCache<string, number>({
    read: async (key) => {
      reads.push(key);
      if (source.fails) throw new Error('away');
      return reads.length;
    },
    maxAgeMs: 750,
    maxEntries,
    monotonicMs: () => clock.ms,
  });
  return { cache, clock, reads, source };
};

test('is asked once for callers at the same time and shortly after, and never believed for longer', async () => {
  const { cache, clock, reads } = setUp();
  expect(await Promise.all([cache.get('a'), cache.get('a')])).toEqual([1, 1]);
  clock.ms = 749;
  expect(await cache.get('a')).toBe(1);
  clock.ms = 750;
  expect(await cache.get('a')).toBe(2);
  expect(reads).toHaveLength(2);
});

test('a reading that failed is not kept', async () => {
  const { cache, source } = setUp();
  source.fails = true;
  await expect(cache.get('a')).rejects.toThrow('away');
  source.fails = false;
  expect(await cache.get('a')).toBe(2);
});

test('holds a bounded number, and forgets what was read longest ago', async () => {
  const { cache, reads } = setUp(2);
  for (const key of ['a', 'b', 'c', 'b', 'c', 'a']) await cache.get(key);
  expect(reads).toEqual(['a', 'b', 'c', 'a']);
});

test('what is cleared is read anew', async () => {
  const { cache, reads } = setUp();
  await cache.get('a');
  cache.clear();
  await cache.get('a');
  expect(reads).toHaveLength(2);
});
