import { afterAll, beforeAll, expect, test } from 'vitest';
import { eventIdOf, type Id } from '../../src/events/id.ts';
import { startDeliveryApi, type DeliveryApi, type Owner } from '../support/delivery-api.ts';
import { insertDelivery, insertIntegration } from '../support/rows.ts';

let api: DeliveryApi;
let owner: Owner;
let stranger: Owner;
beforeAll(async () => {
  api = await startDeliveryApi();
  [owner, stranger] = [await api.newOwner(), await api.newOwner()];
});
afterAll(() => api[Symbol.asyncDispose]());

const query = `query ($form: ID!, $since: DateTime, $until: DateTime, $after: String) { reconcile(formId: $form, since: $since, until: $until, after: $after) {
  responses events endCursor missing { integrationId eventId eventType responseId } integrations { integration { id } delivered pending queued missing filtered }
} }`;
const ask = async (variables: Record<string, unknown>, token = owner.token) => (await api.gql(query, variables, token)).reconcile;
const repair = async (input: object) => (await api.gql('mutation ($input: RepairMissingInput!) { repairMissing(input: $input) { count endCursor errors { code path } } }', { input }, owner.token)).repairMissing;
const codesOf = async (variables: object, token?: string) => {
  const { body } = await api.post({ query, variables }, token ? { token } : {});
  return body.errors?.map((error: { extensions: { code: string } }) => error.extensions.code);
};

test('a form is reconciled and repaired through the API', async () => {
  const { id: formId } = await api.newForm(owner, [{ text: 'Age?', kind: 'INTEGER' }]);
  const integrationId = await insertIntegration(api.pool, { ...owner, formId });
  const ids: Id<'resp'>[] = [];
  for (const value of [1, 2, 3]) {
    const { submitResponse } = await api.gql('mutation ($input: SubmitResponseInput!) { submitResponse(input: $input) { response { id } } }', { input: { formId, answers: [{ key: 'age', value }] } });
    ids.push(submitResponse.response.id);
  }
  await insertDelivery(api.pool, { ...owner, formId, responseId: ids[0]!, integrationId, eventId: eventIdOf(ids[0]!) });
  await api.pool.query('delete from outbox where response_id = any($1)', [ids.slice(0, 2)]);

  const counts = { integration: { id: integrationId }, delivered: 1, pending: 0, queued: 1, missing: 1, filtered: 0 };
  expect(await ask({ form: formId })).toEqual({
    responses: 3, events: 3, endCursor: null, integrations: [counts],
    missing: [{ integrationId, eventId: eventIdOf(ids[1]!), eventType: 'RESPONSE_CREATED', responseId: ids[1] }],
  });
  expect(await ask({ form: formId, since: '2020-01-01T00:00:00Z', until: '2020-01-02T00:00:00Z' })).toMatchObject({ responses: 0, events: 0 });
  expect(await repair({ formId })).toEqual({ count: 1, endCursor: null, errors: [] });
  expect((await ask({ form: formId })).integrations).toEqual([{ ...counts, queued: 2, missing: 0 }]);
  const { rows } = await api.pool.query('select event_id as id from outbox where form_id = $1 order by position', [formId]);
  expect(rows).toEqual(ids.slice(1).map((id) => ({ id: eventIdOf(id) })));
});

test('only by those who may, and with what makes sense', async () => {
  const { id: formId } = await api.newForm(owner, []);
  expect(await codesOf({ form: formId })).toEqual(['UNAUTHENTICATED']);
  expect(await codesOf({ form: formId }, stranger.token)).toEqual(['NOT_FOUND']);
  expect(await codesOf({ form: formId, since: '2026-01-02T00:00:00Z', until: '2026-01-01T00:00:00Z' }, owner.token)).toEqual(['INVALID_INPUT']);
  expect(await codesOf({ form: formId, after: 'nothing' }, owner.token)).toEqual(['INVALID_INPUT']);
  expect(await repair({ formId: 'form_x' })).toMatchObject({ errors: [{ code: 'NOT_FOUND', path: ['formId'] }] });
});

test('an organisation has two at a time, and is refused past those that wait; another one is not', async () => {
  const { id: formId } = await api.newForm(owner, []);
  const elsewhere = await api.newForm(stranger, []);
  const holding = await api.pool.connect();
  await holding.query('begin; lock table changes in access exclusive mode');
  const told: string[] = [];
  const answered = Promise.all(Array.from({ length: 30 }, () => codesOf({ form: formId }, owner.token).then((codes) => codes && told.push(...codes))));
  await expect.poll(() => told).toHaveLength(30 - 2 - 20);
  const theirs = codesOf({ form: elsewhere.id }, stranger.token);
  await expect.poll(async () => (await holding.query(`select count(*)::int as count from pg_locks where relation = 'changes'::regclass and not granted`)).rows).toEqual([{ count: 3 }]);
  await holding.query('commit');
  holding.release();
  await answered;
  expect([new Set(told), await theirs]).toEqual([new Set(['OVERLOADED']), undefined]);
});
