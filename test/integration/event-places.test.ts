import { expect, test } from 'vitest';
import { eventIdOf, type Id } from '../../src/events/id.ts';
import { createTestDatabase } from '../support/database.ts';
import { startTestNats } from '../support/nats.ts';
import { amendInPipeline, seedForm, seedWebhook, startPipeline, submitHousehold, waitForTally } from '../support/pipeline.ts';
import { startReceiver } from '../support/receiver.ts';

test('a revision keeps what its event was: its id, its place, and the version of the integrations it is due to', async () => {
  await using database = await createTestDatabase();
  await using nats = await startTestNats();
  await using receiver = await startReceiver();
  const form = await seedForm(database.url);
  await seedWebhook(database.url, { ...form, url: receiver.url, events: ['response.created', 'response.amended'] });
  await using pipeline = startPipeline({ databaseUrl: database.url, natsUrl: nats.url });
  const ids = await submitHousehold(pipeline, { formId: form.formId, count: 20 });
  await amendInPipeline(pipeline, { organizationId: form.organizationId, responseId: ids[0]!, expectedRevision: 1, metadata: { seen: true } });
  await waitForTally(pipeline.pool, { outbox: 0, delivered: 21 });

  const { rows } = await pipeline.pool.query<{ id: Id<'resp'>; position: string; version: number; eventId: string; place: string }>(`
    select r.id, r.position, r.integrations_version as version, d.event_id as "eventId", d.position as place
    from responses r join deliveries d on d.response_id = r.id order by r.position`);
  expect(rows.map(({ eventId, place, version }) => ({ eventId, place, version }))).toEqual(
    rows.map(({ id, position }) => ({ eventId: eventIdOf(id), place: position, version: 1 })),
  );
  expect(rows.slice(0, 20).map(({ id }) => id)).toEqual(ids);
});
