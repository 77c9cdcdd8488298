import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Id } from '../../src/events/id.ts';
import { redriveDead } from '../../src/deliveries/redrive-dead.ts';
import { createTestDatabase } from '../support/database.ts';
import { startDeliveryApi, type DeliveryApi, type Owner } from '../support/delivery-api.ts';
import { startTestNats } from '../support/nats.ts';
import { seedForm, seedWebhook, startPipeline, submitHousehold, waitForTally } from '../support/pipeline.ts';
import { startReceiver } from '../support/receiver.ts';
import { insertDelivery, insertIntegration, insertResponse, type DeliveryDetails } from '../support/rows.ts';

let api: DeliveryApi;
let owner: Owner;
let formId: Id<'form'>;
let integrationId: Id<'intg'>;

beforeAll(async () => {
  api = await startDeliveryApi();
  owner = await api.newOwner();
});
afterAll(() => api[Symbol.asyncDispose]());
beforeEach(async () => {
  formId = (await api.newForm(owner, [{ text: 'Age?', kind: 'INTEGER' }])).id;
  integrationId = await insertIntegration(api.pool, { ...owner, formId });
});

const hour = 3_600_000;
const hoursAgo = (hours: number): Date => new Date(Date.now() - hours * hour);
const die = async (details: Partial<DeliveryDetails> = {}): Promise<Id<'dlv'>> => {
  const responseId = await insertResponse(api.pool, { formId });
  return insertDelivery(api.pool, { organizationId: owner.organizationId, formId, responseId, integrationId, status: 'dead', attempts: 10, finishedAt: hoursAgo(1), ...details });
};
const statesOf = async (ids: readonly string[]) => {
  const { rows } = await api.pool.query(
    `select status, redrives, redelivered_by as by, schedule_start as start, coalesce(next_attempt_at <= now(), false) as due from deliveries where id = any($1) order by id`,
    [ids],
  );
  return rows;
};
const update = async (input: object) =>
  (await api.gql('mutation ($input: UpdateIntegrationInput!) { updateIntegration(input: $input) { integration { deadRedrive { every times } } errors { code path } } }', { input: { id: integrationId, ...input } }, owner.token)).updateIntegration;
/** As after so many hours of waiting. */
const age = (id: string, hours: number) => api.pool.query(`update deliveries set finished_at = now() - make_interval(hours => $2) where id = $1`, [id, hours]);
const dieAgain = (id: string) => api.pool.query(`update deliveries set status = 'dead', attempts = attempts + 10, next_attempt_at = null, finished_at = now() where id = $1`, [id]);

describe('what is dead', () => {
  test('is grouped by integration and by what it failed with, the most frequent first', async () => {
    const other = await insertIntegration(api.pool, { ...owner, formId });
    await die({ errorClass: 'TIMEOUT', finishedAt: hoursAgo(5), reason: 'No answer.' });
    const newest = await die({ errorClass: 'TIMEOUT', finishedAt: hoursAgo(2), reason: 'No answer within 15 s.' });
    await die({ errorClass: 'HTTP_STATUS' });
    await die({ errorClass: 'HTTP_STATUS', integrationId: other });
    await die({ status: 'pending', errorClass: 'TIMEOUT' });
    const group = 'integration { id } errorClass count first last example { id reason }';
    const { form, node } = await api.gql(
      `query ($form: ID!, $integration: ID!) { form(id: $form) { deadLetters { ${group} } } node(id: $integration) { ... on Integration { deadLetters { ${group} } } } }`,
      { form: formId, integration: other },
      owner.token,
    );
    expect(form.deadLetters[0]).toMatchObject({
      integration: { id: integrationId }, errorClass: 'TIMEOUT', count: 2, example: { id: newest, reason: 'No answer within 15 s.' },
    });
    expect(new Date(form.deadLetters[0].last).getTime() - new Date(form.deadLetters[0].first).getTime()).toBeGreaterThan(2.9 * hour);
    expect(form.deadLetters.slice(1).map((one: { count: number; errorClass: string }) => [one.count, one.errorClass])).toEqual([[1, 'HTTP_STATUS'], [1, 'HTTP_STATUS']]);
    expect(node.deadLetters).toMatchObject([{ integration: { id: other }, errorClass: 'HTTP_STATUS', count: 1 }]);
  });

  test('is listed and redelivered by class, and tells who did it', async () => {
    const wanted = await die({ errorClass: 'TLS' });
    await die({ errorClass: 'TIMEOUT' });
    const list = 'query ($form: ID!, $filter: DeliveryFilter) { form(id: $form) { deliveries(filter: $filter) { edges { node { id errorClass redeliveredBy redeliveredByUser { id } redeliveredAt } } } } }';
    const read = async (filter: object) => (await api.gql(list, { form: formId, filter }, owner.token)).form.deliveries.edges.map((edge: { node: object }) => edge.node);
    expect(await read({ status: 'DEAD', errorClass: 'TLS' })).toEqual([{ id: wanted, errorClass: 'TLS', redeliveredBy: null, redeliveredByUser: null, redeliveredAt: null }]);
    const { redeliver } = await api.gql('mutation ($input: RedeliverInput!) { redeliver(input: $input) { count errors { code } } }', { input: { filter: { formId, errorClass: 'TLS' } } }, owner.token);
    expect(redeliver).toEqual({ count: 1, errors: [] });
    expect(await read({ status: 'PENDING' })).toMatchObject([{ id: wanted, redeliveredBy: 'MEMBER', redeliveredByUser: { id: owner.userId }, redeliveredAt: expect.any(String) }]);
  });

  test('of a class that cannot be one is refused', async () => {
    const query = 'query ($form: ID!, $class: String) { form(id: $form) { deliveries(filter: { errorClass: $class }) { edges { cursor } } } }';
    for (const wrong of ['a\0b', 'x'.repeat(101)]) {
      const { body } = await api.post({ query, variables: { form: formId, class: wrong } }, { token: owner.token });
      expect(body.errors).toMatchObject([{ extensions: { code: 'INVALID_INPUT' } }]);
    }
  });
});

describe('the schedule of an integration', () => {
  test('is off until it is set, and is set within bounds', async () => {
    const id = await die({ finishedAt: hoursAgo(1_000) });
    await redriveDead(api.pool);
    expect(await statesOf([id])).toMatchObject([{ status: 'dead', redrives: 0 }]);
    expect(await update({ deadRedrive: { every: '24h', times: 7 } })).toEqual({ integration: { deadRedrive: { every: '24h', times: 7 } }, errors: [] });
    expect(await update({ name: 'Renamed' })).toMatchObject({ integration: { deadRedrive: { every: '24h', times: 7 } } });
    for (const [deadRedrive, member] of [[{ every: '5m', times: 1 }, 'every'], [{ every: 'daily', times: 1 }, 'every'], [{ every: '721h', times: 1 }, 'every'], [{ every: '24h', times: 101 }, 'times'], [{ every: '24h', times: -1 }, 'times']] as const) {
      expect((await update({ deadRedrive })).errors).toEqual([{ code: 'INVALID_INPUT', path: ['deadRedrive', member] }]);
    }
    expect(await update({ deadRedrive: { every: '24h', times: 0 } })).toMatchObject({ integration: { deadRedrive: null } });
  });

  test('tries what died long enough ago again, so many times and no more', async () => {
    await update({ deadRedrive: { every: '24h', times: 2 } });
    const [old, young] = [await die({ finishedAt: hoursAgo(25) }), await die({ finishedAt: hoursAgo(23) })];
    expect((await redriveDead(api.pool)).get(integrationId)).toBe(1);
    expect(await statesOf([old, young])).toEqual([
      { status: 'pending', redrives: 1, by: 'schedule', start: 10, due: true },
      { status: 'dead', redrives: 0, by: null, start: 0, due: false },
    ]);
    for (const redrives of [2, 2]) {
      await dieAgain(old);
      await age(old, 25);
      await redriveDead(api.pool);
      expect(await statesOf([old])).toMatchObject([{ redrives }]);
    }
    expect(await statesOf([old])).toMatchObject([{ status: 'dead' }]);
  });

  test('begins anew where somebody redelivers by hand', async () => {
    await update({ deadRedrive: { every: '1h', times: 1 } });
    const id = await die({ finishedAt: hoursAgo(2) });
    await redriveDead(api.pool);
    await dieAgain(id);
    await api.gql('mutation ($input: RedeliverInput!) { redeliver(input: $input) { count } }', { input: { deliveryIds: [id] } }, owner.token);
    expect(await statesOf([id])).toMatchObject([{ status: 'pending', redrives: 0, by: 'member' }]);
  });

  test.for(['failing', 'paused', 'disabled'])('waits while the integration is %s', async (status) => {
    await update({ deadRedrive: { every: '1h', times: 1 } });
    await api.pool.query('update integrations set status = $2 where id = $1', [integrationId, status]);
    const id = await die({ finishedAt: hoursAgo(2) });
    await redriveDead(api.pool);
    expect(await statesOf([id])).toMatchObject([{ status: 'dead', redrives: 0 }]);
  });

  test('is served a thousand at a time, by several processes without one being taken twice', async () => {
    await update({ deadRedrive: { every: '1h', times: 5 } });
    const responseId = await insertResponse(api.pool, { formId });
    await api.pool.query(
      `insert into deliveries (id, event_id, event_type, position, organization_id, form_id, response_id, integration_id, partition, status, attempts, created_at, finished_at)
       select 'dlv_' || lpad(n::text, 26, '0'), 'evt_' || lpad(n::text, 26, '0'), 'response.created', n, $1, $2, $3, $4, 0, 'dead', 1, now(), now() - interval '2 hours' from generate_series(1, 2500) n`,
      [owner.organizationId, formId, responseId, integrationId],
    );
    const counts = await Promise.all([1, 2, 3, 4].map(() => redriveDead(api.pool)));
    expect(Math.max(...counts.map((count) => count.get(integrationId) ?? 0))).toBeLessThanOrEqual(1_000);
    await redriveDead(api.pool);
    await redriveDead(api.pool);
    const { rows } = await api.pool.query(`select status, redrives, count(*)::int from deliveries where integration_id = $1 group by 1, 2`, [integrationId]);
    expect(rows).toEqual([{ status: 'pending', redrives: 1, count: 2_500 }]);
  });
});

test('what the dispatcher gives up on tells its class, and the schedule brings it to its receiver', async () => {
  await using database = await createTestDatabase();
  await using nats = await startTestNats();
  await using receiver = await startReceiver();
  const form = await seedForm(database.url);
  const { id } = await seedWebhook(database.url, { ...form, url: receiver.url });
  await using pipeline = startPipeline({ databaseUrl: database.url, natsUrl: nats.url, settings: { FORMWIRE_RETRY_SCHEDULE: '10ms' } });
  receiver.respond = () => 500;
  await submitHousehold(pipeline, { formId: form.formId, count: 3 });
  await waitForTally(pipeline.pool, { dead: 3 });
  const classes = async () => (await pipeline.pool.query('select error_class as class, count(*)::int from deliveries group by 1')).rows;
  expect(await classes()).toEqual([{ class: 'HTTP_STATUS', count: 3 }]);

  receiver.respond = () => 200;
  await pipeline.pool.query(`update integrations set dead_redrive = '{"everyMs": 3600000, "times": 1}', status = 'active' where id = $1`, [id]);
  await pipeline.pool.query(`update deliveries set finished_at = now() - interval '2 hours'`);
  expect(await pipeline.redriver?.step()).toBe(3);
  await waitForTally(pipeline.pool, { delivered: 3, dead: 0 });
  expect(await classes()).toEqual([{ class: null, count: 3 }]);
});
