import { describe, expect, test } from 'vitest';
import { createTestDatabase } from '../support/database.ts';
import { startTestNats } from '../support/nats.ts';
import { seedForm, seedWebhook, startPipeline, submitHousehold, waitForTally } from '../support/pipeline.ts';
import { startReceiver, verifySignature } from '../support/receiver.ts';

describe('a submitted response', () => {
  test('reaches every webhook of its form once, signed, and its outbox row leaves', async () => {
    await using database = await createTestDatabase();
    await using nats = await startTestNats();
    await using receiver = await startReceiver();
    await using other = await startReceiver();
    const form = await seedForm(database.url);
    const { secret } = await seedWebhook(database.url, { ...form, url: receiver.url });
    await seedWebhook(database.url, { ...form, url: other.url, everyForm: true });
    await using pipeline = startPipeline({ databaseUrl: database.url, natsUrl: nats.url });

    await submitHousehold(pipeline, { formId: form.formId, count: 500 });
    await waitForTally(pipeline.pool, { responses: 500, outbox: 0, delivered: 1_000, pending: 0, attempts: 1_000 });

    for (const request of receiver.requests) verifySignature(request, secret);
    expect(receiver.countsById().size).toBe(500);
    expect(receiver.requests).toHaveLength(500);
    expect(other.requests).toHaveLength(500);
  });

  test('of a form without integrations leaves no outbox row behind', async () => {
    await using database = await createTestDatabase();
    await using nats = await startTestNats();
    const form = await seedForm(database.url);
    await using pipeline = startPipeline({ databaseUrl: database.url, natsUrl: nats.url });

    await submitHousehold(pipeline, { formId: form.formId, count: 20 });
    await waitForTally(pipeline.pool, { responses: 20, outbox: 0, delivered: 0 });
  });
});
