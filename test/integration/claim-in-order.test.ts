import type { Pool } from 'pg';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { claimDue } from '../../src/deliveries/claim-due.ts';
import { renewLeases } from '../../src/deliveries/partition-leases.ts';
import { newId, type Id } from '../../src/events/id.ts';
import { createTestDatabase, openTestPool, type TestDatabase } from '../support/database.ts';
import { insertDelivery } from '../support/rows.ts';

let database: TestDatabase;
let pool: Pool;
let ids: { organizationId: Id<'org'>; formId: Id<'form'>; responseId: Id<'resp'>; integrationId: Id<'intg'> };
const owner = newId('dsp');

beforeAll(async () => {
  database = await createTestDatabase();
  pool = openTestPool(database.url, 2);
  await renewLeases(pool, { owner, leaseMs: 600_000, claim: true });
});
afterAll(async () => {
  await pool.end();
  await database[Symbol.asyncDispose]();
});
beforeEach(() => {
  ids = { organizationId: newId('org'), formId: newId('form'), responseId: newId('resp'), integrationId: newId('intg') };
});

/** Pending ones at the positions 1, 2, …, of a lane. */
async function insertInOrder(count: number): Promise<Id<'dlv'>[]> {
  const inserted: Id<'dlv'>[] = [];
  for (let position = 1; position <= count; position += 1) {
    const id = await insertDelivery(pool, { ...ids, status: 'pending', nextAttemptAt: new Date(0) });
    await pool.query('update deliveries set position = $2 where id = $1', [id, position]);
    inserted.push(id);
  }
  return inserted;
}

const claim = async (limit: number, held: Id<'dlv'>[] = []): Promise<Id<'dlv'>[]> =>
  (await claimDue(pool, { owner, partitions: [0], claimMs: 60_000, requests: [{ integrationId: ids.integrationId, limit, mode: 'in order', recoveredAt: undefined, held }] })).map(({ id }) => id);

test('of so many that are pending, those that are held are passed over and take their place', async () => {
  const all = await insertInOrder(6);
  const first = await claim(2);
  expect(first).toEqual(all.slice(0, 2));
  expect(await claim(4, first)).toEqual(all.slice(2, 4));
  expect(await claim(4, all.slice(0, 4))).toEqual([]);
});

test('nothing is claimed behind one that was claimed and is not held', async () => {
  const [first = newId('dlv'), second, third] = await insertInOrder(4);
  expect(await claim(3)).toEqual([first, second, third]);
  expect(await claim(10)).toEqual([]);
  expect(await claim(10, [first])).toEqual([]);
});

test('nothing is claimed behind one that waits for its time, held ones before it or not', async () => {
  const [first, second] = await insertInOrder(3);
  await pool.query(`update deliveries set next_attempt_at = now() + interval '1 hour' where id = $1`, [second]);
  expect(await claim(10)).toEqual([first]);
  expect(await claim(10, [first ?? newId('dlv')])).toEqual([]);
});

test('one that was held for so long that its claim has run out is claimed again', async () => {
  const [first = newId('dlv'), second] = await insertInOrder(2);
  expect(await claim(1)).toEqual([first]);
  await pool.query(`update deliveries set claim_expires_at = now() - interval '1 second' where id = $1`, [first]);
  expect(await claim(10, [first])).toEqual([first, second]);
});

test('what another dispatcher claimed under a lease that has run out since is no gap, whatever is held', async () => {
  const [first, second] = await insertInOrder(2);
  await pool.query(`update deliveries set claimed_by = $2, claim_expires_at = now() + interval '1 hour' where id = $1`, [first, newId('dsp')]);
  expect(await claim(10)).toEqual([first, second]);
});
