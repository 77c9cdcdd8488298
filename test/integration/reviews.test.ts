import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { newId, type Id } from '../../src/events/id.ts';
import { pageOfResponses } from '../../src/responses/response-rows.ts';
import type { ReviewState } from '../../src/responses/review.entity.ts';
import { startFormsApi, type FormsApi } from '../support/forms-api.ts';

let forms: FormsApi;

beforeAll(async () => {
  forms = await startFormsApi();
});
afterAll(() => forms[Symbol.asyncDispose]());

type Input = Record<string, unknown>;
// oxlint-disable-next-line typescript/no-explicit-any -- tests know what they asked for
type Answered = any;

const review = (responseId: string, state: string, more: Input = {}, token?: string): Promise<Answered> =>
  forms.run('setReviewState', { responseId, state, ...more }, { selection: 'response { id reviewState }', ...(token && { token }) });
const codesOf = ({ errors }: Answered): string[] => errors.map(({ code, path }: Answered) => [code, ...path].join(' '));
const amend = async (responseId: string, expectedRevision: number): Promise<string> =>
  (await forms.run('amendResponse', { responseId, expectedRevision, answers: [{ key: 'q', value: 'b' }] }, { selection: 'response { id }' })).response.id;

async function read(id: string): Promise<Answered> {
  const query = `query ($id: ID!) { response(id: $id) { reviewState reviews { edges { node { state comment revision at by { username } } } } } }`;
  const { response } = await forms.api.gql(query, { id }, forms.token);
  return { state: response.reviewState, reviews: response.reviews.edges.map(({ node }: Answered) => node) };
}

async function listed(form: { id: string }, filter: Input): Promise<string[]> {
  const query = `query ($id: ID!, $filter: ResponseFilter) { form(id: $id) { responses(filter: $filter) { edges { node { id } } } } }`;
  return (await forms.api.gql(query, { id: form.id, filter }, forms.token)).form.responses.edges.map(({ node }: Answered) => node.id);
}

describe('a review', () => {
  test('says where a response stands, with all that was found before', async () => {
    const form = await forms.createForm();
    const id = await forms.submit(form.id);
    expect(await read(id)).toEqual({ state: 'RECEIVED', reviews: [] });
    expect(await review(id, 'IN_REVIEW')).toEqual({ response: { id, reviewState: 'IN_REVIEW' }, errors: [] });
    await review(id, 'REJECTED', { comment: 'The total is off.' });
    expect(await read(id)).toEqual({
      state: 'REJECTED',
      reviews: [
        { state: 'IN_REVIEW', comment: null, revision: 1, at: expect.any(String), by: { username: 'owner' } },
        { state: 'REJECTED', comment: 'The total is off.', revision: 1, at: expect.any(String), by: { username: 'owner' } },
      ],
    });
  });

  test('is what a form’s responses are found by', async () => {
    const form = await forms.createForm();
    const ids: string[] = [];
    for (let index = 0; index < 5; index += 1) ids.push(await forms.submit(form.id));
    const [first = '', second = '', third = '', ...rest] = ids;
    await review(first, 'APPROVED');
    await review(second, 'IN_REVIEW');
    await review(third, 'APPROVED');
    expect(await listed(form, { reviewState: 'APPROVED' })).toEqual([first, third]);
    expect(await listed(form, { reviewState: 'IN_REVIEW' })).toEqual([second]);
    expect(await listed(form, { reviewState: 'REJECTED' })).toEqual([]);
    expect(await listed(form, { reviewState: 'RECEIVED' })).toEqual(rest);
    await review(first, 'RECEIVED');
    expect(await listed(form, { reviewState: 'RECEIVED' })).toEqual([first, ...rest]);
    expect(await listed(form, {})).toEqual(ids);
  });

  test('is of the response as a whole, and begins anew with a further revision', async () => {
    const form = await forms.createForm();
    const first = await forms.submit(form.id);
    await review(first, 'APPROVED', { comment: 'Fine.' });
    const second = await amend(first, 1);
    for (const id of [first, second]) expect(await read(id)).toMatchObject({ state: 'RECEIVED', reviews: [{ state: 'APPROVED', revision: 1 }] });
    await review(second, 'REJECTED');
    for (const id of [first, second]) expect(await read(id)).toMatchObject({ state: 'REJECTED', reviews: [{ revision: 1 }, { revision: 2 }] });
    expect(await listed(form, { reviewState: 'APPROVED' })).toEqual([]);
    const third = await forms.submit(form.id, { familyId: first });
    expect(await listed(form, { reviewState: 'RECEIVED' })).toEqual([third]);
  });

  test('of a revision that is not the current one is refused: nobody approves what they have not seen', async () => {
    const form = await forms.createForm();
    const first = await forms.submit(form.id);
    const second = await amend(first, 1);
    const { response, errors } = await review(first, 'APPROVED');
    expect(response).toBeNull();
    expect(errors).toEqual([{ code: 'REVISION_CONFLICT', path: ['responseId'], message: expect.stringContaining(second) }]);
    expect(await read(first)).toEqual({ state: 'RECEIVED', reviews: [] });
  });

  test.for([
    ['5,000 characters', 'x'.repeat(5_000), []],
    ['one more', 'x'.repeat(5_001), ['INVALID_INPUT comment']],
    ['a null character', 'a\u0000', ['INVALID_INPUT comment']],
    ['half a character', '\ud800', ['INVALID_INPUT comment']],
  ] as const)('with a comment of %s is kept or refused', async ([, comment, codes]) => {
    const form = await forms.createForm();
    expect(codesOf(await review(await forms.submit(form.id), 'APPROVED', { comment }))).toEqual(codes);
  });

  test('of another organisation’s response, or none, is not found', async () => {
    const form = await forms.createForm();
    const id = await forms.submit(form.id);
    const { token } = await forms.api.register(`other${Date.now()}`);
    expect(codesOf(await review(id, 'APPROVED', {}, token))).toEqual(['NOT_FOUND responseId']);
    expect(codesOf(await review(newId('resp'), 'APPROVED'))).toEqual(['NOT_FOUND responseId']);
    expect(codesOf(await review('x\u0000', 'APPROVED'))).toEqual(['NOT_FOUND responseId']);
    await forms.run('deleteForm', { id: form.id });
    expect(codesOf(await review(id, 'APPROVED'))).toEqual(['NOT_FOUND responseId']);
  });

  test('goes with the response when it is erased', async () => {
    const form = await forms.createForm();
    const id = await forms.submit(form.id);
    await review(id, 'REJECTED', { comment: 'zq91' });
    await forms.run('eraseResponse', { responseId: id });
    expect(codesOf(await review(id, 'APPROVED'))).toEqual(['RESPONSE_ERASED responseId']);
    expect(await read(id)).toEqual({ state: 'RECEIVED', reviews: [] });
    expect((await forms.api.pool.query('select 1 from reviews where family_id = $1', [id])).rowCount).toBe(0);
  });

  test('at the same moment as others counts if it is the last, and is kept in any case', async () => {
    const form = await forms.createForm();
    const id = await forms.submit(form.id);
    const states = ['APPROVED', 'REJECTED', 'IN_REVIEW', 'APPROVED', 'RECEIVED', 'REJECTED'];
    const results = await Promise.all(states.map((state) => review(id, state)));
    expect(results.flatMap(codesOf)).toEqual([]);
    const { state, reviews } = await read(id);
    expect(states).toContain(state);
    expect(reviews.map((one: Answered) => one.state).toSorted()).toEqual(states.toSorted());
  });
});

test.for([
  ['most are approved', true],
  ['the last of them are approved', false],
] as const)('a page of any state reads a few rows of a long list of which %s', async ([, areMost]) => {
  const form: { id: Id<'form'> } = await forms.createForm();
  const { pool } = forms.api;
  await pool.query(
    `insert into responses (id, form_id, form_version, family_id, revision, submitted_at, answers, respondent, collector, metadata, review_state)
     select id, case when n % 5 = 0 then $3 else $1 end, 1, id, 1, now(), jsonb_build_object('q', jsonb_build_object('value', repeat('x', 500))), '{}', '{}', '{}',
            case when n = 15001 then 'rejected' when $2 and n between 2 and 19900 or not $2 and n > 19000 then 'approved' end
     from generate_series(1, 20000) n, lateral (select 'resp_bulk' || case when $2 then 'a' else 'b' end || lpad(n::text, 21, '0') as id) made`,
    [form.id, areMost, (await forms.createForm()).id], // that of another form lies between
  );
  await pool.query('analyze responses');
  for (const state of [undefined, 'received', 'approved', 'rejected', 'in review'] as const) {
    expect(await blocksRead(form.id, state), state).toBeLessThan(600);
  }
});

/** Blocks that the database looks at for the first page of a form's responses. The table has 2,000 and more. */
async function blocksRead(formId: Id<'form'>, reviewState: ReviewState | undefined): Promise<number> {
  const { pool } = forms.api;
  const asked: { text: string; values: unknown[] }[] = [];
  const noting = { query: (query: { text: string; values: unknown[] }) => (asked.push(query), Promise.resolve({ rows: [] })) };
  const range = { after: undefined, before: undefined, limit: 21, reversed: false };
  await pageOfResponses(noting as never, { reach: { kind: 'all', organizationId: forms.organizationId as Id<'org'> }, formId, range, filter: { reviewState } });
  const [query] = asked;
  const { rows } = await pool.query({ text: `explain (analyze, buffers, format json) ${query?.text}`, values: query?.values ?? [] });
  const { Plan: plan } = rows[0]['QUERY PLAN'][0];
  return plan['Shared Hit Blocks'] + plan['Shared Read Blocks'];
}
