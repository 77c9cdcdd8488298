import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { answerId, newId, type Id } from '../../src/events/id.ts';
import { startDeliveryApi, type DeliveryApi, type Owner } from '../support/delivery-api.ts';
import { householdResponses } from '../support/household.ts';
import { insertResponse } from '../support/rows.ts';

let api: DeliveryApi;
let owner: Owner;
let stranger: Owner;

beforeAll(async () => {
  api = await startDeliveryApi();
  owner = await api.newOwner();
  stranger = await api.newOwner();
});
afterAll(() => api[Symbol.asyncDispose]());

const submitMutation = `mutation ($input: SubmitResponseInput!) {
  submitResponse(input: $input) { response { id clientId submittedAt metadata answers { text value } } errors { code path message } }
}`;
const submit = async (input: unknown) => (await api.gql(submitMutation, { input })).submitResponse;

/** Codes of the errors of a query. */
async function errorCodes(query: string, variables: unknown, token?: string): Promise<unknown[]> {
  const { body } = await api.post({ query, variables }, token ? { token } : {});
  return (body.errors ?? []).map((error: { extensions: { code: string } }) => error.extensions.code);
}

const listQuery = `query ($form: ID!, $first: Int, $after: String, $last: Int, $before: String, $filter: ResponseFilter) {
  form(id: $form) { responses(first: $first, after: $after, last: $last, before: $before, filter: $filter) { edges { node { id } } pageInfo { hasNextPage endCursor } } }
}`;
async function list(form: Id<'form'>, variables: Record<string, unknown> = {}, token = owner.token) {
  const data = await api.gql(listQuery, { form, ...variables }, token);
  const { edges, pageInfo } = data.form.responses;
  return { ids: edges.map((edge: { node: { id: string } }) => edge.node.id), pageInfo };
}

describe('submitting', () => {
  test('anyone gets back what they submitted, without an account', async () => {
    const form = await api.newForm(owner);
    const [input] = householdResponses(form.id);
    const { response, errors } = await submit(input);
    expect(errors).toEqual([]);
    expect(response).toMatchObject({ clientId: 'tablet-2-0001', metadata: {} });
    expect(response.answers).toHaveLength(15);
    expect(response.answers[3]).toEqual({ text: 'Male', value: 'Male' });
    expect(response.answers[13]).toEqual({ text: 'Bicycle, Car', value: ['Bicycle', 'Car'] });
  });

  test('the submitter who is not the owner learns nothing of what becomes of it', async () => {
    const form = await api.newForm(owner);
    const query = `mutation ($input: SubmitResponseInput!) { submitResponse(input: $input) { response { id pipeline { total } deliveries { id } } } }`;
    const [one, two, three] = householdResponses(form.id);
    expect(await errorCodes(query, { input: one })).toEqual(expect.arrayContaining(['UNAUTHENTICATED']));
    expect(await errorCodes(query, { input: two }, stranger.token)).toEqual(expect.arrayContaining(['FORBIDDEN']));
    const data = await api.gql(query, { input: three }, owner.token);
    expect(data.submitResponse.response).toMatchObject({ pipeline: { total: 0 }, deliveries: [] });
  });

  test('faults come all at once with paths into the input', async () => {
    const form = await api.newForm(owner, [{ text: 'Name?', kind: 'TEXT', required: true }, { text: 'Age?', kind: 'INTEGER', max: 130 }]);
    const { response, errors } = await submit({ formId: form.id, clientId: '', answers: [{ key: 'age', value: '7' }, { question: 'Why?', value: 1 }] });
    expect(response).toBeNull();
    expect(errors.map(({ code, path }: { code: string; path: string[] }) => [code, path.join('.')]).toSorted()).toEqual([
      ['ANSWER_INVALID', 'answers.0.value'],
      ['ANSWER_REQUIRED', 'answers'],
      ['INVALID_INPUT', 'clientId'],
      ['QUESTION_UNKNOWN', 'answers.1.question'],
    ]);
  });

  test('of many, each has its own result', async () => {
    const form = await api.newForm(owner, [{ text: 'Age?', kind: 'INTEGER', required: true }]);
    const answers = (value: unknown) => ({ formId: form.id, answers: [{ key: 'age', value }] });
    const { submitResponses } = await api.gql(
      `mutation ($input: SubmitResponsesInput!) { submitResponses(input: $input) { results { response { answers { number } } errors { code path } } errors { code } } }`,
      { input: { responses: [answers(1), answers('x'), answers(3)] } },
    );
    expect(submitResponses).toEqual({
      results: [
        { response: { answers: [{ number: 1 }] }, errors: [] },
        { response: null, errors: [{ code: 'ANSWER_INVALID', path: ['answers', '0', 'value'] }] },
        { response: { answers: [{ number: 3 }] }, errors: [] },
      ],
      errors: [],
    });
  });

  test('none at all, or more than a thousand at once, are refused as a whole', async () => {
    const query = 'mutation ($input: SubmitResponsesInput!) { submitResponses(input: $input) { results { errors { code } } errors { code path } } }';
    const submit = async (count: number) =>
      (await api.post({ query, variables: { input: { responses: Array.from({ length: count }, () => ({ formId: newId('form'), answers: [] })) } } })).body;
    expect((await submit(0)).data.submitResponses).toEqual({ results: [], errors: [{ code: 'INVALID_INPUT', path: ['responses'] }] });
    expect((await submit(1_000)).data.submitResponses.results).toHaveLength(1_000);
    expect((await submit(1_001)).errors).toMatchObject([{ message: 'A list may have at most 1000 items; "input.responses" has 1001.', extensions: { code: 'LIST_TOO_LONG' } }]);
  });
});

describe('the responses of a form', () => {
  test('come in pages, oldest first, each once', async () => {
    const form = await api.newForm(owner);
    const ids: string[] = [];
    for (let index = 0; index < 5; index += 1) ids.push(await insertResponse(api.pool, { formId: form.id }));

    const first = await list(form.id, { first: 2 });
    const late = await insertResponse(api.pool, { formId: form.id });
    const second = await list(form.id, { first: 2, after: first.pageInfo.endCursor });
    const third = await list(form.id, { first: 2, after: second.pageInfo.endCursor });

    expect([first.ids, second.ids, third.ids]).toEqual([ids.slice(0, 2), ids.slice(2, 4), [ids[4], late]]);
    expect([first, third].map((page) => page.pageInfo.hasNextPage)).toEqual([true, false]);
    expect((await list(form.id, { last: 2 })).ids).toEqual([ids[4], late]);
  });

  test('are shown in their current revision only', async () => {
    const form = await api.newForm(owner);
    const first = await insertResponse(api.pool, { formId: form.id });
    const other = await insertResponse(api.pool, { formId: form.id });
    await insertResponse(api.pool, { formId: form.id, familyId: first, revision: 2 });
    const current = await insertResponse(api.pool, { formId: form.id, familyId: first, revision: 3 });
    expect((await list(form.id)).ids).toEqual([other, current]);
  });

  test.for([
    ['the client id', { clientId: 'c1' }],
    ['the collector', { collectorUserId: 'u1' }],
    ['the respondent’s number', { respondentMobile: '+1' }],
    ['the time it came in', { submittedSince: '2026-01-02T00:00:00Z', submittedUntil: '2026-01-03T00:00:00Z' }],
  ] as const)('are found by %s', async ([, filter]) => {
    const form = await api.newForm(owner);
    const wanted = await insertResponse(api.pool, {
      formId: form.id, clientId: 'c1', collector: { userId: 'u1' }, respondent: { mobile: '+1' }, submittedAt: new Date('2026-01-02T00:00:00Z'),
    });
    await insertResponse(api.pool, {
      formId: form.id, clientId: 'c2', collector: { userId: 'u2' }, respondent: { mobile: '+2' }, submittedAt: new Date('2026-01-03T00:00:00Z'),
    });
    expect((await list(form.id, { filter })).ids).toEqual([wanted]);
  });

  test.for(["' or true --", '$1', '?', '%', '{"a":1}', '\\'])('are not found by the hostile filter %j', async (text) => {
    const form = await api.newForm(owner);
    await insertResponse(api.pool, { formId: form.id, clientId: 'c', respondent: { mobile: '+1' } });
    expect((await list(form.id, { filter: { clientId: text, respondentMobile: text } })).ids).toEqual([]);
  });

  test('asked for with a character that cannot be stored is a fault of the caller', async () => {
    const form = await api.newForm(owner);
    expect(await errorCodes(listQuery, { form: form.id, filter: { clientId: 'a\u0000' } }, owner.token)).toEqual(['INVALID_INPUT']);
  });

  test('are for the form’s organisation alone', async () => {
    const form = await api.newForm(owner);
    const id = await insertResponse(api.pool, { formId: form.id });
    expect(await errorCodes(listQuery, { form: form.id })).toEqual(['UNAUTHENTICATED']);
    expect(await errorCodes(listQuery, { form: form.id }, stranger.token)).toEqual(['FORBIDDEN']);
    const byId = 'query ($id: ID!) { response(id: $id) { id } node(id: $id) { id } }';
    expect(await api.gql(byId, { id }, stranger.token)).toEqual({ response: null, node: null });
    expect(await api.gql(byId, { id })).toEqual({ response: null, node: null });
    expect(await api.gql(byId, { id }, owner.token)).toEqual({ response: { id }, node: { id } });
  });

  test('show what was asked at the time, however the form has changed', async () => {
    const form = await api.newForm(owner, [{ text: 'Colour?', key: 'colour', kind: 'SINGLE_CHOICE', choices: [{ text: 'Red' }, { text: 'Blue' }] }]);
    const { response } = await submit({ formId: form.id, answers: [{ key: 'colour', value: 'Red' }] });
    await api.gql(
      'mutation ($input: UpdateQuestionInput!) { updateQuestion(input: $input) { errors { message } } }',
      { input: { id: form.questions[0]?.id, text: 'Color?', choices: [{ text: 'Green' }] } },
      owner.token,
    );
    const data = await api.gql(
      'query ($id: ID!) { response(id: $id) { formVersion answers { text question { text choices { text } } choices { text } } } }',
      { id: response.id },
      owner.token,
    );
    expect(data.response).toEqual({
      formVersion: 1,
      answers: [{ text: 'Red', question: { text: 'Colour?', choices: [{ text: 'Red' }, { text: 'Blue' }] }, choices: [{ text: 'Red' }] }],
    });
  });
});

describe('answers', () => {
  const answersQuery = `query ($form: ID!, $first: Int, $after: String) {
    form(id: $form) { questions { key answers(first: $first, after: $after) { edges { node { id text number metadata answeredAt response { id } } } pageInfo { hasNextPage endCursor } } } }
  }`;

  test('of one question come in pages, without responses that leave it open or were amended', async () => {
    const form = await api.newForm(owner, [{ text: 'Age?', kind: 'INTEGER' }, { text: 'Name?', kind: 'TEXT' }]);
    const [age, name] = form.questions.map((question) => question.id) as [Id<'q'>, Id<'q'>];
    const first = await insertResponse(api.pool, { formId: form.id, answers: { [age]: { value: 1 }, [name]: { value: 'a' } } });
    await insertResponse(api.pool, { formId: form.id, answers: { [name]: { value: 'b' } } });
    const third = await insertResponse(api.pool, { formId: form.id, answers: { [age]: { value: 3, metadata: { by: 'x' } } } });
    const fourth = await insertResponse(api.pool, { formId: form.id, familyId: first, revision: 2, answers: { [age]: { value: 4 } } });

    const data = await api.gql(answersQuery, { form: form.id, first: 1 }, owner.token);
    const page = data.form.questions[0].answers;
    expect(page.edges).toEqual([
      { node: { id: answerId(third, age), text: '3', number: 3, metadata: { by: 'x' }, answeredAt: expect.any(String), response: { id: third } } },
    ]);
    const next = await api.gql(answersQuery, { form: form.id, after: page.pageInfo.endCursor }, owner.token);
    expect(next.form.questions[0].answers).toMatchObject({ edges: [{ node: { number: 4, metadata: {}, response: { id: fourth } } }], pageInfo: { hasNextPage: false } });
  });

  test('are for the form’s organisation alone', async () => {
    const form = await api.newForm(owner, [{ text: 'Age?', kind: 'INTEGER' }]);
    const [age] = form.questions.map((question) => question.id) as [Id<'q'>];
    const responseId = await insertResponse(api.pool, { formId: form.id, answers: { [age]: { value: 1 } } });
    expect(await errorCodes(answersQuery, { form: form.id }, stranger.token)).toEqual(['FORBIDDEN']);

    const node = 'query ($id: ID!) { node(id: $id) { id ... on Answer { number } } }';
    const id = answerId(responseId, age);
    expect(await api.gql(node, { id }, stranger.token)).toEqual({ node: null });
    expect(await api.gql(node, { id }, owner.token)).toEqual({ node: { id, number: 1 } });
    expect(await api.gql(node, { id: answerId(responseId, newId('q')) }, owner.token)).toEqual({ node: null });
  });
});
