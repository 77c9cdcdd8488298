import { request } from 'undici';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startTestApi, type Reply, type TestApi } from '../support/api.ts';

let api: TestApi;
let owner: { token: string; organizationId: string };
beforeAll(async () => {
  api = await startTestApi({ limits: { bodyBytes: 20_000 } });
  owner = await api.register('owner');
});
afterAll(() => api[Symbol.asyncDispose]());

const createForm = 'mutation ($input: CreateFormInput!) { createForm(input: $input) { form { id } errors { code } } }';
const aForm = { title: 'T', questions: [{ key: 'q', text: 'Q', kind: 'TEXT' }] };
const codesOf = ({ body }: Reply): string[] => body.errors.map((error: { extensions: { code: string } }) => error.extensions.code);

/** What tells strangers how we are made: statements, names of tables and constraints, files, lines, what was thrown. */
const internals = [/\b(select|insert into|update|delete from)\b .*\b(from|values|set|where)\b/i, /form_versions|forms_|_foreign|_unique|_pkey|relation|column/i, /\.ts\b|node_modules|\/src\//, /\bat \w+.*\(/, /stack|originalError|cause/];

/** Every error says what is wrong, in words, and has a code; none says how we are made. */
function expectWellSaid(reply: Reply): void {
  for (const error of reply.body.errors) {
    expect(error.message).toMatch(/^["A-Z].{7,300}$/s);
    expect(error.extensions.code).toMatch(/^[A-Z]+(_[A-Z]+)*$/);
    for (const pattern of internals) expect(JSON.stringify([error.message, error.extensions])).not.toMatch(pattern);
    expect(Object.keys(error).every((name) => ['message', 'locations', 'path', 'extensions'].includes(name))).toBe(true);
  }
}

/** Runs `work` while a table is not what the statements take it for. */
async function whileBroken<T>(breaking: string, mending: string, work: () => Promise<T>): Promise<T> {
  await api.pool.query(breaking);
  try {
    return await work();
  } finally {
    await api.pool.query(mending);
  }
}

test('a statement that fails, or a constraint that is broken, is told as INTERNAL where it happened, and as nothing else', async () => {
  const { form } = (await api.gql(createForm, { input: aForm }, owner.token)).createForm;
  const failed = await whileBroken('alter table forms rename column deleted_at to gone_at', 'alter table forms rename column gone_at to deleted_at', () =>
    api.post({ query: '{ me { id } forms { edges { node { id } } } }' }, { token: owner.token }),
  );
  expect([failed.status, codesOf(failed), failed.body.errors[0].path]).toEqual([200, ['INTERNAL'], ['forms']]);
  expectWellSaid(failed);
  const violated = await whileBroken('alter table questions add constraint questions_never check (false) not valid', 'alter table questions drop constraint questions_never', () =>
    api.post({ query: createForm, variables: { input: aForm } }, { token: owner.token }),
  );
  expect([violated.status, codesOf(violated), violated.body.errors[0].path]).toEqual([200, ['INTERNAL'], ['createForm']]);
  expectWellSaid(violated);
  expect((await api.gql('query ($id: ID!) { form(id: $id) { id } }', { id: form.id })).form.id).toBe(form.id);
});

test('a query that is not GraphQL, or asks for what is not there, is told what is wrong and where', async () => {
  const broken = await api.post({ query: '{ me { id }' });
  expect(codesOf(broken)).toEqual(['GRAPHQL_PARSE_FAILED']);
  const unknown = await api.post({ query: '{ me { id nothing } nowhere }' });
  expect(codesOf(unknown)).toEqual(['GRAPHQL_VALIDATION_FAILED', 'GRAPHQL_VALIDATION_FAILED']);
  for (const reply of [broken, unknown]) {
    expectWellSaid(reply);
    expect(reply.body).not.toHaveProperty('data');
    for (const error of reply.body.errors) expect(error.locations).toMatchObject([{ line: 1, column: expect.any(Number) }]);
  }
});

test('variables that do not fit are told by their names', async () => {
  for (const input of [null, 7, { title: 'T' }, { ...aForm, colour: 'red' }, { title: 'T', questions: [{ text: 'Q', kind: 'COLOUR' }] }, { ...aForm, maxResponses: 1e12 }]) {
    const reply = await api.post({ query: createForm, variables: { input } }, { token: owner.token });
    expect(new Set(codesOf(reply))).toEqual(new Set(['BAD_USER_INPUT']));
    expectWellSaid(reply);
    expect(JSON.stringify(reply.body.errors)).toContain('input');
  }
});

test('who may not is told why, by the code that fits', async () => {
  const anonymous = await api.post({ query: createForm, variables: { input: aForm } });
  const stale = await api.post({ query: '{ me { id } }' }, { token: 'nonsense' });
  expect([codesOf(anonymous), codesOf(stale), stale.status]).toEqual([['UNAUTHENTICATED'], ['UNAUTHENTICATED'], 401]);
  for (const reply of [anonymous, stale]) expectWellSaid(reply);
});

test('every refusal of the transport has a status, a code and a sentence', async () => {
  const json = { 'content-type': 'application/json' };
  const url = `${api.url}/graphql`;
  const refusals: [number, Parameters<typeof request>[1]][] = [
    [405, { method: 'PUT' }],
    [415, { method: 'POST', headers: { 'content-type': 'text/plain' }, body: '{}' }],
    [415, { method: 'POST', headers: { ...json, 'content-encoding': 'gzip' }, body: '{}' }],
    [413, { method: 'POST', headers: json, body: JSON.stringify({ query: 'x'.repeat(21_000) }) }],
    [400, { method: 'POST', headers: json, body: '{' }],
    [400, { method: 'POST', headers: json, body: '[]' }],
    [400, { method: 'POST', headers: json, body: '{"query":7}' }],
    [400, { method: 'POST', headers: json, body: '{"query":"{me{id}}","variables":7}' }],
    [400, { method: 'POST', headers: json, body: '{"query":"query A { me { id } } query B { me { id } }"}' }],
  ];
  for (const [status, options] of refusals) {
    const reply = await request(url, options);
    const body = await reply.body.json();
    expect([options?.body, reply.statusCode]).toEqual([options?.body, status]);
    expectWellSaid({ status, headers: {}, body });
  }
});
