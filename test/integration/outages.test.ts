import { jetstreamManager, type JetStreamManager } from '@nats-io/jetstream';
import { connect } from '@nats-io/transport-node';
import { describe, expect, test } from 'vitest';
import { partitionOf } from '../../src/events/event.ts';
import { consumerName, ensureStream, streamName } from '../../src/stream/topology.ts';
import { eventIds, hasGotEachOnce } from '../support/crash-scenario.ts';
import { createTestDatabase } from '../support/database.ts';
import { householdInputs } from '../support/household-inputs.ts';
import { startLoad, type Load } from '../support/load.ts';
import { startTestNats } from '../support/nats.ts';
import { startNatsWithStore, startRestartablePostgres } from '../support/outages.ts';
import { seedForm, seedWebhook, startPipeline, submitHousehold, tally, waitForTally, type TestForm, type TestPipeline } from '../support/pipeline.ts';
import { startReceiver, type Receiver } from '../support/receiver.ts';
import { startTcpProxy } from '../support/tcp-proxy.ts';

/** No dispatcher loses its partitions here because the machine is busy. */
const longLease = { FORMWIRE_LEASE: '20s' };

/** So many more responses are accepted. */
const takesMore = (load: Load, count: number): Promise<void> => {
  const target = load.accepted.size + count;
  return expect.poll(() => load.accepted.size, { timeout: 20_000, interval: 10 }).toBeGreaterThanOrEqual(target);
};

/** Each is looked up, and waits ten seconds for a connection at most. */
const repeatsAtOnce = 200;

/** What was accepted has the same id when it is sent again, and what was refused is taken once now. */
async function takesRepeats(pipeline: TestPipeline, load: Load, submit: { formId: string; prefix: string }): Promise<void> {
  const inputs = householdInputs({ ...submit, count: 5_000 }).filter(({ clientId }) => load.accepted.has(clientId) || load.unavailable.has(clientId));
  for (let from = 0; from < inputs.length; from += repeatsAtOnce) {
    const repeats = await Promise.all(inputs.slice(from, from + repeatsAtOnce).map(async (input) => [input.clientId, (await pipeline.submitter.submit(input)).id] as const));
    for (const [clientId, id] of repeats) if (load.accepted.has(clientId)) expect(id).toBe(load.accepted.get(clientId));
  }
  expect((await tally(pipeline.pool)).responses).toBe(inputs.length);
}

describe('PostgreSQL', () => {
  test.each(['stop', 'kill'] as const)('away for longer than the leases (%s) under load loses nothing, doubles nothing and uses no attempts up', { timeout: 60_000 }, async (way) => {
    await using postgres = await startRestartablePostgres();
    await using nats = await startTestNats();
    await using receiver = await startReceiver();
    const form = await seedForm(postgres.url);
    const { secret } = await seedWebhook(postgres.url, { ...form, url: receiver.url });
    const settings = { FORMWIRE_LEASE: '1s' };
    await using pipeline = startPipeline({ databaseUrl: postgres.url, natsUrl: nats.url, settings });
    const load = startLoad(pipeline, { formId: form.formId, prefix: 'load-', concurrency: 40 });
    await takesMore(load, 300);

    await postgres[way]();
    await expect.poll(() => pipeline.dispatcher?.state().partitions, { timeout: 10_000 }).toEqual([]);
    await postgres.start();
    await takesMore(load, 300);
    await load.end();
    await takesRepeats(pipeline, load, { formId: form.formId, prefix: 'load-' });

    const { responses } = await tally(pipeline.pool);
    await waitForTally(pipeline.pool, { responses, outbox: 0, delivered: responses, pending: 0, dead: 0, attempts: responses });
    const repeated = hasGotEachOnce(receiver, { secret, ids: await eventIds(postgres.url) });
    // no more than the calls that were under way when the leases ran out
    expect(repeated).toBeLessThanOrEqual(64);
  });
});

describe('NATS', { timeout: 60_000 }, () => {
  const begin = async () => {
    const stack = new AsyncDisposableStack();
    const database = stack.use(await createTestDatabase());
    const nats = stack.use(await startNatsWithStore());
    const receiver = stack.use(await startReceiver());
    const form = await seedForm(database.url);
    const { secret } = await seedWebhook(database.url, { ...form, url: receiver.url });
    const open = (settings: Record<string, string> = {}) => stack.use(startPipeline({ databaseUrl: database.url, natsUrl: nats.url, settings: { ...longLease, ...settings } }));
    return { database, nats, receiver, form, secret, open, [Symbol.asyncDispose]: () => stack.disposeAsync() };
  };
  const isAllDelivered = async (facts: { pipeline: TestPipeline; databaseUrl: string; receiver: Receiver; secret: string; load: Load; form: TestForm }, repeats: number) => {
    const { pipeline, load } = facts;
    expect(load.unavailable.size).toBe(0);
    const responses = load.accepted.size;
    const books = { responses, outbox: 0, delivered: responses, pending: 0, dead: 0, attempts: responses };
    await waitForTally(pipeline.pool, books);
    const repeated = hasGotEachOnce(facts.receiver, { secret: facts.secret, ids: await eventIds(facts.databaseUrl) });
    expect(repeated).toBeLessThanOrEqual(repeats);
  };

  test.each(['stop', 'kill'] as const)('away (%s) under load keeps nobody from submitting, and everything is delivered when it is back', async (way) => {
    await using facts = await begin();
    const { nats, open, form } = facts;
    const pipeline = open();
    const load = startLoad(pipeline, { formId: form.formId, prefix: 'load-', concurrency: 20 });
    await takesMore(load, 300);
    await nats[way]();
    await takesMore(load, 300);
    await nats.start();
    await takesMore(load, 300);
    await load.end();
    await isAllDelivered({ ...facts, databaseUrl: facts.database.url, pipeline, load }, 0);
  });

  test('with its store gone has everything published again', async () => {
    await using facts = await begin();
    const { nats, open, form } = facts;
    const pipeline = open();
    const load = startLoad(pipeline, { formId: form.formId, prefix: 'load-', concurrency: 20 });
    await takesMore(load, 300);
    await nats.stop();
    nats.wipeStore();
    await takesMore(load, 100);
    await nats.start();
    await takesMore(load, 300);
    await load.end();
    await isAllDelivered({ ...facts, databaseUrl: facts.database.url, pipeline, load }, 0);
  });

  test('rolled back to an older copy of its store loses nothing and doubles nothing', async () => {
    await using facts = await begin();
    const { nats, open, form } = facts;
    const pipeline = open();
    const load = startLoad(pipeline, { formId: form.formId, prefix: 'load-', concurrency: 20 });
    await takesMore(load, 300);
    await nats.stop();
    nats.saveStore();
    await nats.start();
    await takesMore(load, 300);
    await nats.kill();
    nats.restoreStore();
    await nats.start();
    await takesMore(load, 300);
    await load.end();
    await isAllDelivered({ ...facts, databaseUrl: facts.database.url, pipeline, load }, 0);
  });

  test('rolled back to before a backlog was dispatched does not send it again to anyone', async () => {
    await using facts = await begin();
    const { nats, open, form } = facts;
    const taking = open({ FORMWIRE_ROLES: 'api,relay' });
    const zeroth = open({ FORMWIRE_ROLES: 'dispatcher' });
    const load = startLoad(taking, { formId: form.formId, prefix: 'load-', most: 300 });
    await takesMore(load, 20);
    await zeroth.stop();
    await expect.poll(() => load.accepted.size).toBe(300);
    await load.end();
    await expect.poll(() => countUnpublished(taking), { timeout: 10_000 }).toBe(0);
    await nats.stop();
    nats.saveStore();
    await nats.start();
    const first = open({ FORMWIRE_ROLES: 'dispatcher' });
    await waitForTally(first.pool, { outbox: 0, delivered: 300 });
    await first.stop();
    await nats.stop();
    nats.restoreStore();
    await nats.start();
    const second = open({ FORMWIRE_ROLES: 'dispatcher' });
    const more = startLoad(taking, { formId: form.formId, prefix: 'more-', most: 100 });
    await takesMore(more, 100);
    await more.end();
    const both = { ...load, accepted: new Map([...load.accepted, ...more.accepted]) };
    await isAllDelivered({ ...facts, databaseUrl: facts.database.url, pipeline: second, load: both }, 0);
  });

  test('rolled back in its messages alone, and filled up again to where its consumers are, delivers what these would skip', async () => {
    await using facts = await begin();
    const { nats, open, form } = facts;
    const taking = open({ FORMWIRE_ROLES: 'api', FORMWIRE_SWEEP_AFTER: '1s' });
    const first = open({ FORMWIRE_ROLES: 'relay,dispatcher' });
    const load = startLoad(taking, { formId: form.formId, prefix: 'load-', most: 200 });
    await takesMore(load, 200);
    await load.end();
    await waitForTally(taking.pool, { outbox: 0, delivered: 200 });
    await nats.stop();
    nats.saveStore();
    await nats.start();
    const more = startLoad(taking, { formId: form.formId, prefix: 'more-', most: 400 });
    await takesMore(more, 400);
    await more.end();
    await waitForTally(taking.pool, { outbox: 0, delivered: 600 });
    await first.stop();
    await nats.stop();
    nats.restoreMessages();
    await nats.start();
    await expect.poll(async () => (await taking.readiness()).reasons, { timeout: 10_000 }).toEqual([]);
    const last = startLoad(taking, { formId: form.formId, prefix: 'last-', most: 900, concurrency: 40 });
    await takesMore(last, 900);
    await last.end();
    await expect.poll(() => countUnpublished(taking), { timeout: 10_000 }).toBe(0);
    const second = open({ FORMWIRE_ROLES: 'relay,dispatcher' });
    const all = { ...load, accepted: new Map([...load.accepted, ...more.accepted, ...last.accepted]) };
    await isAllDelivered({ ...facts, databaseUrl: facts.database.url, pipeline: second, load: all }, 0);
  });

  test('whose stream is deleted under the running system gets it again, and everything is delivered', async () => {
    await using facts = await begin();
    const { nats, open, form } = facts;
    const pipeline = open();
    const load = startLoad(pipeline, { formId: form.formId, prefix: 'load-', concurrency: 20 });
    await takesMore(load, 300);
    await withManager(nats.url, (manager) => manager.streams.delete(streamName));
    await takesMore(load, 300);
    await load.end();
    await isAllDelivered({ ...facts, databaseUrl: facts.database.url, pipeline, load }, 0);
  });

  test('whose stream was made anew and has grown past what it had, delivers what was only in the old one', async () => {
    await using facts = await begin();
    const { database, nats, open, form, receiver, secret } = facts;
    const quiet = { FORMWIRE_ROLES: 'api', FORMWIRE_SWEEP_AFTER: '1s' };
    const before = open(quiet);
    await submitHousehold(before, { formId: form.formId, count: 1 });
    const first = open({ FORMWIRE_ROLES: 'api,relay' });
    await submitHousehold(first, { formId: form.formId, count: 20, prefix: 'old-' });
    await expect.poll(() => countUnpublished(first), { timeout: 10_000 }).toBe(0);
    await first.stop();
    await withManager(nats.url, async (manager) => {
      await manager.streams.delete(streamName);
      await ensureStream(manager, { replicas: 1, maxAgeMs: 3_600_000 });
    });
    const others = await formOfAnotherPartition(database.url, form);
    await submitHousehold(before, { formId: others.formId, count: 60, prefix: 'other-' });
    await expect.poll(() => countUnpublished(before), { timeout: 10_000 }).toBe(0);

    const pipeline = open();
    await waitForTally(pipeline.pool, { responses: 81, outbox: 0, delivered: 21, pending: 0, attempts: 21 });
    expect(hasGotEachOnce(receiver, { secret, ids: await eventIds(database.url) })).toBe(0);
  });
});

test('what a broken connection to NATS has lost on its way comes again at once, not when its time to be acked is over', async () => {
  await using database = await createTestDatabase();
  await using nats = await startTestNats();
  await using proxy = await startTcpProxy(nats.port);
  await using receiver = await startReceiver();
  const form = await seedForm(database.url);
  await seedWebhook(database.url, { ...form, url: receiver.url });
  await using taking = startPipeline({ databaseUrl: database.url, natsUrl: nats.url, settings: { ...longLease, FORMWIRE_ROLES: 'api,relay' } });
  await using dispatching = startPipeline({
    databaseUrl: database.url,
    natsUrl: `nats://127.0.0.1:${proxy.port}`,
    settings: { ...longLease, FORMWIRE_ROLES: 'dispatcher' },
  });
  await submitHousehold(taking, { formId: form.formId, count: 1 });
  await waitForTally(dispatching.pool, { delivered: 1, outbox: 0 });

  proxy.loseReplies();
  await submitHousehold(taking, { formId: form.formId, count: 50, prefix: 'lost-' });
  await withManager(nats.url, async ({ consumers }) => {
    const consumer = consumerName(partitionOf(form.formId));
    await expect.poll(async () => (await consumers.info(streamName, consumer)).num_ack_pending, { timeout: 10_000 }).toBe(50);
  });
  proxy.break();
  await waitForTally(dispatching.pool, { delivered: 51, outbox: 0, attempts: 51 });
  expect(receiver.requests).toHaveLength(51);
});

async function formOfAnotherPartition(databaseUrl: string, { formId }: TestForm): Promise<TestForm> {
  for (;;) {
    const form = await seedForm(databaseUrl);
    if (partitionOf(form.formId) !== partitionOf(formId)) return form;
  }
}

const countUnpublished = async ({ pool }: TestPipeline): Promise<number> =>
  (await pool.query<{ count: number }>('select count(*)::int as count from outbox where published_sequence is null')).rows[0]?.count ?? 0;

async function withManager(natsUrl: string, use: (manager: JetStreamManager) => Promise<unknown>): Promise<void> {
  const connection = await connect({ servers: natsUrl });
  await use(await jetstreamManager(connection));
  await connection.close();
}
