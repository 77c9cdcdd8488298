import { expect, test } from 'vitest';
import { openOrm } from '../../src/db/orm.ts';
import { openPool } from '../../src/db/pool.ts';
import { silentLog } from '../../src/log.ts';
import { inTransaction } from '../../src/transaction.ts';
import { createTestDatabase } from '../support/database.ts';
import { startTestNats } from '../support/nats.ts';
import { seedForm, seedWebhook, startPipeline, submitHousehold, waitForTally, withClient } from '../support/pipeline.ts';
import { startReceiver } from '../support/receiver.ts';

/** Ends connections as a restart or a failover does. `where` narrows them down. */
const endConnections = (databaseUrl: string, where = 'true') =>
  withClient(databaseUrl, (client) =>
    client.query(
      `select pg_terminate_backend(pid) from pg_stat_activity where pid <> pg_backend_pid() and datname = current_database() and ${where}`,
    ),
  );

test('connections that end within a transaction are given back: the pool goes on for ever', async () => {
  await using database = await createTestDatabase();
  const orm = await openOrm(database.url, { poolSize: 1 });
  for (let round = 0; round < 2; round += 1) {
    const cut = orm.em.fork().transactional(async (em) => {
      await em.execute('select 1');
      await endConnections(database.url);
      await em.execute('select 1');
    });
    await expect(cut).rejects.toThrow();
  }
  await expect(orm.em.fork().execute('select 1 as one')).resolves.toEqual([{ one: 1 }]);
  await orm.close(true);
});

test('one that ends between two statements fails the next one, and not the process', async () => {
  await using database = await createTestDatabase();
  const pool = openPool({ url: database.url, max: 1, name: 'cut', log: silentLog });
  const broken = Promise.withResolvers<void>();
  const cut = inTransaction(pool, async (client) => {
    await client.query('select 1');
    client.once('end', broken.resolve);
    await endConnections(database.url);
    await broken.promise;
    await client.query('select 1');
  });
  await expect(cut).rejects.toThrow(/not queryable|terminat/);
  expect((await pool.query('select 1 as one')).rows).toEqual([{ one: 1 }]);
  await pool.end();
});

test('an ordered webhook loses nothing when the database cannot tell what came before', async () => {
  await using database = await createTestDatabase();
  await using nats = await startTestNats();
  await using receiver = await startReceiver();
  const form = await seedForm(database.url);
  await seedWebhook(database.url, { ...form, url: receiver.url, ordered: true });
  await using pipeline = startPipeline({ databaseUrl: database.url, natsUrl: nats.url });

  for (let round = 0; round < 15; round += 1) {
    const submitting = submitHousehold(pipeline, { formId: form.formId, count: 20, prefix: `${round}-` });
    await endConnections(database.url, `application_name = 'formwire-dispatch'`);
    await submitting;
  }
  await waitForTally(pipeline.pool, { responses: 300, outbox: 0, delivered: 300, pending: 0 });
  expect(receiver.countsById().size).toBe(300);
});
