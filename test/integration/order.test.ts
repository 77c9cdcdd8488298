import { expect, test } from 'vitest';
import { createTestDatabase } from '../support/database.ts';
import { startTestNats } from '../support/nats.ts';
import { amendInPipeline, seedForm, seedWebhook, startPipeline, submitHousehold, waitForTally, withClient } from '../support/pipeline.ts';
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

test('an amendment never reaches an ordered webhook before the response it amends, also where both were tried again', async () => {
  await using database = await createTestDatabase();
  await using nats = await startTestNats();
  let refusals = 0;
  await using receiver = await startReceiver({ respond: ({ attempt }) => (attempt === 1 && (refusals += 1) % 7 === 0 ? 500 : 200) });
  const form = await seedForm(database.url);
  await seedWebhook(database.url, { ...form, url: receiver.url, ordered: true, events: ['response.created', 'response.amended'] });
  await using pipeline = startPipeline({ databaseUrl: database.url, natsUrl: nats.url, settings: { FORMWIRE_LEASE: '20s' } });

  const ids = await submitHousehold(pipeline, { formId: form.formId, count: 60 });
  for (const expectedRevision of [1, 2]) {
    await Promise.all(ids.map((responseId) => amendInPipeline(pipeline, { ...form, responseId, expectedRevision, answers: [{ key: 'remarks', value: 'Seen.' }] })));
  }
  await waitForTally(pipeline.pool, { outbox: 0, delivered: 180, pending: 0 });

  const first = new Map(receiver.requests.toReversed().map((request) => [request.id, request]));
  const seen = [...first.values()].toSorted((one, other) => one.index - other.index).map(({ body }) => JSON.parse(body.toString()));
  const families = Map.groupBy(seen, ({ data }) => data.response.familyId);
  expect(families.size).toBe(60);
  for (const [familyId, events] of families) {
    const [created, second, third] = events;
    expect(events.map(({ type, data }) => [type, data.response.revision])).toEqual([['response.created', 1], ['response.amended', 2], ['response.amended', 3]]);
    expect(created.data).not.toHaveProperty('previous');
    expect([second, third].map(({ data }) => data.previous)).toEqual([{ id: familyId, revision: 1 }, { id: second.data.response.id, revision: 2 }]);
  }
});
