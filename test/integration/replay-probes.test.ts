import { expect, test } from 'vitest';
import { claimDue } from '../../src/deliveries/claim-due.ts';
import { renewLeases } from '../../src/deliveries/partition-leases.ts';
import { newId, type Id } from '../../src/events/id.ts';
import { createTestDatabase, openTestPool } from '../support/database.ts';
import { insertDelivery } from '../support/rows.ts';

test('a receiver that is down is tried with what was redelivered by hand, and not with what a replay sends', async () => {
  await using database = await createTestDatabase();
  const pool = openTestPool(database.url, 2);
  const owner = newId('dsp');
  await renewLeases(pool, { owner, leaseMs: 60_000, claim: true });
  const ids = { organizationId: newId('org'), formId: newId('form'), responseId: newId('resp'), integrationId: newId('intg') };
  const insert = async (position: number, change: string): Promise<Id<'dlv'>> => {
    const id = await insertDelivery(pool, { ...ids, status: 'pending', attempts: 1, nextAttemptAt: new Date() });
    await pool.query(`update deliveries set position = $2, next_attempt_at = now() - interval '1 second', ${change} where id = $1`, [id, position]);
    return id;
  };
  const oldest = await insert(1, 'schedule_start = 0');
  const replayed = await insert(2, `schedule_start = attempts, replay_id = 'rpl_x'`);
  const byHand = await insert(3, 'schedule_start = attempts');
  const probe = async () =>
    (await claimDue(pool, { owner, partitions: [0], claimMs: 60_000, requests: [{ integrationId: ids.integrationId, limit: 1, mode: 'probe', recoveredAt: undefined, held: [] }] })).map(({ id }) => id);
  expect(await probe()).toEqual([oldest, byHand]);
  expect(await probe()).toEqual([]);
  await pool.query(`delete from deliveries where id = any($1)`, [[oldest, byHand]]);
  expect(await probe()).toEqual([replayed]); // which is the oldest now
  await pool.end();
});
