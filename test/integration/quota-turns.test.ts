import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { QuotaRate } from '../../integrations/provider.ts';
import { reserveTurn } from '../../src/quotas/reserve-turn.ts';
import { createTestDatabase, openTestPool } from '../support/database.ts';

const rate = (change: Partial<QuotaRate> = {}): QuotaRate => ({ name: 'service:account:a', perMinute: 60, burst: 3, ...change });

async function open(databaseUrl: string, max = 1) {
  const pool = openTestPool(databaseUrl, max);
  return Object.assign(pool, { [Symbol.asyncDispose]: () => pool.end() });
}

const asSeconds = (waits: readonly number[]): number[] => waits.map((wait) => Math.round(wait / 1_000));

test('after a rest a burst of turns comes at once, the next ones at an even pace', async () => {
  await using database = await createTestDatabase();
  await using pool = await open(database.url);
  const waits: number[] = [];
  for (let turn = 0; turn < 7; turn += 1) waits.push(await reserveTurn(pool, [rate()]));
  expect(asSeconds(waits)).toEqual([0, 0, 0, 1, 2, 3, 4]);
});

test('several processes share the turns of a quota: together they get as many as one would', async () => {
  await using database = await createTestDatabase();
  await using one = await open(database.url, 5);
  await using other = await open(database.url, 5);
  const waits = await Promise.all(Array.from({ length: 40 }, (_, index) => reserveTurn(index % 2 === 0 ? one : other, [rate()])));
  expect(asSeconds(waits).toSorted((a, b) => a - b)).toEqual([0, 0, 0, ...Array.from({ length: 37 }, (_, index) => index + 1)]);
});

test('quotas of different names do not touch each other', async () => {
  await using database = await createTestDatabase();
  await using pool = await open(database.url);
  for (let turn = 0; turn < 5; turn += 1) await reserveTurn(pool, [rate()]);
  expect(await reserveTurn(pool, [rate({ name: 'service:account:b' })])).toBe(0);
});

test('a turn at several quotas comes when the last of them allows it', async () => {
  await using database = await createTestDatabase();
  await using pool = await open(database.url);
  const project = rate({ name: 'service:project', perMinute: 6, burst: 1 });
  await reserveTurn(pool, [project]);
  expect(asSeconds([await reserveTurn(pool, [rate(), project])])).toEqual([10]);
});

test('those who share several quotas never wait for each other’s locks', async () => {
  await using database = await createTestDatabase();
  await using pool = await open(database.url, 8);
  const names = ['a', 'b', 'c', 'd'];
  await fc.assert(
    fc.asyncProperty(fc.array(fc.shuffledSubarray(names, { minLength: 1 }), { minLength: 8, maxLength: 16 }), async (calls) => {
      await Promise.all(calls.map((some) => reserveTurn(pool, some.map((name) => rate({ name, perMinute: 60_000 })))));
    }),
    { numRuns: 20 },
  );
});

test('no minute has more turns than the rate and the burst together', async () => {
  await using database = await createTestDatabase();
  await using pool = await open(database.url, 4);
  const began = performance.now();
  const waits = await Promise.all(Array.from({ length: 200 }, () => reserveTurn(pool, [rate()])));
  const tookMs = performance.now() - began;
  const times = waits.toSorted((a, b) => a - b);
  const perMinute = times.map((from) => times.filter((time) => time >= from && time < from + 60_000 - tookMs).length);
  expect(Math.max(...perMinute)).toBeLessThanOrEqual(63);
});
