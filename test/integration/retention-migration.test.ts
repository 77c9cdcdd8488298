import { expect, test } from 'vitest';
import { migrate } from '../../src/db/migrate.ts';
import { newId, type Id } from '../../src/events/id.ts';
import { createEmptyDatabase, openTestPool } from '../support/database.ts';
import { insertIntegration, insertTenant } from '../support/rows.ts';

test('of the notes there were, those of SMS about a day or an opt-out get an end, and no others', async () => {
  await using database = await createEmptyDatabase();
  await migrate(database.url, { to: '20261210-delivery-positions' });
  const pool = openTestPool(database.url, 1);
  const tenant = await insertTenant(pool);
  const [sms, other] = [await insertIntegration(pool, tenant), await insertIntegration(pool, tenant)];
  await pool.query(`update integrations set provider = 'sms' where id = $1`, [sms]);
  const note = (integrationId: Id<'intg'>, key: string) =>
    pool.query(`insert into ledger (integration_id, key, state, noted_at) values ($1, $2, '1', '2026-11-28T10:00:00Z')`, [integrationId, key]);
  for (const key of ['day:2026-11-28:ab', 'stop:ab', `receipt:${newId('resp')}`, 'message:SM1']) await note(sms, key);
  for (const key of ['day:2026-11-28:ab', newId('resp')]) await note(other, key);
  await migrate(database.url);
  const { rows } = await pool.query<{ integrationId: string; key: string; at: Date }>('select integration_id as "integrationId", key, forget_at as at from ledger where forget_at is not null order by key');
  const at = new Date('2026-12-06T10:00:00Z');
  expect(rows).toEqual([{ integrationId: sms, key: 'day:2026-11-28:ab', at }, { integrationId: sms, key: 'stop:ab', at }]);
  await pool.end();
});
