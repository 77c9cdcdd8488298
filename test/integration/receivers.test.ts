import { describe, expect, test } from 'vitest';
import { createTestDatabase } from '../support/database.ts';
import { startTestNats } from '../support/nats.ts';
import { seedForm, seedWebhook, startPipeline, submitHousehold, tally, waitForTally, withClient } from '../support/pipeline.ts';
import { startReceiver, type ReceivedRequest } from '../support/receiver.ts';

const positionsOf = async (databaseUrl: string): Promise<Map<string, number>> =>
  withClient(databaseUrl, async (client) => {
    const { rows } = await client.query<{ event_id: string; position: string }>('select event_id, position from deliveries');
    return new Map(rows.map((row) => [row.event_id, Number(row.position)]));
  });

const firstArrivals = (requests: readonly ReceivedRequest[]): string[] => [...new Set(requests.map((request) => request.id))];

describe('a receiver that fails', () => {
  test('gets each event again, with the same id and bytes, until it takes it', async () => {
    await using database = await createTestDatabase();
    await using nats = await startTestNats();
    await using receiver = await startReceiver({ respond: ({ attempt }) => (attempt < 3 ? 500 : 200) });
    const form = await seedForm(database.url);
    await seedWebhook(database.url, { ...form, url: receiver.url });
    await using pipeline = startPipeline({ databaseUrl: database.url, natsUrl: nats.url, settings: { FORMWIRE_BREAKER_FAILURES: '1000' } });

    await submitHousehold(pipeline, { formId: form.formId, count: 30 });
    await waitForTally(pipeline.pool, { outbox: 0, delivered: 30, pending: 0, attempts: 90 });

    for (const [id, count] of receiver.countsById()) {
      expect(count).toBe(3);
      const bodies = receiver.requests.filter((request) => request.id === id).map((request) => request.body.toString());
      expect(new Set(bodies).size).toBe(1);
    }
  });

  test('for good has its deliveries dead, each with its reason, when the schedule is used up', async () => {
    await using database = await createTestDatabase();
    await using nats = await startTestNats();
    await using receiver = await startReceiver({ respond: () => ({ status: 503, body: 'out of order' }) });
    const form = await seedForm(database.url);
    await seedWebhook(database.url, { ...form, url: receiver.url });
    const settings = { FORMWIRE_RETRY_SCHEDULE: '20ms,20ms', FORMWIRE_BREAKER_FAILURES: '1000' };
    await using pipeline = startPipeline({ databaseUrl: database.url, natsUrl: nats.url, settings });

    await submitHousehold(pipeline, { formId: form.formId, count: 10 });
    await waitForTally(pipeline.pool, { outbox: 0, dead: 10, attempts: 30 });
    const { rows } = await pipeline.pool.query('select distinct reason from deliveries');
    expect(rows).toEqual([{ reason: expect.stringContaining('Given up after 3 attempts.') }]);
  });

  test('has its breaker opened: one delivery is tried, the others wait; back again, all are delivered', async () => {
    await using database = await createTestDatabase();
    await using nats = await startTestNats();
    await using receiver = await startReceiver({ respond: () => 500 });
    const form = await seedForm(database.url);
    const integration = await seedWebhook(database.url, { ...form, url: receiver.url });
    const settings = { FORMWIRE_BREAKER_FAILURES: '5', FORMWIRE_RETRY_SCHEDULE: '200ms,400ms,400ms,400ms,400ms,400ms,400ms,400ms,400ms,1h' };
    await using pipeline = startPipeline({ databaseUrl: database.url, natsUrl: nats.url, settings });

    await submitHousehold(pipeline, { formId: form.formId, count: 200 });
    await waitForTally(pipeline.pool, { outbox: 0, pending: 200 });
    await submitHousehold(pipeline, { formId: form.formId, count: 300, prefix: 'later' });
    await waitForTally(pipeline.pool, { outbox: 0, pending: 500 });
    const before = receiver.requests.length;
    await receiver.waitFor(before + 1);
    const untried = await pipeline.pool.query(`select count(*)::int as count from deliveries where attempts = 0 and reason like 'Waits until the receiver is back.%'`);
    expect(untried.rows[0]?.count).toBeGreaterThan(350);
    const status = await pipeline.pool.query('select status, status_reason from integrations where id = $1', [integration.id]);
    expect(status.rows[0]).toMatchObject({ status: 'failing', status_reason: expect.stringContaining('500') });

    receiver.respond = () => 200;
    await waitForTally(pipeline.pool, { outbox: 0, delivered: 500, pending: 0 });
    await expect.poll(async () => (await pipeline.pool.query('select status from integrations')).rows[0]).toEqual({ status: 'active' });
  });

  test('that is gone (410) disables its integration and loses nothing', async () => {
    await using database = await createTestDatabase();
    await using nats = await startTestNats();
    await using receiver = await startReceiver({ respond: () => 410 });
    const form = await seedForm(database.url);
    await seedWebhook(database.url, { ...form, url: receiver.url });
    await using pipeline = startPipeline({ databaseUrl: database.url, natsUrl: nats.url });

    await submitHousehold(pipeline, { formId: form.formId, count: 50 });
    await waitForTally(pipeline.pool, { outbox: 0, pending: 50, dead: 0 });
    await expect
      .poll(async () => (await pipeline.pool.query('select status, status_reason from integrations')).rows[0])
      .toMatchObject({ status: 'disabled', status_reason: expect.stringContaining('410') });
  });
});

describe('an ordered webhook', () => {
  test('sees no inversion of first deliveries, whatever fails on the way', async () => {
    await using database = await createTestDatabase();
    await using nats = await startTestNats();
    await using receiver = await startReceiver({ respond: ({ index }) => (index % 7 === 3 || (index > 40 && index < 55) ? 500 : 200) });
    const form = await seedForm(database.url);
    await seedWebhook(database.url, { ...form, url: receiver.url, ordered: true });
    const settings = { FORMWIRE_RETRY_SCHEDULE: Array.from({ length: 20 }, () => '20ms').join(',') };
    await using pipeline = startPipeline({ databaseUrl: database.url, natsUrl: nats.url, settings });

    for (let round = 0; round < 10; round += 1) await submitHousehold(pipeline, { formId: form.formId, count: 30, prefix: `${round}-` });
    await waitForTally(pipeline.pool, { outbox: 0, delivered: 300, pending: 0 });

    const positions = await positionsOf(database.url);
    const order = firstArrivals(receiver.requests).map((id) => positions.get(id) ?? 0);
    expect(order).toHaveLength(300);
    expect(order).toEqual(order.toSorted((one, other) => one - other));
  });
});

describe('a paused integration', () => {
  test('keeps its deliveries pending without an attempt', async () => {
    await using database = await createTestDatabase();
    await using nats = await startTestNats();
    await using receiver = await startReceiver();
    const form = await seedForm(database.url);
    await seedWebhook(database.url, { ...form, url: receiver.url, status: 'paused' });
    await using pipeline = startPipeline({ databaseUrl: database.url, natsUrl: nats.url });

    await submitHousehold(pipeline, { formId: form.formId, count: 40 });
    await waitForTally(pipeline.pool, { outbox: 0, pending: 40, attempts: 0 });
    expect(receiver.requests).toHaveLength(0);
  });
});

test('a receiver that hangs does not hold up the others, and its deliveries are kept', async () => {
  await using database = await createTestDatabase();
  await using nats = await startTestNats();
  await using hanging = await startReceiver({ respond: () => 'hang' });
  await using healthy = await startReceiver();
  const form = await seedForm(database.url);
  await seedWebhook(database.url, { ...form, url: hanging.url });
  await seedWebhook(database.url, { ...form, url: healthy.url });
  await using pipeline = startPipeline({ databaseUrl: database.url, natsUrl: nats.url, settings: { FORMWIRE_SPILL_AFTER: '500ms', FORMWIRE_DRAIN: '1s' } });

  await submitHousehold(pipeline, { formId: form.formId, count: 1_500 });
  await healthy.waitFor(1_500, 20_000);
  // beyond what hangs, everything is recorded: the receiver that hangs keeps a place for each of its own sockets only
  await expect.poll(async () => (await tally(pipeline.pool)).outbox, { timeout: 20_000 }).toBeLessThanOrEqual(64);
  expect(new Set(healthy.requests.map((request) => request.id)).size).toBe(1_500);
});
