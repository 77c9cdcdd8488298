import type { Pool } from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Id } from '../../src/events/id.ts';
import { endedSecrets } from '../../src/retention/ended-secrets.ts';
import { createTestDatabase, openTestPool, type TestDatabase } from '../support/database.ts';
import { insertIntegration, insertTenant, type TenantRows } from '../support/rows.ts';

const minute = 60_000;
const ago = (minutes: number): string => new Date(Date.now() - minutes * minute).toISOString();
/** Pages of two integrations. */
const retention = endedSecrets({ endedMs: 10 * minute, everyMs: minute, limit: 2 });

let database: TestDatabase;
let pool: Pool;
let tenant: TenantRows;
beforeAll(async () => {
  database = await createTestDatabase();
  pool = openTestPool(database.url, 2);
  tenant = await insertTenant(pool);
});
afterAll(async () => {
  await pool.end();
  await database[Symbol.asyncDispose]();
});

interface Kept {
  secrets: string[];
  ends: string[];
}

async function insert({ secrets, ends }: Kept): Promise<Id<'intg'>> {
  const id = await insertIntegration(pool, tenant);
  await pool.query('update integrations set secrets = $2, secret_ends = $3 where id = $1', [id, JSON.stringify(secrets), JSON.stringify(ends)]);
  return id;
}

const read = async (id: string): Promise<Kept> => (await pool.query<Kept>('select secrets, secret_ends as ends from integrations where id = $1', [id])).rows[0]!;

test.for([
  ['the only one stays', ['a'], [], ['a']],
  ['one that has ended goes', ['b', 'a'], [11], ['b']],
  ['one that may sign somewhere still, for a slow clock, stays', ['b', 'a'], [9], ['b', 'a']],
  ['one that is to end stays', ['b', 'a'], [-60], ['b', 'a']],
  ['of several each goes by its own end', ['c', 'b', 'a'], [-60, 11], ['c', 'b']],
  ['in any order', ['c', 'b', 'a'], [11, -60], ['c', 'a']],
  ['all of them at once', ['c', 'b', 'a'], [20, 11], ['c']],
  ['those without an end stay', ['c', 'b', 'a'], [11], ['c', 'a']],
  ['what signs nothing is left alone', [], [], []],
] as const)('of old secrets %s', async ([, secrets, minutes, left]) => {
  const ends = minutes.map(ago);
  const id = await insert({ secrets: [...secrets], ends });
  await retention.page(pool, '');
  const kept = await read(id);
  expect(kept.secrets).toEqual(left);
  expect(kept.ends).toEqual(ends.filter((_, index) => (minutes[index] ?? 0) <= 10));
  await pool.query('delete from integrations');
});

test('a page is some of them, and what is being rotated is left for the next time', async () => {
  const ended = { secrets: ['b', 'a'], ends: [ago(11)] };
  const [held] = [await insert(ended), await insert(ended), await insert(ended), await insert(ended)];
  const client = await pool.connect();
  await client.query('begin');
  await client.query('select 1 from integrations where id = $1 for update', [held]);
  expect([await retention.page(pool, ''), await retention.page(pool, '')]).toEqual([{ count: 2, next: '' }, { count: 1, next: null }]);
  expect(await read(held ?? '')).toEqual(ended);
  await client.query('commit');
  client.release();
  expect(await retention.page(pool, '')).toEqual({ count: 1, next: null });
  expect(await retention.page(pool, '')).toEqual({ count: 0, next: null });
});
