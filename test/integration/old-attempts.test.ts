import type { Pool } from 'pg';
import { expect, test } from 'vitest';
import type { DeliveryStatus } from '../../src/deliveries/delivery.entity.ts';
import { newId, suffixOf, firstIdAt, type Id } from '../../src/events/id.ts';
import { oldAttempts } from '../../src/retention/old-attempts.ts';
import { createTestDatabase, openTestPool } from '../support/database.ts';
import { insertAttempt, insertDelivery } from '../support/rows.ts';

const hourMs = 3_600_000;
const ago = (hours: number): Date => new Date(Date.now() - hours * hourMs);

/** A delivery with two attempts, made so many hours ago, as its id says. */
async function insertOld(pool: Pool, { made, finished, status }: { made: number; finished: number | null; status: DeliveryStatus }): Promise<Id<'dlv'>> {
  const inserted = await insertDelivery(pool, {
    organizationId: newId('org'), formId: newId('form'), responseId: newId('resp'), integrationId: newId('intg'), status, attempts: 2, finishedAt: finished === null ? null : ago(finished),
  });
  const id: Id<'dlv'> = `${firstIdAt('dlv', ago(made).getTime()).slice(0, 14) as 'dlv_'}${suffixOf(inserted).slice(10)}`;
  await pool.query('update deliveries set id = $2 where id = $1', [inserted, id]);
  for (const number of [1, 2]) await insertAttempt(pool, { deliveryId: id, number, responseBody: 'Hello Ada' });
  return id;
}

const deliveriesWithAttempts = async (pool: Pool): Promise<string[]> =>
  (await pool.query<{ id: string }>('select delivery_id as id from attempts group by 1 having count(*) = 2 order by 1')).rows.map(({ id }) => id);

/** Pages of two deliveries. */
const retention = oldAttempts({ keptMs: 48 * hourMs, everyMs: hourMs, limit: 2 });

test('attempts go when their delivery has been finished for as long as they are kept; those that say why it is not, stay', async () => {
  await using database = await createTestDatabase();
  const pool = openTestPool(database.url, 1);
  const long = [
    await insertOld(pool, { made: 100, finished: 90, status: 'delivered' }),
    await insertOld(pool, { made: 99, finished: 80, status: 'canceled' }),
    await insertOld(pool, { made: 98, finished: 49, status: 'delivered' }),
  ];
  const kept = [
    await insertOld(pool, { made: 97, finished: 80, status: 'dead' }),
    await insertOld(pool, { made: 96, finished: null, status: 'pending' }),
    await insertOld(pool, { made: 95, finished: 1, status: 'delivered' }), // redelivered an hour ago
    await insertOld(pool, { made: 47, finished: 46, status: 'delivered' }),
  ];
  expect(await deliveriesWithAttempts(pool)).toEqual([...long, ...kept]);
  const counts: number[] = [];
  for (let after: string | null = ''; after !== null; ) {
    const page = await retention.page(pool, after);
    counts.push(page.count);
    after = page.next;
  }
  expect(counts).toEqual([4, 2, 0, 0]);
  expect(await deliveriesWithAttempts(pool)).toEqual(kept);
  expect((await pool.query('select from deliveries')).rowCount).toBe(7);
  await pool.end();
});

test('the next walk finds what has finished since', async () => {
  await using database = await createTestDatabase();
  const pool = openTestPool(database.url, 1);
  const late = await insertOld(pool, { made: 97, finished: null, status: 'pending' });
  expect(await retention.page(pool, '')).toEqual({ count: 0, next: null });
  await pool.query(`update deliveries set status = 'delivered', finished_at = $2 where id = $1`, [late, ago(60)]);
  expect(await retention.page(pool, '')).toEqual({ count: 2, next: null });
  await pool.end();
});
