import { expect, test } from 'vitest';
import { createTestDatabase } from '../support/database.ts';
import { startTestNats } from '../support/nats.ts';
import { seedForm, seedWebhook, startPipeline, submitHousehold, waitForTally, withClient } from '../support/pipeline.ts';
import { startReceiver } from '../support/receiver.ts';

/** Positions of what a receiver took, in the order in which it did. */
async function positionsOf(databaseUrl: string, eventIds: readonly string[]): Promise<number[]> {
  const { rows } = await withClient(databaseUrl, (client) => client.query<{ id: string; position: number }>('select event_id as id, position::float8 as position from deliveries'));
  const positions = new Map(rows.map(({ id, position }) => [id, position]));
  return eventIds.map((id) => positions.get(id) ?? NaN);
}

const ascending = (values: readonly number[]): number[] => values.toSorted((one, other) => one - other);

/** What stands in the way of a backlog of 300 while 200 more come in. */
const cases: [name: string, isRefused: (facts: { attempt: number; index: number }) => boolean, settings: Record<string, string>][] = [
  ['nothing', () => false, {}],
  ['a receiver that refuses every fortieth at first', ({ attempt, index }) => attempt === 1 && index % 40 === 20, {}],
  ['a receiver that is down for a while, so that its breaker opens', ({ index }) => index >= 100 && index < 104, { FORMWIRE_BREAKER_FAILURES: '2' }],
];

test.each(cases)('a backlog of an ordered integration goes out in order, and what is live behind it, with %s in the way', async (_name, isRefused, settings) => {
  await using database = await createTestDatabase();
  await using nats = await startTestNats();
  const taken: string[] = [];
  await using receiver = await startReceiver({
    respond: ({ id, attempt, index }) => {
      if (isRefused({ attempt, index })) return 503;
      taken.push(id);
      return 200;
    },
  });
  const form = await seedForm(database.url);
  const { id } = await seedWebhook(database.url, { ...form, url: receiver.url, ordered: true, status: 'paused' });
  await using pipeline = startPipeline({ databaseUrl: database.url, natsUrl: nats.url, settings: { FORMWIRE_LEASE: '20s', ...settings } });
  await submitHousehold(pipeline, { formId: form.formId, count: 300, prefix: 'before' });
  await waitForTally(pipeline.pool, { outbox: 0, pending: 300 });

  await pipeline.pool.query(`update integrations set status = 'active', updated_at = now() where id = $1`, [id]);
  pipeline.dispatcher?.integrationsChanged(form.organizationId);
  for (let part = 0; part < 10; part += 1) await submitHousehold(pipeline, { formId: form.formId, count: 20, prefix: `live${part}-` });
  await waitForTally(pipeline.pool, { outbox: 0, delivered: 500, pending: 0 });

  const positions = await positionsOf(database.url, taken);
  expect(positions).toHaveLength(500);
  expect(positions).toEqual(ascending(positions));
});

test('a backlog of an ordered integration goes out without a wait between one claim and the next', async () => {
  await using database = await createTestDatabase();
  await using nats = await startTestNats();
  await using receiver = await startReceiver();
  const form = await seedForm(database.url);
  const { id } = await seedWebhook(database.url, { ...form, url: receiver.url, ordered: true, status: 'paused' });
  // who waited for the next look at what is due would never be done
  await using pipeline = startPipeline({ databaseUrl: database.url, natsUrl: nats.url, settings: { FORMWIRE_LEASE: '20s', FORMWIRE_RETRY_POLL: '1h' } });
  await submitHousehold(pipeline, { formId: form.formId, count: 500 });
  await waitForTally(pipeline.pool, { outbox: 0, pending: 500 });

  await pipeline.pool.query(`update integrations set status = 'active', updated_at = now() where id = $1`, [id]);
  pipeline.dispatcher?.integrationsChanged(form.organizationId);
  await waitForTally(pipeline.pool, { delivered: 500, pending: 0 });
});
