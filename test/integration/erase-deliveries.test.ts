import { jetstreamManager } from '@nats-io/jetstream';
import { connect } from '@nats-io/transport-node';
import { expect, test } from 'vitest';
import { ensureStream, streamName } from '../../src/stream/topology.ts';
import { createTestDatabase } from '../support/database.ts';
import { startTestNats } from '../support/nats.ts';
import { amendInPipeline, eraseInPipeline, seedForm, seedWebhook, startPipeline, submitHousehold, waitForTally, withClient } from '../support/pipeline.ts';
import { startReceiver, type ReceivedRequest, type Respond } from '../support/receiver.ts';

/** No dispatcher loses its partitions here because the machine is busy. */
const longLease = { FORMWIRE_LEASE: '20s' };
const everyEvent = ['response.created', 'response.amended', 'response.deleted'] as const;

/** A form whose webhook gets every type of event. */
async function begin(options: { respond?: Respond; ordered?: boolean } = {}) {
  const stack = new AsyncDisposableStack();
  const database = stack.use(await createTestDatabase());
  const nats = stack.use(await startTestNats());
  const connection = await connect({ servers: nats.url });
  stack.defer(() => connection.close());
  const manager = await jetstreamManager(connection);
  await ensureStream(manager, { replicas: 1, maxAgeMs: 3_600_000 });
  const receiver = stack.use(await startReceiver(options.respond ? { respond: options.respond } : {}));
  const form = await seedForm(database.url);
  const { id: integrationId } = await seedWebhook(database.url, { ...form, url: receiver.url, events: everyEvent, ordered: options.ordered ?? false });
  const open = (settings: Record<string, string> = {}) => stack.use(startPipeline({ databaseUrl: database.url, natsUrl: nats.url, settings: { ...longLease, ...settings } }));
  return { database, manager, receiver, form, integrationId, open, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

const told = ({ body }: ReceivedRequest) => JSON.parse(body.toString()) as { type: string; data: { response: { familyId: string; revision: number } } };
const typesOf = (requests: readonly ReceivedRequest[], familyId: string | undefined): string[] =>
  requests.map(told).filter(({ data }) => data.response.familyId === familyId).map(({ type }) => type);

test('what is pending or dead of an erased response is canceled, what is delivered stays so, and its deletion is told', async () => {
  await using world = await begin({ respond: (request) => (told(request).type === 'response.created' ? 500 : 200) });
  const { database, form, receiver, open } = world;
  await using healthy = await startReceiver();
  await seedWebhook(database.url, { ...form, url: healthy.url });
  await using failing = await startReceiver({ respond: () => 500 });
  await seedWebhook(database.url, { ...form, url: failing.url });
  const pipeline = open({ FORMWIRE_RETRY_SCHEDULE: '50ms,1h', FORMWIRE_BREAKER_FAILURES: '1000' });
  const [erased, kept] = await submitHousehold(pipeline, { formId: form.formId, count: 2 });
  await waitForTally(pipeline.pool, { outbox: 0, delivered: 2, pending: 4, attempts: 10 });
  await pipeline.pool.query(`update deliveries set status = 'dead' where response_id = $1 and status = 'pending' and integration_id <> $2`, [erased, world.integrationId]);
  const before = failing.requests.length;

  await eraseInPipeline(pipeline, { ...form, responseId: erased ?? '' });
  await waitForTally(pipeline.pool, { outbox: 0, delivered: 3, pending: 2, dead: 0, canceled: 2 });
  expect(typesOf(receiver.requests, erased).at(-1)).toBe('response.deleted');
  await pipeline.pool.query(`update deliveries set next_attempt_at = now() where status = 'pending'`);
  await waitForTally(pipeline.pool, { delivered: 3, pending: 0, dead: 2, canceled: 2 });
  expect(typesOf(failing.requests.slice(before), erased)).toEqual([]);
  expect(typesOf(failing.requests.slice(before), kept)).not.toEqual([]);
});

test('what the stream holds of an erased response is never sent, and every event of it is accounted for', async () => {
  await using world = await begin();
  const { manager, form, receiver, open } = world;
  const taking = open({ FORMWIRE_ROLES: 'api' });
  await expect.poll(async () => (await taking.readiness()).reasons).toEqual([]);
  const ids = await submitHousehold(taking, { formId: form.formId, count: 60 });
  const gone = ids.filter((_, index) => index % 3 === 0);
  for (const responseId of gone) await amendInPipeline(taking, { ...form, responseId, expectedRevision: 1, answers: [{ key: 'remarks', value: 'Seen.' }] });
  for (const responseId of gone) await eraseInPipeline(taking, { ...form, responseId });
  await waitForTally(taking.pool, { outbox: 100, canceled: 40 });
  await expect.poll(async () => (await manager.streams.info(streamName)).state.messages).toBe(100);

  const dispatching = open({ FORMWIRE_ROLES: 'dispatcher' });
  await waitForTally(dispatching.pool, { outbox: 0, delivered: 60, canceled: 40, pending: 0, dead: 0, attempts: 60 });
  const types = Map.groupBy(receiver.requests.map(told), ({ type }) => type);
  expect(types.get('response.created')?.map(({ data }) => data.response.familyId).toSorted()).toEqual(ids.filter((id) => !gone.includes(id)).toSorted());
  expect(types.get('response.amended')).toBeUndefined();
  expect(types.get('response.deleted')?.map(({ data }) => data.response.familyId).toSorted()).toEqual(gone.toSorted());
});

test('an event of an erased response that the stream has lost leaves the outbox, and its deletion is published', async () => {
  await using world = await begin();
  const { manager, form, receiver, open } = world;
  const taking = open({ FORMWIRE_ROLES: 'api' });
  await expect.poll(async () => (await taking.readiness()).reasons).toEqual([]);
  const [erased] = await submitHousehold(taking, { formId: form.formId, count: 1 });
  await eraseInPipeline(taking, { ...form, responseId: erased ?? '' });
  await expect.poll(async () => (await manager.streams.info(streamName)).state.messages).toBe(2);
  await manager.streams.delete(streamName);

  const running = open({ FORMWIRE_ROLES: 'relay,dispatcher' });
  await waitForTally(running.pool, { outbox: 0, delivered: 1, canceled: 1, attempts: 1 });
  expect(typesOf(receiver.requests, erased)).toEqual(['response.deleted']);
});

test('an attempt that was under way leaves nothing of what the receiver said, first or repeated', async () => {
  const { promise: answering, resolve: answer } = Promise.withResolvers<void>();
  await using world = await begin({
    respond: async (request) => {
      if (told(request).type === 'response.deleted') return 200;
      if (request.index > 0) await answering;
      return { status: 500, body: request.body };
    },
  });
  const { form, receiver, open } = world;
  const pipeline = open();
  const [retried] = await submitHousehold(pipeline, { formId: form.formId, count: 1, prefix: 'a' });
  await expect.poll(() => typesOf(receiver.requests, retried), { timeout: 10_000 }).toHaveLength(2);
  const [first] = await submitHousehold(pipeline, { formId: form.formId, count: 1, prefix: 'b' });
  await expect.poll(() => typesOf(receiver.requests, first), { timeout: 10_000 }).toHaveLength(1);

  for (const responseId of [retried, first]) await eraseInPipeline(pipeline, { ...form, responseId: responseId ?? '' });
  answer();
  await waitForTally(pipeline.pool, { outbox: 0, delivered: 2, pending: 0, canceled: 2, attempts: 4 });
  const { rows } = await pipeline.pool.query(`select a.number, a.error, a.response_body from attempts a join deliveries d on d.id = a.delivery_id where d.status = 'canceled' order by 1`);
  expect(rows).toEqual([{ number: 1, error: null, response_body: null }, { number: 2, error: null, response_body: null }]);
});

test('a deletion has the same bytes in the stream and at every attempt, and comes last to an ordered webhook', async () => {
  await using world = await begin({ ordered: true, respond: (request) => (told(request).type === 'response.deleted' && request.attempt === 1 ? 500 : 200) });
  const { manager, form, receiver, open } = world;
  const pipeline = open();
  const [erased] = await submitHousehold(pipeline, { formId: form.formId, count: 1 });
  await amendInPipeline(pipeline, { ...form, responseId: erased ?? '', expectedRevision: 1, answers: [{ key: 'remarks', value: 'Seen.' }] });
  await waitForTally(pipeline.pool, { outbox: 0, delivered: 2 });
  await eraseInPipeline(pipeline, { ...form, responseId: erased ?? '' });
  await waitForTally(pipeline.pool, { outbox: 0, delivered: 3, pending: 0, attempts: 4 });

  expect(typesOf(receiver.requests, erased)).toEqual(['response.created', 'response.amended', 'response.deleted', 'response.deleted']);
  const [one, other] = receiver.requests.slice(2).map(({ body }) => body.toString());
  expect(other).toBe(one);
  expect(Object.keys(JSON.parse(one ?? '').data.response)).toEqual(['id', 'familyId', 'revision']);
  const message = await manager.streams.getMessage(streamName, { seq: 3 });
  expect(Buffer.from(message?.data ?? []).toString()).toBe(one);
});

test('a delivery whose response is gone ends as canceled instead of being claimed for ever', async () => {
  await using world = await begin({ respond: () => 500 });
  const { database, form, open } = world;
  const pipeline = open({ FORMWIRE_RETRY_SCHEDULE: '1h', FORMWIRE_BREAKER_FAILURES: '1000' });
  await submitHousehold(pipeline, { formId: form.formId, count: 3 });
  await waitForTally(pipeline.pool, { outbox: 0, pending: 3 });
  await withClient(database.url, (client) => client.query(`update responses set erased_at = now(), answers = '{}'`));
  await pipeline.pool.query('update deliveries set next_attempt_at = now()');
  await waitForTally(pipeline.pool, { pending: 0, canceled: 3, attempts: 3 });
  const { rows } = await pipeline.pool.query('select distinct reason, claimed_by from deliveries');
  expect(rows).toEqual([{ reason: 'The response was erased.', claimed_by: null }]);
});

test('a delivery that waits in a dispatcher while its response is erased is not sent', async () => {
  const { promise: answering, resolve: answer } = Promise.withResolvers<void>();
  await using world = await begin({ ordered: true, respond: async () => answering.then(() => 200) });
  const { database, form, receiver, open } = world;
  await using failing = await startReceiver({ respond: () => 500 });
  await seedWebhook(database.url, { ...form, url: failing.url });
  const pipeline = open({ FORMWIRE_RETRY_SCHEDULE: '1h', FORMWIRE_BREAKER_FAILURES: '1000', FORMWIRE_SPILL_AFTER: '60s' });
  const ids = await submitHousehold(pipeline, { formId: form.formId, count: 3 });
  await waitForTally(pipeline.pool, { pending: 3 });
  await expect.poll(() => receiver.requests.length).toBe(1);
  const last = ids.at(-1) ?? '';

  await eraseInPipeline(pipeline, { ...form, responseId: last });
  // whoever tries these again has looked for erased ones before
  await pipeline.pool.query(`update deliveries set next_attempt_at = now() where status = 'pending'`);
  await expect.poll(() => failing.requests.length, { timeout: 10_000 }).toBe(5);
  answer();
  await waitForTally(pipeline.pool, { outbox: 0, delivered: 3, canceled: 2 });
  expect(receiver.requests.map(told).map(({ type, data }) => [type, data.response.familyId])).toEqual([
    ['response.created', ids[0]], ['response.created', ids[1]], ['response.deleted', last],
  ]);
});
