import { afterAll, beforeAll, expect, test } from 'vitest';
import { newId, type Id } from '../../src/events/id.ts';
import { pageOfResponses, type ResponseFilter } from '../../src/responses/response-rows.ts';
import { startFormsApi, type FormsApi } from '../support/forms-api.ts';
import { insertResponse } from '../support/rows.ts';

let forms: FormsApi;
let formId: Id<'form'>;
beforeAll(async () => {
  forms = await startFormsApi();
  formId = ((await forms.createForm()) as { id: Id<'form'> }).id;
});
afterAll(() => forms[Symbol.asyncDispose]());

const flag = (rule: string) => ({ rule, message: 'x', keys: [], integrationId: newId('intg') });

/** The ids that a list of the form's responses has, a page of two at a time. */
async function listed(filter: object, last = false): Promise<string[]> {
  const query = `query ($id: ID!, $filter: ResponseFilter, $at: String) {
    form(id: $id) { responses(filter: $filter, ${last ? 'last: 2, before: $at' : 'first: 2, after: $at'}) {
      edges { node { id } } pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
    } }
  }`;
  const ids: string[] = [];
  let at: string | undefined;
  for (;;) {
    const { form } = await forms.api.gql(query, { id: formId, filter, at }, forms.token);
    const { edges, pageInfo } = form.responses;
    const page = edges.map(({ node }: { node: { id: string } }) => node.id);
    if (last) ids.unshift(...page);
    else ids.push(...page);
    if (!(last ? pageInfo.hasPreviousPage : pageInfo.hasNextPage)) return ids;
    at = last ? pageInfo.startCursor : pageInfo.endCursor;
  }
}

test('responses can be listed by whether they are flagged, and by what, in their current revision', async () => {
  const { pool } = forms.api;
  const insert = (...rules: string[]) => insertResponse(pool, { formId, flags: rules.length > 0 ? rules.map(flag) : null });
  const [none, a, b, both, cleared] = [await insert(), await insert('a'), await insert('b'), await insert('a', 'b'), await insert('a')];
  const [plain, flagged] = [await insert(), await insert('c')];
  const mended = await insertResponse(pool, { formId, familyId: cleared, revision: 2, flags: null });
  await insertResponse(pool, { formId: ((await forms.createForm()) as { id: Id<'form'> }).id, flags: [flag('a')] });

  for (const last of [false, true]) {
    expect(await listed({ flagged: true }, last)).toEqual([a, b, both, flagged]);
    expect(await listed({ flagged: false }, last)).toEqual([none, plain, mended]);
    expect(await listed({ flag: 'a' }, last)).toEqual([a, both]);
    expect(await listed({ flag: 'd' }, last)).toEqual([]);
    expect(await listed({ flagged: false, flag: 'a' }, last)).toEqual([]);
    expect(await listed({ flagged: null, flag: null }, last)).toHaveLength(7);
  }
  await pool.query(`update responses set review_state = 'rejected' where id = any($1)`, [[a, none]]);
  expect(await listed({ flagged: true, reviewState: 'REJECTED' })).toEqual([a]);
  expect(await listed({ flag: 'b', reviewState: 'REJECTED' })).toEqual([]);
  expect(await listed({ flag: 'a', reviewState: 'RECEIVED' })).toEqual([both]);
  expect((await forms.api.post({ query: `query ($id: ID!) { form(id: $id) { responses(filter: { flag: "\\u0000" }) { edges { cursor } } } }`, variables: { id: formId } }, { token: forms.token })).body.errors[0].message).toMatch(/flag contains/);
});

test.for([
  ['few are flagged, and they are the last', 19_990],
  ['most are flagged', 10],
] as const)('a page of flagged responses reads a few rows of a long list of which %s', async ([, from]) => {
  const { pool } = forms.api;
  const own = ((await forms.createForm()) as { id: Id<'form'> }).id;
  await pool.query(
    `insert into responses (id, form_id, form_version, family_id, revision, submitted_at, answers, respondent, collector, metadata, flags)
     select id, case when n % 5 = 0 then $2 else $1 end, 1, id, 1, now(), jsonb_build_object('q', jsonb_build_object('value', repeat('x', 500))), '{}', '{}', '{}',
            case when n > $3::int then jsonb_build_array(jsonb_build_object('rule', 'a')) end
     from generate_series(1, 20000) n, lateral (select 'resp_bulk' || lpad($3::int::text, 6, '0') || lpad(n::text, 16, '0') as id) made`,
    [own, ((await forms.createForm()) as { id: Id<'form'> }).id, from], // that of another form lies between
  );
  await pool.query('analyze responses');
  for (const filter of [{}, { flagged: true }, { flag: 'a' }]) expect(await blocksRead(own, filter), JSON.stringify(filter)).toBeLessThan(200);
});

/** Blocks that the database looks at for the first page of a form's responses. The table has 2,000 and more. */
async function blocksRead(of: Id<'form'>, filter: ResponseFilter): Promise<number> {
  const { pool } = forms.api;
  const asked: { text: string; values: unknown[] }[] = [];
  const noting = { query: (query: { text: string; values: unknown[] }) => (asked.push(query), Promise.resolve({ rows: [] })) };
  const range = { after: undefined, before: undefined, limit: 21, reversed: false };
  await pageOfResponses(noting as never, { reach: { kind: 'all', organizationId: forms.organizationId as Id<'org'> }, formId: of, range, filter });
  const { rows } = await pool.query({ text: `explain (analyze, buffers, format json) ${asked[0]?.text}`, values: asked[0]?.values ?? [] });
  const { Plan: plan } = rows[0]['QUERY PLAN'][0];
  return plan['Shared Hit Blocks'] + plan['Shared Read Blocks'];
}
