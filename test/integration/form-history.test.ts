import { afterAll, beforeAll, expect, test } from 'vitest';
import { newId } from '../../src/events/id.ts';
import { rebuildEvents } from '../../src/responses/rebuild-events.ts';
import { startFormsApi, type FormsApi } from '../support/forms-api.ts';

let forms: FormsApi;
let stranger: { token: string };
beforeAll(async () => {
  forms = await startFormsApi();
  stranger = await forms.api.register('stranger');
});
afterAll(() => forms[Symbol.asyncDispose]());

const lunch = {
  title: 'Lunch',
  questions: [
    { key: 'dish', text: 'What would you like?', kind: 'SINGLE_CHOICE', required: true, choices: [{ text: 'Soup' }, { text: 'Salad' }] },
    { key: 'count', text: 'How many?', kind: 'INTEGER', min: 1, max: 9 },
    { key: 'note', text: 'Anything else?', kind: 'TEXT' },
  ],
};
const createLunch = async () => forms.createForm(lunch, 'id questions { id key choices { id text } }');
const read = async (formId: string, selection: string, token: string | undefined = forms.token) =>
  (await forms.api.gql(`query ($id: ID!) { form(id: $id) { ${selection} } }`, { id: formId }, token)).form;
const refusal = async (formId: string, selection: string, token?: string) => {
  const { body } = await forms.api.post({ query: `{ form(id: "${formId}") { ${selection} } }` }, token ? { token } : {});
  return body.errors?.map((error: { extensions: { code: string } }) => error.extensions.code).join();
};

/** Everything that can be changed of a form, one after the other: ten versions. */
async function changeEverything(form: Awaited<ReturnType<typeof createLunch>>): Promise<void> {
  const [dish, count, note] = form.questions;
  const steps: [string, object][] = [
    ['updateForm', { id: form.id, title: 'Dinner' }],
    ['updateQuestion', { id: dish.id, text: 'Which dish?', choices: [{ id: dish.choices[1].id, text: 'Greens' }, { id: dish.choices[0].id, text: 'Broth' }, { text: 'Soup' }] }],
    ['updateQuestion', { id: dish.id, choices: [{ text: 'Soup' }] }],
    ['updateQuestion', { id: count.id, key: 'number', min: 5 }],
    ['updateQuestion', { id: count.id, kind: 'BOOLEAN' }],
    ['updateQuestion', { id: note.id, position: 0, metadata: { page: 2 } }],
    ['updateQuestion', { id: dish.id, kind: 'TEXT' }],
    ['removeQuestion', { id: note.id }],
    ['addQuestion', { formId: form.id, question: { key: 'note', text: 'Anything?', kind: 'LONG_TEXT' } }],
  ];
  for (const [name, input] of steps) expect((await forms.run(name, input as Record<string, unknown>)).errors).toEqual([]);
}

test('a form’s versions are listed from the oldest to the newest, with who made each and when', async () => {
  const form = await createLunch();
  await forms.updateForm(form.id, { title: 'Dinner' });
  forms.api.clock.now = new Date('2026-11-21T02:30:00.000Z');
  await forms.updateForm(form.id, { title: 'Supper' });
  const fields = 'edges { cursor node { number title createdAt createdBy { username } form { id } } } pageInfo { hasPreviousPage }';
  const { versions } = await read(form.id, `versions { ${fields} }`);
  expect(versions.edges.map(({ node }: { node: object }) => node)).toMatchObject([
    { number: 1, title: 'Lunch', createdBy: { username: 'owner' }, form: { id: form.id } },
    { number: 2, title: 'Dinner' },
    { number: 3, title: 'Supper', createdAt: '2026-11-21T02:30:00.000Z' },
  ]);
  const { versions: newest } = await read(form.id, `versions(last: 1) { ${fields} }`);
  expect(newest).toMatchObject({ edges: [{ node: { number: 3 } }], pageInfo: { hasPreviousPage: true } });
  const { versions: earlier } = await read(form.id, `versions(last: 5, before: "${newest.edges[0].cursor}") { ${fields} }`);
  expect(earlier.edges.map(({ node }: { node: { number: number } }) => node.number)).toEqual([1, 2]);
  const { versions: later } = await read(form.id, `versions(first: 5, after: "${earlier.edges[0].cursor}") { ${fields} }`);
  expect(later.edges.map(({ node }: { node: { number: number } }) => node.number)).toEqual([2, 3]);
});

test('the author of a version from before authors were kept is not known', async () => {
  const form = await createLunch();
  await forms.api.pool.query('update form_versions set created_by_id = null where form_id = $1', [form.id]);
  expect(await read(form.id, 'versions { edges { node { createdBy { id } } } }')).toEqual({ versions: { edges: [{ node: { createdBy: null } }] } });
});

test('a version shows its questions and choices as they were, however it is reached', async () => {
  const form = await createLunch();
  await changeEverything(form);
  const fields = 'id number title questions { key text kind min choices { text } }';
  const { first, none, zero, newest } = await read(form.id, `first: versionByNumber(number: 1) { ${fields} } none: versionByNumber(number: 11) { id } zero: versionByNumber(number: 0) { id } newest: versionByNumber(number: 10) { ${fields} }`);
  expect(first).toMatchObject({
    number: 1, title: 'Lunch',
    questions: [{ key: 'dish', kind: 'SINGLE_CHOICE', choices: [{ text: 'Soup' }, { text: 'Salad' }] }, { key: 'count', kind: 'INTEGER', min: 1 }, { key: 'note' }],
  });
  expect(newest).toMatchObject({ title: 'Dinner', questions: [{ key: 'dish', kind: 'TEXT', choices: [] }, { key: 'number', kind: 'BOOLEAN' }, { key: 'note', kind: 'LONG_TEXT' }] });
  expect([none, zero]).toEqual([null, null]);
  const { node } = await forms.api.gql(`query ($id: ID!) { node(id: $id) { id ... on FormVersion { ${fields} } } }`, { id: first.id }, forms.token);
  expect(node).toEqual(first);
});

test('what changed between two versions is told in one list', async () => {
  const form = await createLunch();
  await changeEverything(form);
  const fields = 'kind question { key } choice { text } fields { name before after } from to';
  const { changes } = await read(form.id, `changes(from: 1, to: 3) { ${fields} }`);
  expect(changes).toEqual([
    { kind: 'FORM_CHANGED', question: null, choice: null, fields: [{ name: 'title', before: 'Lunch', after: 'Dinner' }], from: null, to: null },
    { kind: 'QUESTION_CHANGED', question: { key: 'dish' }, choice: null, fields: [{ name: 'text', before: 'What would you like?', after: 'Which dish?' }], from: null, to: null },
    expect.objectContaining({ kind: 'CHOICE_CHANGED', choice: { text: 'Greens' } }),
    { kind: 'CHOICE_MOVED', question: { key: 'dish' }, choice: { text: 'Broth' }, fields: [], from: 0, to: 1 },
    { kind: 'CHOICE_CHANGED', question: { key: 'dish' }, choice: { text: 'Broth' }, fields: [{ name: 'text', before: 'Soup', after: 'Broth' }], from: null, to: null },
    { kind: 'CHOICE_ADDED', question: { key: 'dish' }, choice: { text: 'Soup' }, fields: [], from: null, to: 2 },
  ]);
  expect((await read(form.id, 'changes(from: 3, to: 3) { kind }')).changes).toEqual([]);
  const back = await read(form.id, 'changes(from: 10, to: 8) { kind question { key kind } from to }');
  expect(back.changes).toEqual([
    { kind: 'QUESTION_REMOVED', question: { key: 'note', kind: 'LONG_TEXT' }, from: 2, to: null },
    { kind: 'QUESTION_ADDED', question: { key: 'note', kind: 'TEXT' }, from: null, to: 0 },
  ]);
});

test('a version that is not there is refused with the argument that asks for it', async () => {
  const form = await createLunch();
  for (const [args, name] of [['from: 0, to: 1', 'from'], ['from: 1, to: 2', 'to'], ['from: 2147483647, to: 1', 'from'], ['from: -1, to: 1', 'from']]) {
    const { body } = await forms.api.post({ query: `{ form(id: "${form.id}") { changes(${args}) { kind } } }` }, { token: forms.token });
    expect(body.errors).toMatchObject([{ extensions: { code: 'NOT_FOUND', faults: [{ path: [name] }] } }]);
  }
});

test('strangers and other organisations read a form, but not what it was', async () => {
  const form = await createLunch();
  const { first } = await read(form.id, 'first: versionByNumber(number: 1) { id }');
  for (const selection of ['versions { edges { node { id } } }', 'versionByNumber(number: 1) { id }', 'changes(from: 1, to: 1) { kind }']) {
    expect(await refusal(form.id, selection)).toBe('UNAUTHENTICATED');
    expect(await refusal(form.id, selection, stranger.token)).toBe('FORBIDDEN');
    expect(await refusal(form.id, selection, forms.token)).toBeUndefined();
  }
  for (const token of [undefined, stranger.token]) {
    expect(await forms.api.gql('query ($id: ID!) { node(id: $id) { id } }', { id: first.id }, token)).toEqual({ node: null });
  }
});

test('whatever is changed afterwards, a response reads as it was answered, and so does its event made again', async () => {
  const form = await createLunch();
  const answers = [{ key: 'dish', value: 'Salad' }, { key: 'count', value: 2 }, { key: 'note', value: 'no salt' }];
  const responseId = await forms.submit(form.id, { answers });
  const query = `query ($id: ID!) { response(id: $id) { formVersion answers { value text number choices { text } question { key text kind min metadata choices { text } } } } }`;
  const entry = {
    eventId: newId('evt'), type: 'response.created', organizationId: forms.organizationId as `org_${string}`, formId: form.id, responseId: responseId as `resp_${string}`, position: 1, integrationsVersion: 0,
  } as const;
  const bodyOf = async () => (await rebuildEvents({ pool: forms.api.pool, forms: forms.api.published }, [entry]))[0]?.body.toString();
  const [before, body] = [await forms.api.gql(query, { id: responseId }, forms.token), await bodyOf()];
  expect(before.response.answers.map(({ text }: { text: string }) => text)).toEqual(['Salad', '2', 'no salt']);
  await changeEverything(form);
  expect(await forms.api.gql(query, { id: responseId }, forms.token)).toEqual(before);
  expect(await bodyOf()).toBe(body);
  expect(body).toContain('"title":"Lunch"');
});
