import { Pool } from 'pg';
import { expect, test } from 'vitest';
import { migrate } from '../../src/db/migrate.ts';
import { openOrm } from '../../src/db/orm.ts';
import { newId } from '../../src/events/id.ts';
import { createEmptyDatabase } from '../support/database.ts';
import { insertTenant } from '../support/rows.ts';

test('whoever had an account before there were members owns their organisation, and stays logged in there', async () => {
  await using database = await createEmptyDatabase();
  const orm = await openOrm(database.url);
  await orm.migrator.up({ to: '20261124-api-keys' });
  await orm.close(true);
  const pool = new Pool({ connectionString: database.url });
  try {
    const { userId, organizationId } = await insertTenant(pool);
    const sessionId = newId('ses');
    await pool.query(`insert into sessions (id, user_id, created_at, expires_at) values ($1, $2, now(), now() + interval '1 day')`, [sessionId, userId]);
    await migrate(database.url);
    const { rows } = await pool.query(`select id, user_id, organization_id, role from memberships`);
    expect(rows).toEqual([{ id: `mem_${userId.slice(4)}`, user_id: userId, organization_id: organizationId, role: 'owner' }]);
    expect((await pool.query('select id, organization_id from sessions')).rows).toEqual([{ id: sessionId, organization_id: organizationId }]);
  } finally {
    await pool.end();
  }
});
