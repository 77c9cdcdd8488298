import type { Pool } from 'pg';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createCompletenessCheck } from '../../src/completeness/completeness-check.ts';
import { readCompleteness } from '../../src/completeness/missing-rows.ts';
import { reconcile, type Reconciliation } from '../../src/completeness/reconcile.ts';
import { repairEvents } from '../../src/completeness/repair.ts';
import { eventIdOf, type Id } from '../../src/events/id.ts';
import { silentLog } from '../../src/log.ts';
import { createTestDatabase } from '../support/database.ts';
import { startTestNats, type TestNats } from '../support/nats.ts';
import { amendInPipeline, eraseInPipeline, seedForm, seedWebhook, startPipeline, submitHousehold, waitForTally, type TestForm, type TestPipeline } from '../support/pipeline.ts';
import { startReceiver, type Receiver } from '../support/receiver.ts';

let stack: AsyncDisposableStack;
let databaseUrl: string;
let nats: TestNats;
let receiver: Receiver;
let pipeline: TestPipeline;
let pool: Pool;
let form: TestForm;
beforeEach(async () => {
  stack = new AsyncDisposableStack();
  databaseUrl = stack.use(await createTestDatabase()).url;
  nats = stack.use(await startTestNats());
  receiver = stack.use(await startReceiver());
  form = await seedForm(databaseUrl);
  pipeline = stack.use(startPipeline({ databaseUrl, natsUrl: nats.url }));
  ({ pool } = pipeline);
});
afterEach(() => stack.disposeAsync());

const hour = 3_600_000;
const compare = (change: { after?: number; most?: number; since?: Date; until?: Date } = {}): Promise<Reconciliation> =>
  reconcile({ reads: pool, pool }, { reach: { kind: 'installation' }, formId: form.formId, since: new Date(Date.now() - hour), until: new Date(Date.now() + hour), most: 20_000, ...change });
const tallyOf = async (id: Id<'intg'>, change = {}) => (await compare(change)).tallies.find(({ integrationId }) => integrationId === id);
const all = ['response.created', 'response.amended', 'response.deleted'] as const;
const connect = (options: object = {}) => seedWebhook(databaseUrl, { ...form, url: receiver.url, ...options });
const submit = (count: number, prefix = '') => submitHousehold(pipeline, { formId: form.formId, count, prefix });

describe('a reconciliation', () => {
  test('counts for each integration what became of every event', async () => {
    const early = await submit(2, 'early');
    const [hook, everything] = [await connect(), await connect({ events: all, everyForm: true })];
    const ids = await submit(8);
    await amendInPipeline(pipeline, { organizationId: form.organizationId, responseId: ids[0]!, expectedRevision: 1, metadata: { seen: true } });
    await waitForTally(pool, { outbox: 0, delivered: 17 });
    await eraseInPipeline(pipeline, { organizationId: form.organizationId, responseId: ids[1]! });
    await eraseInPipeline(pipeline, { organizationId: form.organizationId, responseId: early[0]! });
    await waitForTally(pool, { outbox: 0, delivered: 19 });

    const { responses, events, missing, next } = await compare();
    expect({ responses, events, missing, next }).toEqual({ responses: 10, events: 13, missing: [], next: null });
    expect(await tallyOf(hook.id)).toMatchObject({ delivered: 8, filtered: 5, missing: 0, unknown: 0 });
    expect(await tallyOf(everything.id)).toMatchObject({ delivered: 11, filtered: 2, missing: 0 });
  });

  test('tells of a time only, and goes on where it stopped', async () => {
    const { id } = await connect();
    await submit(30);
    await waitForTally(pool, { outbox: 0, delivered: 30 });
    expect(await tallyOf(id, { until: new Date(Date.now() - hour / 2) })).toMatchObject({ delivered: 0 });
    expect(await tallyOf(id, { since: new Date(Date.now() + hour / 2) })).toMatchObject({ delivered: 0 });
    const seen: number[] = [];
    for (let after: number | undefined, next: number | null = 0; next !== null; after = next) {
      const part = await compare({ most: 12, ...(after !== undefined && { after }) });
      seen.push(part.tallies[0]?.delivered ?? 0);
      ({ next } = part);
      if (next === null) break;
    }
    expect(seen).toEqual([12, 12, 6]);
  });

  test('takes what waits in the outbox for what it is, and what an integration got before it changed its mind', async () => {
    const { id } = await connect();
    await nats.stop();
    await submit(5);
    expect(await tallyOf(id)).toMatchObject({ queued: 5, missing: 0 });
    await pool.query(`update organizations set integrations_version = integrations_version + 1`);
    await pool.query(`update integrations set past_events = '[{"until": 2, "events": ["response.created"]}]', events = '["response.deleted"]'`);
    await submit(3, 'later');
    await nats.start();
    await waitForTally(pool, { outbox: 0, delivered: 5 });
    expect(await tallyOf(id)).toMatchObject({ delivered: 5, filtered: 3, missing: 0 });
  });

  test('finds a delivery that is nowhere, and repairs it without sending anything to the others', async () => {
    const [broken, sound] = [await connect(), stack.use(await startReceiver())];
    const other = await connect({ url: sound.url, events: all });
    const ids = await submit(20);
    await amendInPipeline(pipeline, { organizationId: form.organizationId, responseId: ids[2]!, expectedRevision: 1, metadata: {} });
    await waitForTally(pool, { outbox: 0, delivered: 41 });
    await pool.query('delete from deliveries where integration_id = $1 and response_id = any($2)', [broken.id, ids.slice(4, 6)]);
    await pool.query(`delete from deliveries where integration_id = $1 and event_type = 'response.amended'`, [other.id]);

    const { missing, tallies } = await compare();
    expect(missing.map(({ event, integrationId }) => [event.id, integrationId])).toEqual(expect.arrayContaining(ids.slice(4, 6).map((id) => [eventIdOf(id), broken.id])));
    expect(tallies.map((tally) => [tally.integrationId, tally.missing])).toEqual([[broken.id, 2], [other.id, 1]]);
    expect(await repairEvents(pool, missing.map(({ event }) => event))).toBe(3);
    expect(await repairEvents(pool, missing.map(({ event }) => event))).toBe(0);
    await waitForTally(pool, { outbox: 0, delivered: 41 });

    expect((await compare()).missing).toEqual([]);
    expect([...receiver.countsById()].filter(([, count]) => count > 1).map(([id]) => id).toSorted()).toEqual(ids.slice(4, 6).map(eventIdOf).toSorted());
    expect([...sound.countsById().values()].filter((count) => count > 1)).toEqual([2]);
    const bodies = receiver.requests.filter(({ id }) => id === eventIdOf(ids[4]!)).map(({ body }) => body.toString());
    expect(bodies).toEqual([bodies[0], bodies[0]]);
  });

  test('misses nothing of who is deleted, and nothing of what was erased', async () => {
    const [gone, { id }] = [await connect(), await connect()];
    const ids = await submit(6);
    await waitForTally(pool, { outbox: 0, delivered: 12 });
    await pool.query('delete from deliveries where response_id = any($1)', [ids.slice(0, 2)]);
    await eraseInPipeline(pipeline, { organizationId: form.organizationId, responseId: ids[0]! });
    await pool.query('update integrations set deleted_at = now() where id = $1', [gone.id]);
    expect(await tallyOf(gone.id)).toMatchObject({ isDeleted: true, delivered: 4, missing: 0 });
    expect(await tallyOf(id)).toMatchObject({ delivered: 4, canceled: 1, missing: 1 });
  });
});

describe('the check in the background', () => {
  const check = (lagsMs = [0]) => createCompletenessCheck({ pool, log: silentLog, lagsMs });

  test('finds what is missing once, counts it until it is mended, and goes on where it was', async () => {
    const { id } = await connect({ events: all });
    const ids = await submit(10);
    await amendInPipeline(pipeline, { organizationId: form.organizationId, responseId: ids[0]!, expectedRevision: 1, metadata: {} });
    await waitForTally(pool, { outbox: 0, delivered: 11 });
    await pool.query(`delete from deliveries where response_id = $1 or event_type = 'response.amended'`, [ids[3]]);
    expect(await check().step()).toEqual({ checked: 11, missing: 2 });
    expect(await readCompleteness(pool)).toEqual({ missing: 2, checkedAt: expect.any(Date) });
    expect(await check().step()).toEqual({ checked: 0, missing: 0 });
    await submit(2, 'more');
    await waitForTally(pool, { outbox: 0 });
    expect(await check().step()).toEqual({ checked: 2, missing: 0 });
    expect(await readCompleteness(pool)).toMatchObject({ missing: 2 });

    await repairEvents(pool, (await compare()).missing.map(({ event }) => event));
    await waitForTally(pool, { outbox: 0, delivered: 13 });
    await check().step();
    expect(await readCompleteness(pool)).toMatchObject({ missing: 0 });
    expect((await tallyOf(id))?.missing).toBe(0);
  });

  test('waits until an event is old enough, and is done by one process at a time', async () => {
    await connect();
    await submit(40);
    await waitForTally(pool, { outbox: 0, delivered: 40 });
    expect(await check([hour]).step()).toEqual({ checked: 0, missing: 0 });
    const counts = await Promise.all([check().step(), check().step(), check().step()]);
    expect(counts.reduce((sum, { checked }) => sum + checked, 0)).toBe(40);
  });

  test('forgets what nobody is owed any more', async () => {
    await connect();
    const ids = await submit(2);
    await waitForTally(pool, { outbox: 0, delivered: 2 });
    await pool.query('delete from deliveries');
    await check().step();
    expect((await readCompleteness(pool)).missing).toBe(2);
    await eraseInPipeline(pipeline, { organizationId: form.organizationId, responseId: ids[0]! });
    await check().step();
    expect((await readCompleteness(pool)).missing).toBe(1);
    await pool.query('update integrations set deleted_at = now()');
    await check().step();
    expect((await readCompleteness(pool)).missing).toBe(0);
  });
});
