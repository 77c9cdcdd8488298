import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { newId, type Id } from '../../src/events/id.ts';
import { startDeliveryApi, type DeliveryApi, type Owner } from '../support/delivery-api.ts';
import { insertAttempt, insertDelivery, insertIntegration, insertOutboxRow, insertResponse, type DeliveryDetails } from '../support/rows.ts';

let api: DeliveryApi;
let owner: Owner;
let stranger: Owner;
let formId: Id<'form'>;
let responseId: Id<'resp'>;
let integrationId: Id<'intg'>;

beforeAll(async () => {
  api = await startDeliveryApi();
  owner = await api.newOwner();
  stranger = await api.newOwner();
});
afterAll(() => api[Symbol.asyncDispose]());
beforeEach(async () => {
  formId = (await api.newForm(owner, [{ text: 'Age?', kind: 'INTEGER' }])).id;
  responseId = await insertResponse(api.pool, { formId });
  integrationId = await insertIntegration(api.pool, { ...owner, formId });
});

const add = (details: Partial<DeliveryDetails> = {}): Promise<Id<'dlv'>> =>
  insertDelivery(api.pool, { organizationId: owner.organizationId, formId, responseId, integrationId, ...details });

const inAnHour = (): Date => new Date(Date.now() + 3_600_000);

const listQuery = `query ($form: ID!, $first: Int, $after: String, $last: Int, $filter: DeliveryFilter) {
  form(id: $form) { deliveries(first: $first, after: $after, last: $last, filter: $filter) { edges { node { id } } pageInfo { hasNextPage endCursor } } }
}`;
const list = async (variables: object = {}) => {
  const data = await api.gql(listQuery, { form: formId, ...variables }, owner.token);
  return { ids: data.form.deliveries.edges.map((edge: { node: { id: string } }) => edge.node.id), pageInfo: data.form.deliveries.pageInfo };
};

const redeliverMutation = 'mutation ($input: RedeliverInput!) { redeliver(input: $input) { count hasMore endCursor deliveries { id status reason } errors { code path } } }';
const redeliver = async (input: object, token = owner.token) => (await api.gql(redeliverMutation, { input }, token)).redeliver;

const stateOf = async (id: string) =>
  (await api.pool.query(
    `select status, reason, attempts, schedule_start as start, coalesce(next_attempt_at <= now(), false) as due, claimed_by as "claimedBy", finished_at as "finishedAt"
     from deliveries where id = $1`,
    [id],
  )).rows[0];

describe('a delivery', () => {
  test('tells its event, integration, response and every attempt in order', async () => {
    const eventId = newId('evt');
    const id = await add({ eventId, status: 'pending', reason: 'The endpoint answered 503.', attempts: 2, nextAttemptAt: inAnHour() });
    await insertAttempt(api.pool, { deliveryId: id, number: 2, outcome: 'retry', httpStatus: 503, errorClass: 'HTTP_STATUS', error: 'The endpoint answered 503.', responseBody: 'busy' });
    await insertAttempt(api.pool, { deliveryId: id, number: 1, outcome: 'retry', errorClass: 'TIMEOUT', error: 'No answer.' });
    const data = await api.gql(
      `query ($id: ID!) { delivery(id: $id) {
        event { id type occurredAt } integration { id name } response { id submittedAt } status reason nextAttemptAt finishedAt
        attempts { number durationMs outcome httpStatus error errorClass responseBody }
      } }`,
      { id },
      owner.token,
    );
    expect(data.delivery).toEqual({
      event: { id: eventId, type: 'RESPONSE_CREATED', occurredAt: data.delivery.response.submittedAt },
      integration: { id: integrationId, name: 'Hook' },
      response: { id: responseId, submittedAt: expect.any(String) },
      status: 'PENDING', reason: 'The endpoint answered 503.', nextAttemptAt: expect.any(String), finishedAt: null,
      attempts: [
        { number: 1, durationMs: 12, outcome: 'RETRY', httpStatus: null, error: 'No answer.', errorClass: 'TIMEOUT', responseBody: null },
        { number: 2, durationMs: 12, outcome: 'RETRY', httpStatus: 503, error: 'The endpoint answered 503.', errorClass: 'HTTP_STATUS', responseBody: 'busy' },
      ],
    });
  });

  test('still names its integration when that was deleted', async () => {
    const deleted = await insertIntegration(api.pool, { ...owner, formId, deletedAt: new Date() });
    const id = await add({ integrationId: deleted, status: 'canceled' });
    const data = await api.gql('query ($id: ID!) { delivery(id: $id) { status integration { id deletedAt } } }', { id }, owner.token);
    expect(data.delivery).toEqual({ status: 'CANCELED', integration: { id: deleted, deletedAt: expect.any(String) } });
  });

  test('is for its organisation alone', async () => {
    const id = await add();
    const query = 'query ($id: ID!) { delivery(id: $id) { id } node(id: $id) { id } }';
    expect(await api.gql(query, { id }, stranger.token)).toEqual({ delivery: null, node: null });
    expect(await api.gql(query, { id })).toEqual({ delivery: null, node: null });
    expect(await api.gql(query, { id }, owner.token)).toEqual({ delivery: { id }, node: { id } });
    for (const [token, code] of [[undefined, 'UNAUTHENTICATED'], [stranger.token, 'FORBIDDEN']] as const) {
      const { body } = await api.post({ query: listQuery, variables: { form: formId } }, token ? { token } : {});
      expect(body.errors).toMatchObject([{ extensions: { code } }]);
    }
  });
});

describe('the deliveries of a form', () => {
  test('come in pages, oldest first or from the newest', async () => {
    const ids = [await add(), await add(), await add()];
    const first = await list({ first: 2 });
    expect(first.ids).toEqual(ids.slice(0, 2));
    expect((await list({ first: 2, after: first.pageInfo.endCursor })).ids).toEqual(ids.slice(2));
    expect((await list({ last: 1 })).ids).toEqual(ids.slice(2));
  });

  test('are found by integration, status, response and time', async () => {
    const day = (date: number): Date => new Date(Date.UTC(2026, 0, date));
    const other = await insertResponse(api.pool, { formId });
    const hook = await insertIntegration(api.pool, { ...owner, formId });
    const wanted = await add({ integrationId: hook, status: 'dead', responseId: other, createdAt: day(2) });
    await add({ createdAt: day(3) });
    for (const filter of [{ integrationId: hook }, { status: 'DEAD' }, { responseId: other }, { since: day(2).toISOString(), until: day(3).toISOString() }]) {
      expect([filter, (await list({ filter })).ids]).toEqual([filter, [wanted]]);
    }
  });

  test.for(["' or true --", 'intg_\u0000', ''])('are not asked for by the hostile id %j', async (id) => {
    const { body } = await api.post({ query: listQuery, variables: { form: formId, filter: { integrationId: id } } }, { token: owner.token });
    expect(body.errors).toMatchObject([{ extensions: { code: 'INVALID_INPUT' } }]);
  });
});

test('from a form that was deleted just now, nothing leads on', async () => {
  const query = 'mutation ($input: DeleteFormInput!) { deleteForm(input: $input) { form { title deliveries { edges { node { id } } } } } }';
  const { body } = await api.post({ query, variables: { input: { id: formId } } }, { token: owner.token });
  expect(body.errors).toMatchObject([{ message: expect.stringMatching(/^The form is deleted/), path: ['deleteForm', 'form', 'deliveries'] }]);
});

describe('the pipeline of a response', () => {
  const pipeline = async () => {
    const data = await api.gql(
      'query ($id: ID!) { response(id: $id) { pipeline { status total delivered pending dead canceled finishedAt } deliveries { id } } }',
      { id: responseId },
      owner.token,
    );
    return data.response.pipeline;
  };
  const at = new Date('2026-01-02T00:00:00.000Z');

  test('has nothing to deliver where no integration matched', async () => {
    expect(await pipeline()).toEqual({ status: 'NONE', total: 0, delivered: 0, pending: 0, dead: 0, canceled: 0, finishedAt: null });
  });

  test('is queued while its event is in the outbox, even when some are delivered', async () => {
    await insertOutboxRow(api.pool, { organizationId: owner.organizationId, formId, responseId });
    await add({ finishedAt: at });
    expect(await pipeline()).toMatchObject({ status: 'QUEUED', delivered: 1, finishedAt: null });
  });

  test('is not queued because of another response of the form', async () => {
    await insertOutboxRow(api.pool, { organizationId: owner.organizationId, formId, responseId: await insertResponse(api.pool, { formId }) });
    await add({ finishedAt: at });
    expect(await pipeline()).toMatchObject({ status: 'DELIVERED', finishedAt: at.toISOString() });
  });

  test('is pending while any delivery is, dead when the last was given up on', async () => {
    await add({ finishedAt: at });
    await add({ status: 'dead', finishedAt: at });
    await add({ status: 'canceled', finishedAt: at });
    const pending = await add({ status: 'pending' });
    expect(await pipeline()).toEqual({ status: 'PENDING', total: 4, delivered: 1, pending: 1, dead: 1, canceled: 1, finishedAt: null });
    await api.pool.query(`update deliveries set status = 'delivered', finished_at = $2 where id = $1`, [pending, at]);
    expect(await pipeline()).toMatchObject({ status: 'DEAD', finishedAt: at.toISOString() });
  });

  test('of several responses is read in one go, each its own', async () => {
    const other = await insertResponse(api.pool, { formId });
    await add();
    await add({ responseId: other, status: 'dead' });
    const data = await api.gql(
      'query ($id: ID!) { form(id: $id) { responses { edges { node { id pipeline { status } deliveries { status attempts { number } } } } } } }',
      { id: formId },
      owner.token,
    );
    expect(data.form.responses.edges.map((edge: { node: unknown }) => edge.node)).toEqual([
      { id: responseId, pipeline: { status: 'DELIVERED' }, deliveries: [{ status: 'DELIVERED', attempts: [] }] },
      { id: other, pipeline: { status: 'DEAD' }, deliveries: [{ status: 'DEAD', attempts: [] }] },
    ]);
  });
});

describe('redelivering', () => {
  test.for(['dead', 'delivered', 'pending'] as const)('makes a delivery that is %s pending and due, with a new schedule', async (status) => {
    const id = await add({ status, reason: 'Why.', attempts: 9, finishedAt: status === 'pending' ? null : new Date(), nextAttemptAt: status === 'pending' ? inAnHour() : null });
    api.changed.length = 0;
    const payload = await redeliver({ deliveryIds: [id] });
    expect(api.changed).toEqual([formId]);
    expect(payload).toEqual({ count: 1, hasMore: false, endCursor: null, deliveries: [{ id, status: 'PENDING', reason: null }], errors: [] });
    expect(await stateOf(id)).toEqual({ status: 'pending', reason: null, attempts: 9, start: 9, due: true, claimedBy: null, finishedAt: null });
  });

  test('leaves a delivery that is being sent at this moment to its dispatcher', async () => {
    const claimedBy = newId('dsp');
    const id = await add({ status: 'pending', attempts: 3, claimedBy, claimExpiresAt: inAnHour() });
    expect(await redeliver({ deliveryIds: [id] })).toMatchObject({ count: 1, errors: [] });
    expect(await stateOf(id)).toMatchObject({ status: 'pending', start: 0, claimedBy });
  });

  test('takes over a delivery whose claim ran out', async () => {
    const id = await add({ status: 'pending', attempts: 3, claimedBy: newId('dsp'), claimExpiresAt: new Date(Date.now() - 1_000) });
    await redeliver({ deliveryIds: [id] });
    expect(await stateOf(id)).toMatchObject({ start: 3, due: true, claimedBy: null });
  });

  test('does what can be done and tells what cannot', async () => {
    const deleted = await insertIntegration(api.pool, { ...owner, formId, deletedAt: new Date() });
    const canceled = await add({ integrationId: deleted, status: 'canceled' });
    const orphan = await add({ integrationId: deleted, status: 'dead' });
    const dead = await add({ status: 'dead' });
    const payload = await redeliver({ deliveryIds: [canceled, newId('dlv'), dead, 'dlv_\u0000', orphan, dead] });
    expect(payload).toMatchObject({ count: 1, deliveries: [{ id: dead }] });
    expect(payload.errors).toEqual([
      { code: 'INVALID_INPUT', path: ['deliveryIds', '0'] },
      { code: 'NOT_FOUND', path: ['deliveryIds', '1'] },
      { code: 'NOT_FOUND', path: ['deliveryIds', '3'] },
      { code: 'INVALID_INPUT', path: ['deliveryIds', '4'] },
    ]);
    expect(await stateOf(canceled)).toMatchObject({ status: 'canceled' });
    expect(await stateOf(orphan)).toMatchObject({ status: 'dead' });
  });

  test('by filter takes the dead ones it finds, and no others', async () => {
    const hook = await insertIntegration(api.pool, { ...owner, formId });
    const [dead, delivered, elsewhere] = [await add({ status: 'dead' }), await add(), await add({ integrationId: hook, status: 'dead' })];
    expect(await redeliver({ filter: { formId, integrationId } })).toMatchObject({ count: 1, hasMore: false, deliveries: [{ id: dead }] });
    expect(await stateOf(delivered)).toMatchObject({ status: 'delivered' });
    expect(await stateOf(elsewhere)).toMatchObject({ status: 'dead' });
    expect(await redeliver({ filter: { formId, status: 'DELIVERED' } })).toMatchObject({ count: 1, deliveries: [{ id: delivered }] });
  });

  test('by filter takes 10,000 at a time and goes on with the next call', async () => {
    await api.pool.query(
      `insert into deliveries (id, event_id, event_type, position, organization_id, form_id, response_id, integration_id, partition, status, attempts, next_attempt_at, created_at)
       select 'dlv_' || lpad(n::text, 26, '0'), 'evt_' || $1 || n, 'response.created', n, $2, $3, $4, $1, 0, 'pending', 1, now() + interval '1 hour', now()
       from generate_series(1, 10001) n`,
      [integrationId, owner.organizationId, formId, responseId],
    );
    const filter = { integrationId, status: 'PENDING' };
    const calls = [await redeliver({ filter }), await redeliver({ filter }), await redeliver({ filter })];
    expect(calls.map(({ count, hasMore }) => [count, hasMore])).toEqual([[10_000, true], [1, false], [0, false]]);
    expect(calls[0].deliveries).toHaveLength(100);
  });

  test('by filter sends nothing another time that has died again before the next call', async () => {
    await api.pool.query(`delete from deliveries where id like 'dlv_00000%'`);
    await api.pool.query(
      `insert into deliveries (id, event_id, event_type, position, organization_id, form_id, response_id, integration_id, partition, status, attempts, finished_at, created_at)
       select 'dlv_' || lpad(n::text, 26, '0'), 'evt_' || $1 || n, 'response.created', n, $2, $3, $4, $1, 0, 'dead', 1, now(), now()
       from generate_series(1, 10001) n`,
      [integrationId, owner.organizationId, formId, responseId],
    );
    const filter = { integrationId };
    const first = await redeliver({ filter });
    expect(first).toMatchObject({ count: 10_000, hasMore: true });
    await api.pool.query(`update deliveries set status = 'dead', finished_at = now() where status = 'pending' and integration_id = $1`, [integrationId]);
    expect(await redeliver({ filter, after: first.endCursor })).toMatchObject({ count: 1, hasMore: false, endCursor: null });
  });

  test('takes at most 1,000 ids', async () => {
    const ids = (count: number) => Array.from({ length: count }, () => newId('dlv'));
    expect(await redeliver({ deliveryIds: ids(1_000) })).toMatchObject({ count: 0 });
    await expect(redeliver({ deliveryIds: ids(1_001) })).rejects.toThrow('"input.deliveryIds" has 1001');
  });

  test.for([
    ['neither ids nor filter', {}, 'INVALID_INPUT', []],
    ['both ids and filter', { deliveryIds: [], filter: {} }, 'INVALID_INPUT', []],
    ['what was canceled', { filter: { status: 'CANCELED' } }, 'INVALID_INPUT', ['filter', 'status']],
    ['an end without a filter', { deliveryIds: [], after: 'QDA' }, 'INVALID_INPUT', ['after']],
    ['an end that is none', { filter: {}, after: 'QDA' }, 'INVALID_INPUT', ['after']],
    ['an id that is none', { filter: { formId: 'x' } }, 'INVALID_INPUT', ['filter', 'formId']],
  ] as const)('with %s is a fault', async ([, input, code, path]) => {
    expect(await redeliver(input)).toEqual({ count: null, hasMore: null, endCursor: null, deliveries: null, errors: [{ code, path }] });
  });

  test('reaches no delivery of another organisation', async () => {
    const id = await add({ status: 'dead' });
    expect(await redeliver({ deliveryIds: [id] }, stranger.token)).toMatchObject({ count: 0, errors: [{ code: 'NOT_FOUND' }] });
    expect(await redeliver({ filter: { formId } }, stranger.token)).toMatchObject({ count: 0, errors: [] });
    expect(await stateOf(id)).toMatchObject({ status: 'dead' });
  });
});
