import { expect, test } from 'vitest';
import { migrate } from '../../src/db/migrate.ts';
import { openOrm } from '../../src/db/orm.ts';
import { newId } from '../../src/events/id.ts';
import { createEmptyDatabase, openTestPool } from '../support/database.ts';
import { insertDelivery } from '../support/rows.ts';

test('deliveries from before they had places come in the order of their ids, and before all that come after', async () => {
  await using database = await createEmptyDatabase();
  const orm = await openOrm(database.url);
  await orm.migrator.up({ to: '20261209-processes' });
  await orm.close(true);
  const pool = openTestPool(database.url);
  try {
    const form = { organizationId: newId('org'), formId: newId('form'), responseId: newId('resp'), integrationId: newId('intg') };
    const ids: string[] = [];
    for (let count = 0; count < 20; count += 1) ids.push(await insertDelivery(pool, form));
    // a row that changes lies behind the others in the table
    await pool.query('update deliveries set attempts = 2 where id = any($1)', [[ids[3], ids[11]]]);
    await migrate(database.url);
    ids.push(await insertDelivery(pool, form));
    const { rows } = await pool.query<{ id: string; changed: string | null }>('select id, changed_position as changed from deliveries order by recorded_position');
    expect(rows).toEqual(ids.map((id) => ({ id, changed: null })));
  } finally {
    await pool.end();
  }
});
