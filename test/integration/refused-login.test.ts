import { expect, test } from 'vitest';
import { migrate } from '../../src/db/migrate.ts';
import { createOwnedDatabase, type OwnedDatabase } from '../support/database.ts';
import { startTestNats } from '../support/nats.ts';
import { seedForm, seedWebhook, startPipeline, submitHousehold, waitForTally, withClient } from '../support/pipeline.ts';
import { startReceiver } from '../support/receiver.ts';

const setPassword = ({ url, owner }: OwnedDatabase, password: string): Promise<unknown> => withClient(url, (client) => client.query(`alter role ${owner} password '${password}'`));
const breakConnections = ({ url, owner }: OwnedDatabase): Promise<unknown> => withClient(url, (client) => client.query('select pg_terminate_backend(pid) from pg_stat_activity where usename = $1', [owner]));

test('a password that a process does not know any more is an outage of PostgreSQL: responses wait for it, and no receiver’s attempt is used up', { timeout: 60_000 }, async () => {
  await using database = await createOwnedDatabase();
  await using nats = await startTestNats();
  await using receiver = await startReceiver();
  await migrate(database.ownerUrl);
  const form = await seedForm(database.url);
  await seedWebhook(database.url, { ...form, url: receiver.url });
  await using pipeline = startPipeline({ databaseUrl: database.ownerUrl, natsUrl: nats.url });
  await submitHousehold(pipeline, { formId: form.formId, count: 20 });
  await waitForTally(pipeline.pool, { outbox: 0, delivered: 20 });

  await setPassword(database, 'another one');
  // connections that are open go on
  await submitHousehold(pipeline, { formId: form.formId, count: 20, prefix: 'open-' });
  await breakConnections(database);
  // the first ones may be told on a connection that has not heard of its end
  await expect.poll(() => pipeline.pool.query('select 1').then(() => 'an answer', String)).toContain('password authentication failed');
  const waiting = submitHousehold(pipeline, { formId: form.formId, count: 20, prefix: 'waiting-' });
  await expect.poll(() => pipeline.dispatcher?.state().partitions, { timeout: 20_000 }).toEqual([]);
  await setPassword(database, new URL(database.ownerUrl).password);
  await waiting;
  await waitForTally(pipeline.pool, { responses: 60, outbox: 0, delivered: 60, pending: 0, dead: 0, attempts: 60 });
});
