import { expect, test } from 'vitest';
import { createTestDatabase } from '../support/database.ts';
import { startTestNats } from '../support/nats.ts';
import { seedForm, seedWebhook, startPipeline, submitHousehold, waitForTally, withClient } from '../support/pipeline.ts';
import { startReceiver } from '../support/receiver.ts';

test('a thousand responses sent at once reach an ordered webhook in the order they were sent', async () => {
  await using database = await createTestDatabase();
  await using nats = await startTestNats();
  await using receiver = await startReceiver();
  const form = await seedForm(database.url);
  await seedWebhook(database.url, { ...form, url: receiver.url, ordered: true });
  await using pipeline = startPipeline({ databaseUrl: database.url, natsUrl: nats.url, settings: { FORMWIRE_LEASE: '20s' } });

  await submitHousehold(pipeline, { formId: form.formId, count: 1_000 });
  await waitForTally(pipeline.pool, { outbox: 0, delivered: 1_000, pending: 0, attempts: 1_000 });

  const { rows } = await withClient(database.url, (client) =>
    client.query<{ event_id: string; client_id: string }>('select d.event_id, r.client_id from deliveries d join responses r on r.id = d.response_id'),
  );
  const sentAs = new Map(rows.map((row) => [row.event_id, Number(row.client_id)]));
  expect(receiver.requests.map((request) => sentAs.get(request.id))).toEqual(Array.from({ length: 1_000 }, (_, index) => index));
});
