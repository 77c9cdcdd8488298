import { readdirSync } from 'node:fs';
import type { ClientBase } from 'pg';
import { describe, expect, test } from 'vitest';
import { migrate, schemaDrift } from '../../src/db/migrate.ts';
import { openOrm } from '../../src/db/orm.ts';
import type { Blocked } from '../../src/db/past-locks.ts';
import { partitionOf } from '../../src/events/event.ts';
import { eventIdOf, newId } from '../../src/events/id.ts';
import { insertAnyRows, missingRows, type AnyRow } from '../support/any-rows.ts';
import { createEmptyDatabase, openTestPool } from '../support/database.ts';
import { householdResponses } from '../support/household.ts';
import { startTestNats } from '../support/nats.ts';
import { seedForm, seedWebhook, startPipeline, submitHousehold, waitForTally, withClient, type TestForm } from '../support/pipeline.ts';
import { startReceiver } from '../support/receiver.ts';

const migrations = readdirSync(new URL('../../migrations', import.meta.url)).map((name) => name.replace('.ts', '')).toSorted();
const [first = ''] = migrations;

test('from the first schema to the newest, through every one between, no row of any table is lost or changed', { timeout: 60_000 }, async () => {
  await using database = await createEmptyDatabase();
  await migrate(database.url, { to: first }); // makes the reader's role
  const rows: AnyRow[] = [];
  const orm = await openOrm(database.url);
  for (const [index, name] of migrations.entries()) {
    await orm.migrator.up({ to: name });
    rows.push(...(await withClient(database.url, (client) => insertAnyRows(client, index + 1))));
  }
  await orm.close(true);
  expect(rows.length).toBeGreaterThan(20 * migrations.length);
  expect(await withClient(database.url, (client) => missingRows(client, rows))).toEqual([]);
  expect(await schemaDrift(database.url)).toBe('');
});

/** A response that the first version took: on its way, or with a delivery that is due again. */
async function insertFirstResponse(client: ClientBase, { organizationId, formId }: TestForm, pendingAt: string | undefined): Promise<void> {
  const id = newId('resp');
  const answers = Object.fromEntries(householdResponses(formId)[0]?.answers.map(({ key }) => [key, { value: 'kept' }]) ?? []);
  await client.query(
    `insert into responses (id, form_id, form_version, family_id, revision, submitted_at, answers, respondent, collector, metadata)
     values ($1, $2, 1, $1, 1, now(), $3, '{}', '{}', '{}')`,
    [id, formId, JSON.stringify(answers)],
  );
  if (pendingAt === undefined) {
    await client.query(
      `insert into outbox (event_id, type, organization_id, form_id, response_id, integrations_version, created_at) values ($1, 'response.created', $2, $3, $4, 1, now())`,
      [eventIdOf(id), organizationId, formId, id],
    );
    return;
  }
  const { rows } = await client.query<{ position: string }>(`select nextval('outbox_position_seq') as position`);
  await client.query(
    `insert into deliveries (id, event_id, event_type, position, organization_id, form_id, response_id, integration_id, partition, status, reason, attempts, next_attempt_at, created_at)
     select $1, $2, 'response.created', $3, $4, $5, $6, $7, $8, 'pending', 'It answered 500.', 1, now(), now()`,
    [newId('dlv'), eventIdOf(id), rows[0]?.position, organizationId, formId, id, pendingAt, partitionOf(formId)],
  );
}

test('what the first version had taken and not delivered is delivered by the newest, beside what comes in then', { timeout: 60_000 }, async () => {
  await using database = await createEmptyDatabase();
  await using receiver = await startReceiver();
  await using nats = await startTestNats();
  await migrate(database.url, { to: first });
  const form = await seedForm(database.url);
  const { id } = await seedWebhook(database.url, { ...form, url: receiver.url });
  await withClient(database.url, async (client) => {
    await insertFirstResponse(client, form, undefined);
    await insertFirstResponse(client, form, id);
  });
  await migrate(database.url);
  await using pipeline = startPipeline({ databaseUrl: database.url, natsUrl: nats.url });
  await submitHousehold(pipeline, { formId: form.formId, count: 3 });
  await waitForTally(pipeline.pool, { responses: 5, outbox: 0, delivered: 5, pending: 0, dead: 0 });
  expect(new Set(receiver.requests.map(({ headers }) => headers['webhook-id'])).size).toBe(5);
});

test('a migration that fails leaves everything as it was, says what failed, and can be run again', async () => {
  await using database = await createEmptyDatabase();
  const before = '20261206-positions';
  await migrate(database.url, { to: before });
  const pool = openTestPool(database.url, 1);
  const done = async () => (await pool.query<{ name: string }>('select name from mikro_orm_migrations order by id')).rows.map(({ name }) => name);
  await pool.query('create table replays (theirs int)');
  await expect(migrate(database.url)).rejects.toThrow(/relation "replays" already exists/);
  expect((await done()).at(-1)).toBe(before);
  expect((await pool.query(`select to_regclass('completeness_walks') as made`)).rows).toEqual([{ made: null }]);
  await pool.query('drop table replays');
  await migrate(database.url);
  expect(await done()).toEqual(migrations);
  await pool.end();
});

describe('while somebody reads a table that a migration has to change', () => {
  const before = '20261212-retention';
  const bounds = { lockTimeoutMs: 100, pauseMs: 20, tries: 1_000 };

  test('it gives way again and again: whoever writes goes on, and so does it when the reader has ended', async () => {
    await using database = await createEmptyDatabase();
    await migrate(database.url, { to: before });
    const blocked: Blocked[] = [];
    await withClient(database.url, async (reader) => {
      await reader.query(`set application_name = 'a report'; begin; select from integrations`);
      const migrated = migrate(database.url, { bounds, onBlocked: (one) => void blocked.push(one) });
      await expect.poll(() => blocked.length, { timeout: 10_000 }).toBeGreaterThan(0);
      // in the middle of its next try as well as between two: it waits for no longer than that
      await withClient(database.url, async (writer) => {
        const seen = blocked.length;
        while (blocked.length < seen + 3) await writer.query('update integrations set updated_at = now()');
      });
      await reader.query('commit');
      expect(await migrated).toEqual([]);
    });
    expect(blocked[0]).toEqual({ try: 1, tries: 1_000, pid: expect.any(Number), application: 'a report', forSeconds: expect.any(Number) });
    expect(await schemaDrift(database.url)).toBe('');
  });

  test('it gives up in the end, changes nothing, and says who is in the way', async () => {
    await using database = await createEmptyDatabase();
    await migrate(database.url, { to: before });
    await withClient(database.url, async (reader) => {
      await reader.query(`begin; select from integrations`);
      const { rows } = await reader.query<{ pid: number }>('select pg_backend_pid() as pid');
      const failed = migrate(database.url, { bounds: { ...bounds, tries: 2 } });
      await expect(failed).rejects.toThrow(new RegExp(`not migrated: in 2 tries .* Nothing is changed\\. Process ${rows[0]?.pid} of .* pg_terminate_backend\\(${rows[0]?.pid}\\)`));
      expect((await reader.query('select from mikro_orm_migrations where name > $1', [before])).rowCount).toBe(0);
    });
  });
});

test('of several processes that start at once on an empty database one migrates, and all go on', async () => {
  await using database = await createEmptyDatabase();
  await Promise.all(Array.from({ length: 4 }, () => migrate(database.url)));
  const { rows } = await withClient(database.url, (client) => client.query('select count(*)::int as count from mikro_orm_migrations'));
  expect(rows).toEqual([{ count: migrations.length }]);
});
