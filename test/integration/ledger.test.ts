import fc from 'fast-check';
import type { Pool } from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Ledger } from '../../integrations/provider.ts';
import { newId } from '../../src/events/id.ts';
import { openLedger } from '../../src/ledger/ledger.ts';
import { createTestDatabase, openTestPool, type TestDatabase } from '../support/database.ts';

let database: TestDatabase;
let pool: Pool;
beforeAll(async () => {
  database = await createTestDatabase();
  pool = openTestPool(database.url, 8);
});
afterAll(async () => {
  await pool.end();
  await database[Symbol.asyncDispose]();
});

const openNew = (): Ledger => openLedger(pool, newId('intg'));
const placesOf = async (ledger: Ledger, keys: string[]): Promise<(number | undefined)[]> => {
  const places = await ledger.reserve(keys);
  return keys.map((key) => places.get(key));
};

test('keys get places from 0 on, in the order they are asked for', async () => {
  const ledger = openNew();
  expect(await placesOf(ledger, ['b', 'a', 'c'])).toEqual([0, 1, 2]);
  expect(await placesOf(ledger, ['d'])).toEqual([3]);
});

test('a key that has a place keeps it, and takes none of the new ones', async () => {
  const ledger = openNew();
  await ledger.reserve(['a', 'b']);
  expect(await placesOf(ledger, ['c', 'b', 'd', 'a'])).toEqual([2, 1, 3, 0]);
});

test('a key that is named twice has one place', async () => {
  const ledger = openNew();
  expect(await placesOf(ledger, ['a', 'a', 'b'])).toEqual([0, 0, 1]);
});

test('each integration has places and notes of its own', async () => {
  const [one, other] = [openNew(), openNew()];
  await one.reserve(['a']);
  await one.note([{ key: 'a', state: 'sent', was: null }]);
  expect(await placesOf(other, ['b'])).toEqual([0]);
  expect(await other.read(['a'])).toEqual(new Map());
});

test('however many reserve at once, every key has one place, and the places have no gap', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.uniqueArray(fc.integer({ min: 0, max: 40 }).map((n) => `key-${n}`), { minLength: 1 }), { minLength: 2, maxLength: 10 }), async (calls) => {
      const ledger = openNew();
      const answers = await Promise.all(calls.map((keys) => ledger.reserve(keys)));
      const all = new Map<string, Set<number>>();
      for (const places of answers) for (const [key, place] of places) all.set(key, (all.get(key) ?? new Set()).add(place));
      expect([...all.values()].every((places) => places.size === 1)).toBe(true);
      const given = [...all.values()].flatMap((places) => [...places]).toSorted((a, b) => a - b);
      expect(given).toEqual(given.map((_, index) => index));
    }),
    { numRuns: 20 },
  );
});

test('a note is written where the state is what its writer believes, and not otherwise', async () => {
  const ledger = openNew();
  expect(await ledger.note([{ key: 'a', state: { sms: 'begun' }, was: null }])).toEqual(new Set(['a']));
  expect(await ledger.note([{ key: 'a', state: { sms: 'begun again' }, was: null }])).toEqual(new Set());
  expect(await ledger.note([{ key: 'a', state: { sms: 'sent' }, was: { sms: 'other' } }])).toEqual(new Set());
  expect(await ledger.note([{ key: 'b', state: 'sent', was: 'begun' }])).toEqual(new Set());
  expect(await ledger.note([{ key: 'a', state: { sms: 'sent' }, was: { sms: 'begun' } }, { key: 'b', state: 1, was: null }])).toEqual(new Set(['a', 'b']));
  expect(await ledger.read(['a', 'b'])).toEqual(new Map([['a', { place: null, state: { sms: 'sent' } }], ['b', { place: null, state: 1 }]]));
});

test('of many who note the same key at once exactly one succeeds', async () => {
  const ledger = openNew();
  const writers = Array.from({ length: 20 }, (_, index) => ledger.note([{ key: 'a', state: index, was: null }]));
  const written = (await Promise.all(writers)).flatMap((keys, index) => (keys.has('a') ? [index] : []));
  expect(written).toHaveLength(1);
  expect((await ledger.read(['a'])).get('a')?.state).toBe(written[0]);
});

test('a note and a place of the same key do not touch each other', async () => {
  const ledger = openNew();
  await ledger.note([{ key: 'a', state: 'noted', was: null }]);
  await ledger.reserve(['z', 'a']);
  await ledger.note([{ key: 'z', state: 'noted', was: null }]);
  expect(await ledger.read(['a', 'z'])).toEqual(new Map([['a', { place: 1, state: 'noted' }], ['z', { place: 0, state: 'noted' }]]));
});

test('too many keys, too long ones and too large states are the provider’s fault', async () => {
  const ledger = openNew();
  const keys = Array.from({ length: 1_001 }, (_, index) => `${index}`);
  await expect(ledger.reserve(keys)).rejects.toThrow(RangeError);
  await expect(ledger.reserve(keys.slice(1))).resolves.toHaveProperty('size', 1_000);
  await expect(ledger.reserve(['k'.repeat(201)])).rejects.toThrow(RangeError);
  await expect(ledger.reserve(['k'.repeat(200)])).resolves.toHaveProperty('size', 1);
  await expect(ledger.note([{ key: 'a', state: 'x'.repeat(4_095), was: null }])).rejects.toThrow(RangeError);
  await expect(ledger.note([{ key: 'a', state: 'x'.repeat(4_094), was: null }])).resolves.toEqual(new Set(['a']));
});
