import type { Pool } from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Id } from '../../src/events/id.ts';
import { amendResponse } from '../../src/responses/amend-response.ts';
import { eraseResponse } from '../../src/responses/erase-response.ts';
import { UserError } from '../../src/user-error.ts';
import { openChecks } from '../support/checks.ts';
import { startDeliveryApi, type DeliveryApi, type Owner } from '../support/delivery-api.ts';
import { openOtherSubmitter } from '../support/forms-api.ts';
import { editorOf } from '../support/pipeline.ts';
import { insertAttempt, insertDelivery, insertIntegration } from '../support/rows.ts';

let api: DeliveryApi;
let owner: Owner;

beforeAll(async () => {
  api = await startDeliveryApi();
  owner = await api.newOwner();
});
afterAll(() => api[Symbol.asyncDispose]());

type Input = Record<string, unknown>;
// oxlint-disable-next-line typescript/no-explicit-any -- tests know what they asked for
type Answered = any;

const questions = [{ key: 'name', text: 'Name?', kind: 'TEXT' }];
const answers = (value: string) => [{ key: 'name', value }];
const run = async (name: string, input: Input, selection = '', token: string | undefined = owner.token): Promise<Answered> => {
  const type = `${name.charAt(0).toUpperCase()}${name.slice(1)}Input`;
  return (await api.gql(`mutation ($input: ${type}!) { ${name}(input: $input) { ${selection} errors { code path message } } }`, { input }, token))[name];
};
const submit = (input: Input) => run('submitResponse', input, 'response { id }');
const submitted = async (input: Input): Promise<Id<'resp'>> => (await submit(input)).response.id;
const erase = (responseId: string, token?: string) => run('eraseResponse', { responseId }, 'response { id revision erasedAt erasedBy { id } }', token);
const codesOf = ({ errors }: Answered): string[] => errors.map(({ code, path }: Answered) => [code, ...path].join(' '));

/** Every row of every table that says `text` anywhere. */
async function rowsThatSay(pool: Pool, text: string): Promise<string[]> {
  const { rows: tables } = await pool.query<{ name: string }>(`select table_name as name from information_schema.tables where table_schema = 'public'`);
  const found: string[] = [];
  for (const { name } of tables) {
    const { rows } = await pool.query<{ row: string }>(`select t::text as row from "${name}" t where t::text ilike '%' || $1 || '%'`, [text]);
    found.push(...rows.map(({ row }) => `${name}: ${row}`));
  }
  return found;
}

/** A response of two revisions that says `secret` wherever one can, delivered, pending and dead. */
async function spreadResponse(form: { id: Id<'form'> }, secret: string) {
  const first = await submitted({
    formId: form.id, clientId: `${secret}-1`, answers: answers(`${secret} answer`), metadata: { note: secret },
    respondent: { name: secret, mobile: `+1${secret}` }, collector: { userId: secret, location: secret },
  });
  const amendment = { responseId: first, expectedRevision: 1, clientId: `${secret}-2`, answers: answers(`${secret} amended`) };
  const second: Id<'resp'> = (await run('amendResponse', amendment, 'response { id }')).response.id;
  const { rows } = await api.pool.query<{ id: Id<'evt'> }>('select event_id as id from outbox where response_id = $1', [first]);
  const deliveries: Record<string, Id<'dlv'>> = {};
  for (const status of ['delivered', 'pending', 'dead'] as const) {
    const integrationId = await insertIntegration(api.pool, { ...owner, formId: form.id });
    const reason = status === 'dead' ? `The receiver did not like ${secret}.` : null;
    const deliveryId = await insertDelivery(api.pool, { ...owner, formId: form.id, responseId: first, eventId: rows[0]!.id, integrationId, status, reason });
    await insertAttempt(api.pool, { deliveryId, number: 1, httpStatus: 500, error: `no ${secret}`, responseBody: `{"echo":"${secret}"}` });
    deliveries[status] = deliveryId;
  }
  return { first, second, deliveries };
}

describe('an erased response', () => {
  test('leaves nothing of what it said in any table', async () => {
    const form = await api.newForm(owner, questions);
    const other = await submitted({ formId: form.id, answers: answers('somebody else') });
    const { second } = await spreadResponse(form, 'zq81');
    expect((await rowsThatSay(api.pool, 'zq81')).length).toBeGreaterThan(5);
    expect((await erase(second)).errors).toEqual([]);
    expect(await rowsThatSay(api.pool, 'zq81')).toEqual([]);
    expect(await rowsThatSay(api.pool, 'somebody else')).toEqual([expect.stringContaining(other)]);
  });

  test('is known by its ids and times, by who erased it, and by what became of its deliveries', async () => {
    const form = await api.newForm(owner, questions);
    const { first, second, deliveries } = await spreadResponse(form, 'zq82');
    const { response } = await erase(first);
    expect(response).toEqual({ id: second, revision: 2, erasedAt: expect.any(String), erasedBy: { id: owner.userId } });
    const query = `query ($id: ID!) { response(id: $id) {
      id revision erasedAt clientId metadata submittedAt answers { text } respondent { name mobile } collector { userId location }
      revisions { edges { node { revision answers { text } } } }
      pipeline { delivered pending dead canceled } deliveries { id status reason nextAttemptAt attempts { number error responseBody } }
    } }`;
    const data = await api.gql(query, { id: first }, owner.token);
    const attempts = [{ number: 1, error: null, responseBody: null }];
    expect(data.response).toMatchObject({
      id: first, revision: 1, erasedAt: response.erasedAt, clientId: null, metadata: {}, answers: [], submittedAt: expect.any(String),
      respondent: { name: null, mobile: null }, collector: { userId: null, location: null },
      revisions: { edges: [{ node: { revision: 1, answers: [] } }, { node: { revision: 2, answers: [] } }] },
      pipeline: { delivered: 1, pending: 0, dead: 0, canceled: 2 },
    });
    const told = Object.fromEntries(data.response.deliveries.map(({ id, ...rest }: Answered) => [id, rest]));
    const canceled = { status: 'CANCELED', reason: 'The response was erased.', nextAttemptAt: null, attempts };
    expect(told).toEqual({
      [deliveries['delivered']!]: { status: 'DELIVERED', reason: null, nextAttemptAt: null, attempts },
      [deliveries['pending']!]: canceled,
      [deliveries['dead']!]: canceled,
    });
  });

  test('is in no list', async () => {
    const form = await api.newForm(owner, questions);
    const id = await submitted({ formId: form.id, answers: answers('x') });
    await erase(id);
    const query = `query ($form: ID!) { form(id: $form) { responses { edges { node { id } } } questions { answers { edges { node { id } } } } } }`;
    expect((await api.gql(query, { form: form.id }, owner.token)).form).toEqual({ responses: { edges: [] }, questions: [{ answers: { edges: [] } }] });
  });

  test('erased again is answered the same, and tells of it once', async () => {
    const form = await api.newForm(owner, questions);
    const id = await submitted({ formId: form.id, clientId: 'twice', answers: answers('x') });
    const before = api.committed.length;
    const results = await Promise.all([erase(id), erase(id), erase(id)]);
    expect(new Set([...results, await erase(id)].map((result) => JSON.stringify(result))).size).toBe(1);
    const { rows } = await api.pool.query(`select type from outbox where form_id = $1 order by position`, [form.id]);
    expect(rows.map(({ type }) => type)).toEqual(['response.created', 'response.deleted']);
    const [event, ...others] = api.committed.slice(before);
    expect(others).toEqual([]);
    expect(JSON.parse(Buffer.from(event?.body ?? []).toString())).toEqual({
      type: 'response.deleted',
      timestamp: results[0].response.erasedAt,
      data: { form: { id: form.id, title: 'Household survey', version: 1 }, response: { id, familyId: id, revision: 1 } },
    });
  });

  test('does not come back under its client ids, be they sent again, resubmitted or amended, in this process or another', async () => {
    const form = await api.newForm(owner, questions);
    await using other = openOtherSubmitter(api.databaseUrl);
    await other.submitter.submit({ formId: form.id, answers: [{ key: 'name', value: 'warms the cache' }] });
    const { first, second } = await spreadResponse(form, 'zq83');
    await erase(first);
    const elsewhere = await other.submitter.submit({ formId: form.id, clientId: 'zq83-1', answers: [] }).catch((error: unknown) => error);
    expect(elsewhere).toBeInstanceOf(UserError);
    expect(elsewhere).toMatchObject({ faults: [{ code: 'RESPONSE_ERASED', path: ['clientId'] }] });
    for (const clientId of ['zq83-1', 'zq83-2']) {
      expect(codesOf(await submit({ formId: form.id, clientId, answers: answers('again') }))).toEqual(['RESPONSE_ERASED clientId']);
      expect(codesOf(await submit({ formId: form.id, clientId, answers: [{ key: 'none', value: 1 }] }))).toEqual(['RESPONSE_ERASED clientId']);
    }
    expect(codesOf(await submit({ formId: form.id, familyId: first, answers: answers('again') }))).toEqual(['RESPONSE_ERASED familyId']);
    expect(codesOf(await run('amendResponse', { responseId: second, expectedRevision: 2, answers: answers('again') }))).toEqual(['RESPONSE_ERASED responseId']);
    const another = await submitted({ formId: form.id, answers: answers('another') });
    expect(codesOf(await run('amendResponse', { responseId: another, expectedRevision: 1, clientId: 'zq83-1' }))).toEqual(['RESPONSE_ERASED clientId']);
    expect(await submitted({ formId: form.id, clientId: 'zq83-3', answers: answers('new') })).toMatch(/^resp_/);
    const elsewhereForm = await api.newForm(owner, questions);
    expect(await submitted({ formId: elsewhereForm.id, clientId: 'zq83-1', answers: answers('of another form') })).toMatch(/^resp_/);
  });

  test('keeps its place in a form that takes only so many, and gives its respondent back', async () => {
    const form = await api.newForm(owner, questions);
    await run('updateForm', { id: form.id, maxResponses: 1, oneResponsePer: 'MOBILE' });
    const input = { formId: form.id, answers: answers('x'), respondent: { mobile: '+14155550100' } };
    const id = await submitted(input);
    await erase(id);
    expect(codesOf(await submit(input))).toEqual(['FORM_FULL formId']);
    await run('updateForm', { id: form.id, maxResponses: null });
    await run('updateForm', { id: form.id, maxResponses: 1 });
    expect(codesOf(await submit(input))).toEqual(['FORM_FULL formId']);
    await run('updateForm', { id: form.id, maxResponses: 2 });
    expect(codesOf(await submit(input))).toEqual([]);
  });

  test('is not delivered again by hand', async () => {
    const form = await api.newForm(owner, questions);
    const { first, deliveries } = await spreadResponse(form, 'zq84');
    await erase(first);
    const ids = ['delivered', 'pending', 'dead'].map((status) => deliveries[status]!);
    expect(codesOf(await run('redeliver', { deliveryIds: ids }, 'count'))).toEqual([0, 1, 2].map((index) => `RESPONSE_ERASED deliveryIds ${index}`));
    for (const status of ['DELIVERED', 'DEAD', 'PENDING']) expect(await run('redeliver', { filter: { formId: form.id, status } }, 'count')).toEqual({ count: 0, errors: [] });
  });

  test('can be one of a deleted form, but not of another organisation', async () => {
    const form = await api.newForm(owner, questions);
    const id = await submitted({ formId: form.id, answers: answers('zq85') });
    const stranger = await api.newOwner();
    expect(codesOf(await erase(id, stranger.token))).toEqual(['NOT_FOUND responseId']);
    expect(codesOf(await erase('resp_no'))).toEqual(['NOT_FOUND responseId']);
    await run('deleteForm', { id: form.id });
    expect((await erase(id)).response).toMatchObject({ id, erasedAt: expect.any(String) });
    expect(await rowsThatSay(api.pool, 'zq85')).toEqual([]);
  });
});

test('an erasure that fails at its last step has changed nothing, and succeeds when it is repeated', async () => {
  const form = await api.newForm(owner, questions);
  const { first } = await spreadResponse(form, 'zq86');
  const said = async () => (await rowsThatSay(api.pool, 'zq86')).toSorted();
  const before = await said();
  await api.pool.query(`alter table outbox add constraint no_deleted check (type <> 'response.deleted') not valid`);
  try {
    await expect(erase(first)).rejects.toThrow();
    expect(await said()).toEqual(before);
  } finally {
    await api.pool.query('alter table outbox drop constraint no_deleted');
  }
  expect((await erase(first)).errors).toEqual([]);
  expect(await said()).toEqual([]);
});

test('whatever is sent at the same moment comes before the erasure or is refused: nothing of it is there afterwards', { timeout: 60_000 }, async () => {
  const form = await api.newForm(owner, questions);
  await using others = openOtherSubmitter(api.databaseUrl);
  const refusals = new Set<string>();
  const settled = (work: Promise<unknown>): Promise<unknown> =>
    work.catch((error: unknown) => {
      if (!(error instanceof UserError)) throw error;
      refusals.add(error.faults[0]?.code ?? '');
    });
  const committed: string[] = [];
  const deps = { pool: api.pool, forms: api.published, checks: openChecks(api.pool), onCommitted: (events: readonly { type: string }[]) => void committed.push(...events.map(({ type }) => type)) };
  const viewer = editorOf(owner.organizationId);
  for (let round = 0; round < 40; round += 1) {
    const clientId = `race-${round}`;
    const input = { formId: form.id, clientId, answers: answers(clientId) };
    const { id } = await others.submitter.submit(input);
    await Promise.all([
      ...Array.from({ length: 4 }, () => settled(others.submitter.submit(input))),
      ...Array.from({ length: 3 }, () => settled(others.submitter.submit({ ...input, clientId: null, familyId: id }))),
      ...[1, 2].map((expectedRevision) => settled(amendResponse(deps, { viewer, input: { responseId: id, expectedRevision, answers: answers(clientId) } }))),
      eraseResponse(deps, { viewer, responseId: id }),
      ...Array.from({ length: 4 }, () => settled(others.submitter.submit(input))),
      settled(others.submitter.submit({ ...input, clientId: null, familyId: id })),
    ]);
    const { rows } = await api.pool.query(
      `select (select count(*)::int from responses where client_id = $2 or (family_id = $1 and (erased_at is null or answers <> '{}'))) as left,
              (select type from outbox o join responses r on r.id = o.response_id where r.family_id = $1 order by position desc limit 1) as last`,
      [id, clientId],
    );
    expect(rows).toEqual([{ left: 0, last: 'response.deleted' }]);
  }
  expect(committed.filter((type) => type === 'response.deleted')).toHaveLength(40);
  expect([...refusals]).toContain('RESPONSE_ERASED');
  expect(await rowsThatSay(api.pool, 'race-')).toEqual([]);
});
