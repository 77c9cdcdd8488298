import { describe, expect, test } from 'vitest';
import { startProduct } from '../support/product.ts';
import { householdForm, householdResponses } from '../../src/bin/demo/household.ts';

const post = async (url: string, body: unknown, accept = 'application/json'): Promise<string> => {
  const response = await fetch(`${url}/graphql`, { method: 'POST', headers: { 'content-type': 'application/json', accept }, body: JSON.stringify(body) });
  return response.text();
};
const createForm = 'mutation ($input: CreateFormInput!) { createForm(input: $input) { form { id } errors { message } } }';
const page = 'responses(first: 100) { edges { node { id form { %s } } } }';

describe('an operation whose answer could fill the memory', () => {
  test('is refused before it runs: pages in pages in pages', async () => {
    await using product = await startProduct();
    const { form } = await product.api.call<{ form: { id: string } }>(createForm, householdForm());
    const nested = page.replace('%s', page.replace('%s', page.replace('%s', 'id')));
    await expect(product.api.call(`query { form(id: "${form.id}") { ${nested} } }`)).rejects.toThrow('could come to');
    await expect(product.api.call(`query { form(id: "${form.id}") { ${page.replace('%s', 'title')} } }`)).resolves.toBeDefined();
  });

  test('is refused also where another page has a size below zero, and a size that is a deep list is the caller’s fault', async () => {
    await using product = await startProduct();
    const { form } = await product.api.call<{ form: { id: string } }>(createForm, householdForm());
    const nested = page.replace('%s', page.replace('%s', page.replace('%s', 'id')));
    const query = `query ($first: Int) { a: form(id: "${form.id}") { responses(first: $first) { edges { node { id } } } } b: form(id: "${form.id}") { ${nested} } }`;
    expect(await post(product.url, { query, variables: { first: -2_000_000_000 } })).toContain('TOO_COSTLY');
    const deep = `{"query":"query ($first: Int) { forms(first: $first) { edges { node { id } } } }","variables":{"first":${'['.repeat(5_000)}${']'.repeat(5_000)}}}`;
    const reply = await fetch(`${product.url}/graphql`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: deep });
    expect([reply.status, await reply.text()]).toEqual([200, expect.stringContaining('INPUT_TOO_DEEP')]);
  });

  test('is refused also where variables and fragments hide it: the whole form beside each of a thousand responses', async () => {
    await using product = await startProduct();
    const { form } = await product.api.call<{ form: { id: string } }>(createForm, householdForm());
    const many = Array.from({ length: 1_000 }, () => ({ formId: form.id, answers: [] }));
    const query = `mutation ($input: SubmitResponsesInput!) { submitResponses(input: $input) { results { ...Whole } errors { message } } }
      fragment Whole on SubmitResponseResult { response { form { questions { choices { id text } } } } errors { code } }`;
    for (const accept of ['application/json', 'text/event-stream']) {
      expect(await post(product.url, { query, variables: { input: { responses: many } } }, accept)).toContain('TOO_COSTLY');
    }
    const plain = 'mutation ($input: SubmitResponsesInput!) { submitResponses(input: $input) { results { response { id answers { value question { key } } } errors { code message path } } errors { message } } }';
    expect(await post(product.url, { query: plain, variables: { input: { responses: many } } })).not.toContain('TOO_COSTLY');
  });
});

test('mutations and queries are answered over server-sent events too', async () => {
  await using product = await startProduct();
  const input = { username: 'eve', email: 'eve@example.org', password: 'correct horse battery' };
  const query = 'mutation ($input: RegisterInput!) { register(input: $input) { token user { username organization { name } } errors { message } } }';
  expect(await post(product.url, { query, variables: { input } }, 'text/event-stream')).toContain('"username":"eve","organization":{"name":"eve"}');
});

test('responses of one family in one call follow each other as its revisions', async () => {
  await using product = await startProduct();
  const { form } = await product.api.call<{ form: { id: string } }>(createForm, householdForm());
  const submit = (responses: Record<string, unknown>[]) =>
    product.stranger.call<{ results: { response: { id: string } | null; errors: { code: string }[] }[] }>(
      'mutation ($input: SubmitResponsesInput!) { submitResponses(input: $input) { results { response { id } errors { code } } errors { message } } }',
      { responses },
    );
  const [first = {}] = householdResponses(form.id);
  const { results } = await submit([first]);
  const again = Array.from({ length: 30 }, (_, index) => ({ ...first, clientId: `again-${index}`, familyId: results[0]?.response?.id }));
  expect((await submit(again)).results.every((result) => result.response !== null)).toBe(true);
  const { rows } = await product.pipeline.pool.query('select max(revision) as revisions, count(distinct family_id)::int as families from responses');
  expect(rows).toEqual([{ revisions: 31, families: 1 }]);
});

test('a form takes a hundred integrations, and no more', async () => {
  await using product = await startProduct();
  const { form } = await product.api.call<{ form: { id: string } }>(createForm, householdForm());
  const connect = () =>
    product.api.call('mutation ($input: CreateIntegrationInput!) { createIntegration(input: $input) { integration { id } errors { message } } }', {
      formId: form.id,
      settings: { webhook: { url: 'http://127.0.0.1:9/' } },
    });
  for (let count = 0; count < 100; count += 1) await connect();
  await expect(connect()).rejects.toThrow('A form has 100 integrations at most');
});
