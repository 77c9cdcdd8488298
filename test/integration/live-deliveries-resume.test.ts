import { setTimeout as sleep } from 'node:timers/promises';
import fc from 'fast-check';
import type { Pool } from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { newId, type Id } from '../../src/events/id.ts';
import { decodeCursor, encodeCursor, positionKey, positionOfKey } from '../../src/graphql/cursor.ts';
import { openTestPool } from '../support/database.ts';
import { follow, type Follower } from '../support/follower.ts';
import { startPipeline, type TestPipeline } from '../support/pipeline.ts';
import { startProduct, type TestProduct } from '../support/product.ts';
import { startReceiver, type Receiver } from '../support/receiver.ts';
import { insertDelivery } from '../support/rows.ts';

let product: TestProduct;
let receiver: Receiver;
let pool: Pool;
beforeAll(async () => {
  product = await startProduct();
  receiver = await startReceiver();
  pool = openTestPool(product.databaseUrl, 12);
});
afterAll(async () => {
  await pool.end();
  await product[Symbol.asyncDispose]();
  await receiver[Symbol.asyncDispose]();
});

// oxlint-disable-next-line typescript/no-explicit-any -- tests know what they asked for
const run = (name: string, input: object, selection: string): Promise<any> =>
  product.api.call(`mutation ($input: ${name.charAt(0).toUpperCase()}${name.slice(1)}Input!) { ${name}(input: $input) { ${selection} errors { message } } }`, input as Record<string, unknown>);

interface Told {
  delivery: { id: string };
}
const query = `subscription ($formId: ID!) { deliveryChanged(formId: $formId) {
  delivery { id status reason errorClass nextAttemptAt finishedAt redeliveredAt redeliveredBy redrives }
} }`;
const selectStates = `
  select id, upper(status) as status, reason, error_class as "errorClass", next_attempt_at as "nextAttemptAt", finished_at as "finishedAt",
         redelivered_at as "redeliveredAt", upper(redelivered_by) as "redeliveredBy", redrives
  from deliveries where form_id = $1`;

interface World {
  formId: Id<'form'>;
  organizationId: Id<'org'>;
  /** What goes to it fails now and then. */
  shaky: Id<'intg'>;
  /** What goes to it waits. */
  paused: Id<'intg'>;
}

async function newWorld(): Promise<World> {
  const { form } = await run('createForm', { title: 'Live', questions: [{ key: 'q', text: 'Q', kind: 'TEXT' }] }, 'form { id }');
  const connect = async (): Promise<Id<'intg'>> => (await run('createIntegration', { formId: form.id, settings: { webhook: { url: receiver.url } } }, 'integration { id }')).integration.id;
  const [shaky, paused] = [await connect(), await connect()];
  await run('updateIntegration', { id: paused, paused: true }, 'integration { status }');
  const { rows } = await pool.query<{ id: Id<'org'> }>('select organization_id as id from forms where id = $1', [form.id]);
  return { formId: form.id, organizationId: rows[0]!.id, shaky, paused };
}

/** Has its place before others, and is there after them. */
async function commitLate({ formId, organizationId, shaky }: World, ms: number): Promise<void> {
  const client = await pool.connect();
  await client.query('begin');
  await insertDelivery(client as unknown as Pool, { formId, organizationId, integrationId: shaky, responseId: newId('resp') });
  await sleep(ms);
  await client.query('commit');
  client.release();
}

type Action =
  | { kind: 'submit'; count: number }
  | { kind: 'late'; ms: number }
  | { kind: 'redeliver'; which: 'shaky' | 'paused' }
  | { kind: 'disconnect'; who: number }
  | { kind: 'another dispatcher' }
  | { kind: 'outage'; ms: number }
  | { kind: 'restart' }
  | { kind: 'pause'; ms: number };

const action: fc.Arbitrary<Action> = fc.oneof(
  { weight: 8, arbitrary: fc.record({ kind: fc.constant('submit' as const), count: fc.integer({ min: 1, max: 15 }) }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('late' as const), ms: fc.integer({ min: 1, max: 60 }) }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('redeliver' as const), which: fc.constantFrom('shaky' as const, 'paused' as const) }) },
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('disconnect' as const), who: fc.nat(2) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('another dispatcher' as const) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('outage' as const), ms: fc.integer({ min: 1, max: 300 }) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('restart' as const) }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('pause' as const), ms: fc.integer({ min: 1, max: 60 }) }) },
);

const placesOf = ({ told }: Follower<Told>): number[] => told.map(({ cursor }) => positionOfKey(decodeCursor(cursor) ?? '', 'deliveryChanges') ?? NaN);
/** What a subscriber knows in the end: of each delivery what it was told last. */
const known = ({ told }: Follower<Told>): Map<string, unknown> => new Map(told.map(({ item }) => [item.delivery.id, item.delivery]));
async function stored(formId: string): Promise<Map<string, unknown>> {
  const { rows } = await pool.query<{ id: string }>(selectStates, [formId]);
  return new Map((JSON.parse(JSON.stringify(rows)) as { id: string }[]).map((row) => [row.id, row]));
}

test('whatever breaks, a subscriber that comes back knows in the end how each delivery stands, and was told no change twice', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(action, { minLength: 15, maxLength: 40 }), fc.infiniteStream(fc.boolean()), async (actions, fails) => {
      const world = await newWorld();
      const { formId } = world;
      receiver.respond = () => (fails.next().value ? 500 : 200);
      const followers = [0, 1, 2].map(() => follow<Told>(product, { query, variables: { formId }, after: encodeCursor(positionKey(0, 'deliveryChanges')) }));
      const under: Promise<unknown>[] = [];
      const others: TestPipeline[] = [];
      for (const step of actions) {
        if (step.kind === 'submit') under.push(product.pipeline.submitter.submitMany(Array.from({ length: step.count }, () => ({ formId, answers: [{ key: 'q', value: 'a' }] }))));
        if (step.kind === 'late') under.push(commitLate(world, step.ms));
        if (step.kind === 'redeliver') under.push(run('redeliver', { filter: { formId, integrationId: world[step.which], status: step.which === 'shaky' ? 'DELIVERED' : 'PENDING' } }, 'count').catch(() => undefined));
        if (step.kind === 'disconnect') followers[step.who]?.disconnect();
        if (step.kind === 'another dispatcher') others.push(startPipeline({ databaseUrl: product.databaseUrl, natsUrl: product.nats.url }));
        if (step.kind === 'pause') await sleep(step.ms);
        if (step.kind === 'restart') await Promise.all(under.splice(0)).then(() => product.restartApi());
        if (step.kind === 'outage') {
          await product.nats.stop();
          await sleep(step.ms);
          await product.nats.start();
        }
      }
      await Promise.all(under);
      receiver.respond = () => 200;
      for (const other of others) await other.stop();
      await run('deleteIntegration', { id: world.paused }, 'integration { id }');
      const left = `select (select count(*) from outbox where form_id = $1) + (select count(*) from deliveries where form_id = $1 and status = 'pending') as left`;
      await expect.poll(async () => (await pool.query<{ left: string }>(left, [formId])).rows[0]?.left, { timeout: 30_000, interval: 50 }).toBe('0');
      const truth = await stored(formId);
      for (const one of followers) await expect.poll(() => known(one), { timeout: 15_000, interval: 50 }).toEqual(truth);
      await Promise.all(followers.map(({ stop }) => stop()));
      // a state may come back to what it was between two looks; its place never does
      for (const places of followers.map(placesOf)) expect(places).toEqual([...new Set(places)].toSorted((one, other) => one - other));
    }),
    { numRuns: 3, endOnFailure: true },
  );
}, 240_000);

test('who listens for a form hears that its deliveries were recorded and redelivered, and of no other form', async () => {
  const [{ formId, shaky, paused }, other] = [await newWorld(), await newWorld()];
  const { bell } = product.pipeline.orders.deliveryChanges;
  let [rings, elsewhere] = [0, 0];
  const silence = [bell.listen(formId, () => (rings += 1)), bell.listen(other.formId, () => (elsewhere += 1))];
  const within = { timeout: 15_000, interval: 50 };
  const submit = () => product.pipeline.submitter.submitMany([{ formId, answers: [{ key: 'q', value: 'a' }] }]);
  await expect.poll(async () => (await submit(), rings), within).toBeGreaterThan(0); // it takes a moment until it hears
  const unfinished = `select event_id from outbox where form_id = $1 union all select event_id from deliveries where integration_id = $2 and status = 'pending'`;
  await expect.poll(async () => (await pool.query(unfinished, [formId, shaky])).rowCount, within).toBe(0);
  const before = rings;
  expect(await run('redeliver', { filter: { formId, integrationId: paused, status: 'PENDING' } }, 'count')).toMatchObject({ count: expect.any(Number) });
  await expect.poll(() => rings, within).toBeGreaterThan(before);
  expect(elsewhere).toBe(0);
  for (const stop of silence) stop();
});
