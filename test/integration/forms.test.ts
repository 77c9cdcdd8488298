import { afterAll, beforeAll, expect, test } from 'vitest';
import { startTestApi, type TestApi } from '../support/api.ts';

let api: TestApi;
let owner: { token: string; userId: string; organizationId: string };
let stranger: typeof owner;
beforeAll(async () => {
  api = await startTestApi();
  owner = await api.register('owner');
  stranger = await api.register('stranger');
});
afterAll(() => api[Symbol.asyncDispose]());

const formFields = `id title description email metadata status version
  questions { id key text kind required min max metadata choices { id text metadata } }`;
const errors = 'errors { code message path }';
type Input = Record<string, unknown>;

const run = async (name: string, input: Input, token = owner.token) => {
  const type = `${name.charAt(0).toUpperCase()}${name.slice(1)}Input`;
  const question = name.endsWith('Question') ? 'question { id key kind choices { id text metadata } }' : '';
  const data = await api.gql(`mutation ($input: ${type}!) { ${name}(input: $input) { form { ${formFields} } ${question} ${errors} } }`, { input }, token);
  return data[name];
};
const createForm = async (input: Input = {}) => {
  const { form, errors } = await run('createForm', { title: 'Survey', questions: [], ...input });
  expect(errors).toEqual([]);
  return form;
};
const readForm = async (id: string, token?: string) => (await api.gql(`query ($id: ID!) { form(id: $id) { ${formFields} } }`, { id }, token)).form;
const versionCount = async (formId: string) =>
  (await api.pool.query('select count(*)::int as count from form_versions where form_id = $1', [formId])).rows[0].count;
const questions = [
  { text: 'How old are you?', kind: 'INTEGER', required: true, min: 0, max: 130 },
  { key: 'city', text: 'Which city?', kind: 'SINGLE_CHOICE', choices: [{ text: 'Pune' }, { text: 'Delhi', metadata: { zone: 2 } }], metadata: { page: 1 } },
  { text: 'How old are you?', kind: 'TEXT' },
];

test('a form is read by anyone as it was made, with keys made from the texts', async () => {
  const form = await createForm({ description: 'd', email: 'me@example.org', metadata: { b: [1, 'x'], a: null }, questions });
  expect(form).toMatchObject({ title: 'Survey', status: 'OPEN', version: 1, metadata: { a: null, b: [1, 'x'] } });
  expect(form.questions).toMatchObject([
    { key: 'how_old_are_you', kind: 'INTEGER', required: true, min: 0, max: 130, choices: [], metadata: {} },
    { key: 'city', required: false, min: null, choices: [{ text: 'Pune', metadata: {} }, { text: 'Delhi', metadata: { zone: 2 } }], metadata: { page: 1 } },
    { key: 'how_old_are_you_2', kind: 'TEXT' },
  ]);
  expect(await readForm(form.id)).toEqual(form);
});

test('metadata of every kind of JSON comes back as it was sent, from variables and from literals', async () => {
  for (const metadata of ['text', "o'clock \\ %s ?", 7.5, true, [], [{ a: { b: [null] } }], { 'odd key': '"' }]) {
    const form = await createForm({ metadata, questions: [{ text: 'Q', kind: 'TEXT', metadata }] });
    expect(await readForm(form.id)).toMatchObject({ metadata, questions: [{ metadata }] });
  }
  const { createForm: literal } = await api.gql(
    `mutation { createForm(input: { title: "L", metadata: { a: { b: [1, "x"] } }, questions: [{ text: "Q", kind: TEXT, metadata: { c: { d: 1 } } }] }) { form { id } ${errors} } }`,
    {}, owner.token,
  );
  expect(await readForm(literal.form.id)).toMatchObject({ metadata: { a: { b: [1, 'x'] } }, questions: [{ metadata: { c: { d: 1 } } }] });
});

test('all faults of a new form are told at once, each with its path', async () => {
  const { form, errors } = await run('createForm', {
    title: ' ',
    email: 'nobody',
    metadata: { a: ['ok', 'no\u0000'] },
    questions: [
      { text: '', kind: 'TEXT' },
      { text: 'Q', kind: 'SINGLE_CHOICE' },
      { text: 'Q', kind: 'TEXT', choices: [{ text: 'a' }] },
      { text: 'Q', kind: 'MULTIPLE_CHOICE', choices: [{ text: 'a' }, { text: 'a' }, { id: 'ch_x', text: '\ud800' }] },
      { text: 'Q', kind: 'TEXT', min: 1 },
      { text: 'Q', kind: 'INTEGER', min: 2, max: 1 },
      { text: 'Q', kind: 'TEXT', key: 'Not a key' },
      { text: 'Q', kind: 'TEXT', key: 'same' },
      { text: 'Q', kind: 'TEXT', key: 'same' },
    ],
  });
  expect(form).toBeNull();
  expect(errors.map(({ code, path }: { code: string; path: string[] }) => `${code} ${path.join('.')}`).toSorted()).toEqual(
    [
      'INVALID_INPUT title',
      'INVALID_INPUT email',
      'INVALID_INPUT metadata.a.1',
      'INVALID_INPUT questions.0.text',
      'INVALID_INPUT questions.1.choices',
      'INVALID_INPUT questions.2.choices',
      'INVALID_INPUT questions.3.choices.1.text',
      'INVALID_INPUT questions.3.choices.2.text',
      'NOT_FOUND questions.3.choices.2.id',
      'INVALID_INPUT questions.4.min',
      'INVALID_INPUT questions.5.max',
      'INVALID_INPUT questions.6.key',
      'TAKEN questions.8.key',
    ].toSorted(),
  );
});

test('a form has at most 500 questions, and a question at most 1,000 choices', async () => {
  const many = Array.from({ length: 501 }, (_, index) => ({ text: `Q${index}`, kind: 'TEXT' }));
  expect((await run('createForm', { title: 'T', questions: many })).errors).toMatchObject([{ path: ['questions'] }]);
  const choices = Array.from({ length: 1_001 }, (_, index) => ({ text: `C${index}` }));
  const asking = (count: number) => run('createForm', { title: 'T', questions: [{ text: 'Q', kind: 'SINGLE_CHOICE', choices: choices.slice(0, count) }] });
  expect((await asking(1_000)).errors).toEqual([]);
  await expect(asking(1_001)).rejects.toThrow('"input.questions.0.choices" has 1001');
  const form = await createForm({ questions: many.slice(0, 500) });
  expect((await run('addQuestion', { formId: form.id, question: { text: 'one more', kind: 'TEXT' } })).errors).toMatchObject([{ path: ['question'] }]);
});

test('making a form needs a login', async () => {
  const { status, body } = await api.post({ query: `mutation { createForm(input: { title: "T", questions: [] }) { form { id } } }` });
  expect(status).toBe(200);
  expect(body).toMatchObject({ data: null, errors: [{ extensions: { code: 'UNAUTHENTICATED' }, path: ['createForm'] }] });
});

test('what affects answering makes a new version; what does not, and what changes nothing, makes none', async () => {
  const form = await createForm({ questions });
  const update = async (input: Input) => (await run('updateForm', { id: form.id, ...input })).form;
  expect((await update({ description: 'new', metadata: { a: 1 }, status: 'CLOSED' })).version).toBe(1);
  expect((await update({ title: 'Survey' })).version).toBe(1);
  expect((await update({ title: 'Other' })).version).toBe(2);
  const [first] = form.questions;
  const same = await run('updateQuestion', { id: first.id, text: first.text, metadata: {}, choices: [], position: 0 });
  expect(same).toMatchObject({ errors: [], form: { version: 2, status: 'CLOSED', description: 'new', metadata: { a: 1 } } });
  expect((await run('updateQuestion', { id: first.id, required: false })).form.version).toBe(3);
  expect(await versionCount(form.id)).toBe(3);
});

test('null clears what may be empty, and absence keeps it', async () => {
  const form = await createForm({ description: 'd', email: 'a@example.org', metadata: { a: 1 }, questions });
  expect((await run('updateForm', { id: form.id, title: 'New' })).form).toMatchObject({ description: 'd', email: 'a@example.org', metadata: { a: 1 } });
  expect((await run('updateForm', { id: form.id, description: null, email: null, metadata: null })).form).toMatchObject({ description: null, email: null, metadata: {} });
  const id = form.questions[0].id;
  expect((await run('updateQuestion', { id, max: null })).form.questions[0]).toMatchObject({ min: 0, max: null });
});

test('earlier versions stay as they were', async () => {
  const form = await createForm({ questions });
  await run('updateQuestion', { id: form.questions[0].id, text: 'Age?' });
  await run('removeQuestion', { id: form.questions[1].id });
  const texts = async (version: number) => (await api.published.version(form.id, version))?.questions.map(({ text }) => text);
  expect(await texts(1)).toEqual(['How old are you?', 'Which city?', 'How old are you?']);
  expect(await texts(2)).toEqual(['Age?', 'Which city?', 'How old are you?']);
  expect(await texts(3)).toEqual(['Age?', 'How old are you?']);
  expect(await texts(4)).toBeUndefined();
});

test('questions are added where the caller says, moved, and removed', async () => {
  const form = await createForm({ questions: ['a', 'b', 'c'].map((text) => ({ text, kind: 'TEXT' })) });
  const order = (edited: { form: { questions: { text: string }[] } }) => edited.form.questions.map(({ text }) => text).join('');
  const added = await run('addQuestion', { formId: form.id, question: { text: 'x', kind: 'TEXT' }, position: 1 });
  expect([order(added), added.question.key]).toEqual(['axbc', 'x']);
  expect(order(await run('addQuestion', { formId: form.id, question: { text: 'y', kind: 'TEXT' } }))).toBe('axbcy');
  expect(order(await run('updateQuestion', { id: added.question.id, position: 4 }))).toBe('abcyx');
  expect(order(await run('updateQuestion', { id: added.question.id, position: 0 }))).toBe('xabcy');
  const removed = await run('removeQuestion', { id: added.question.id });
  expect([order(removed), removed.question.id]).toEqual(['abcy', added.question.id]);
  expect((await run('updateQuestion', { id: added.question.id, text: 'z' })).errors).toMatchObject([{ code: 'NOT_FOUND', path: ['id'] }]);
  expect((await run('addQuestion', { formId: form.id, question: { text: 'z', kind: 'TEXT' }, position: 5 })).errors).toMatchObject([{ path: ['position'] }]);
  const { rows } = await api.pool.query('select text, position from questions where form_id = $1 and removed_at is null order by position', [form.id]);
  expect(rows).toEqual(['a', 'b', 'c', 'y'].map((text, position) => ({ text, position })));
});

test('choices keep their ids by id or by text, and others are removed', async () => {
  const form = await createForm({ questions });
  const city = form.questions[1];
  const [pune, delhi] = city.choices;
  const { question } = await run('updateQuestion', { id: city.id, choices: [{ text: 'Delhi' }, { id: pune.id, text: 'Poona' }, { text: 'Mumbai' }] });
  expect(question.choices).toEqual([
    { ...delhi, text: 'Delhi' },
    { ...pune, text: 'Poona' },
    { id: expect.stringMatching(/^ch_/), text: 'Mumbai', metadata: {} },
  ]);
  const shorter = await run('updateQuestion', { id: city.id, choices: [{ text: 'Poona' }] });
  expect(shorter.question.choices.map(({ id }: { id: string }) => id)).toEqual([pune.id]);
  const other = await createForm({ questions });
  const { errors } = await run('updateQuestion', { id: city.id, choices: [{ id: other.questions[1].choices[0].id, text: 'a' }, { id: pune.id, text: 'b' }, { id: pune.id, text: 'c' }] });
  expect(errors).toMatchObject([{ code: 'NOT_FOUND', path: ['choices', '0', 'id'] }, { code: 'INVALID_INPUT', path: ['choices', '2', 'id'] }]);
});

test('a question may change its kind if its choices fit then', async () => {
  const form = await createForm({ questions });
  const [age, city] = form.questions;
  expect((await run('updateQuestion', { id: age.id, kind: 'SINGLE_CHOICE' })).errors).toMatchObject([{ path: ['choices'] }]);
  expect((await run('updateQuestion', { id: age.id, kind: 'SINGLE_CHOICE', choices: [{ text: 'old' }] })).form.questions[0]).toMatchObject({ kind: 'SINGLE_CHOICE', min: null, max: null });
  expect((await run('updateQuestion', { id: city.id, kind: 'MULTIPLE_CHOICE' })).question.choices).toEqual(city.choices);
  expect((await run('updateQuestion', { id: city.id, kind: 'TEXT' })).question).toMatchObject({ kind: 'TEXT', choices: [] });
  expect((await run('updateQuestion', { id: city.id, kind: 'TEXT', choices: [{ text: 'a' }] })).errors).toMatchObject([{ path: ['choices'] }]);
});

test('a key is the question’s own: another question cannot take it', async () => {
  const form = await createForm({ questions });
  expect((await run('addQuestion', { formId: form.id, question: { key: 'city', text: 'c', kind: 'TEXT' } })).errors).toMatchObject([{ code: 'TAKEN', path: ['question', 'key'] }]);
  expect((await run('updateQuestion', { id: form.questions[0].id, key: 'city' })).errors).toMatchObject([{ code: 'TAKEN', path: ['key'] }]);
  await run('removeQuestion', { id: form.questions[1].id });
  expect((await run('updateQuestion', { id: form.questions[0].id, key: 'city' })).question.key).toBe('city');
});

test('edits of one form at the same time follow each other, and none is lost', async () => {
  const form = await createForm();
  const added = await Promise.all(
    Array.from({ length: 12 }, (_, index) => run('addQuestion', { formId: form.id, question: { text: `Q${index}`, kind: 'TEXT' } })),
  );
  expect(added.flatMap(({ errors }) => errors)).toEqual([]);
  expect(added.map((edited) => edited.form.version).toSorted((a, b) => a - b)).toEqual(Array.from({ length: 12 }, (_, index) => index + 2));
  const now = await readForm(form.id);
  expect([now.version, now.questions.length, await versionCount(form.id)]).toEqual([13, 12, 13]);
});

test('a form of another organisation cannot be changed, and says no more than that it is not there', async () => {
  const form = await createForm({ questions });
  const [{ id }] = form.questions;
  for (const [name, input] of [
    ['updateForm', { id: form.id, title: 'Mine' }],
    ['deleteForm', { id: form.id }],
    ['updateForm', { id: 'form_nonsense', title: 'Mine' }],
    ['updateQuestion', { id, text: 'Mine' }],
    ['removeQuestion', { id }],
  ] as const) {
    expect(await run(name, input, stranger.token)).toMatchObject({ form: null, errors: [{ code: 'NOT_FOUND', path: ['id'] }] });
  }
  const added = await run('addQuestion', { formId: form.id, question: { text: 'Mine', kind: 'TEXT' } }, stranger.token);
  expect(added.errors).toMatchObject([{ code: 'NOT_FOUND', path: ['formId'] }]);
  expect(await readForm(form.id)).toEqual(form);
});

test('a deleted form is gone for everyone', async () => {
  const form = await createForm({ questions });
  expect((await run('deleteForm', { id: form.id })).form).toMatchObject({ id: form.id, title: 'Survey', questions: [{}, {}, {}] });
  expect(await readForm(form.id, owner.token)).toBeNull();
  expect((await run('deleteForm', { id: form.id })).errors).toMatchObject([{ code: 'NOT_FOUND' }]);
  for (const id of [form.id, form.questions[0].id, form.questions[1].choices[0].id]) {
    expect(await api.gql('query ($id: ID!) { node(id: $id) { id } }', { id }, owner.token)).toEqual({ node: null });
  }
  expect(await api.published.get(form.id)).toBeUndefined();
  expect(await api.published.version(form.id, 1)).toMatchObject({ title: 'Survey' });
});

test('node finds forms, questions and choices; a removed question only for its owner', async () => {
  const form = await createForm({ questions });
  const city = form.questions[1];
  const node = async (id: string, token?: string) =>
    (await api.gql('query ($id: ID!) { node(id: $id) { __typename id ... on Question { key choices { text } } ... on Choice { text } ... on Form { title } } }', { id }, token)).node;
  expect(await node(form.id)).toEqual({ __typename: 'Form', id: form.id, title: 'Survey' });
  expect(await node(city.id)).toEqual({ __typename: 'Question', id: city.id, key: 'city', choices: [{ text: 'Pune' }, { text: 'Delhi' }] });
  expect(await node(city.choices[0].id)).toEqual({ __typename: 'Choice', id: city.choices[0].id, text: 'Pune' });
  await run('removeQuestion', { id: city.id });
  expect(await node(city.id, stranger.token)).toBeNull();
  expect(await node(city.id, owner.token)).toMatchObject({ key: 'city', choices: [{ text: 'Pune' }, { text: 'Delhi' }] });
  expect(await node('form_01h455vb4pex5vsknk084sn02q')).toBeNull();
  expect(await node('nonsense')).toBeNull();
});

test('the owner of a form is seen only by those of the same organisation', async () => {
  const form = await createForm();
  const query = 'query ($id: ID!) { form(id: $id) { owner { username } } }';
  expect(await api.gql(query, { id: form.id }, owner.token)).toEqual({ form: { owner: { username: 'owner' } } });
  expect(await api.gql(query, { id: form.id }, stranger.token)).toEqual({ form: { owner: null } });
});

test('an operation with several mutations sees what the ones before it did', async () => {
  const form = await createForm();
  const data = await api.gql(
    `mutation ($id: ID!) {
      a: updateForm(input: { id: $id, title: "A" }) { form { title version } }
      b: addQuestion(input: { formId: $id, question: { text: "Q", kind: TEXT } }) { form { title version } }
      c: updateForm(input: { id: $id, title: " " }) { form { title } errors { code } }
      d: updateForm(input: { id: $id, title: "D" }) { form { title version questions { text } } }
    }`,
    { id: form.id }, owner.token,
  );
  expect(data).toEqual({
    a: { form: { title: 'A', version: 2 } },
    b: { form: { title: 'A', version: 3 } },
    c: { form: null, errors: [{ code: 'INVALID_INPUT' }] },
    d: { form: { title: 'D', version: 4, questions: [{ text: 'Q' }] } },
  });
});

test('lists of forms are read in pages from both ends, and hold only the viewer’s', async () => {
  const reader = await api.register('reader');
  const made: string[] = [];
  for (const title of ['1', '2', '3', '4', '5']) made.push((await run('createForm', { title, questions: [] }, reader.token)).form.id);
  await run('deleteForm', { id: made[2] ?? '' }, reader.token);
  const page = async (args: string, token = reader.token) => {
    const { forms } = await api.gql(`{ forms${args} { edges { cursor node { title } } pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } }`, {}, token);
    const { hasNextPage, hasPreviousPage, startCursor, endCursor } = forms.pageInfo;
    return { titles: forms.edges.map((edge: { node: { title: string } }) => edge.node.title).join(''), hasNextPage, hasPreviousPage, startCursor, endCursor };
  };
  const first = await page('(first: 2)');
  expect(first).toMatchObject({ titles: '12', hasNextPage: true, hasPreviousPage: false });
  const second = await page(`(first: 2, after: "${first.endCursor}")`);
  expect(second).toMatchObject({ titles: '45', hasNextPage: false, hasPreviousPage: true });
  expect(await page('(last: 3)')).toMatchObject({ titles: '245', hasNextPage: false, hasPreviousPage: true });
  expect(await page(`(last: 2, before: "${second.startCursor}")`)).toMatchObject({ titles: '12', hasNextPage: true, hasPreviousPage: false });
  expect(await page('')).toMatchObject({ titles: '1245' });
  expect(await page('(first: 0)')).toMatchObject({ titles: '', startCursor: null });
  expect(await page('', (await api.register('newcomer')).token)).toMatchObject({ titles: '', hasNextPage: false });
});

test('arguments of a page that make no sense are told, with their names', async () => {
  for (const [args, name] of [
    ['first: 101', 'first'], ['first: -1', 'first'], ['last: 101', 'last'], ['first: 1, last: 1', 'last'],
    ['after: "nonsense"', 'after'], [`before: "${Buffer.from("x' or 1=1").toString('base64url')}"`, 'before'],
  ]) {
    const { body } = await api.post({ query: `{ forms(${args}) { edges { cursor } } }` }, { token: owner.token });
    expect(body.errors).toMatchObject([{ extensions: { code: 'INVALID_INPUT', faults: [{ path: [name] }] } }]);
  }
});

test('a published form is the same object until it changes, and then another', async () => {
  const form = await createForm({ questions });
  const first = await api.published.get(form.id);
  expect(first).toMatchObject({ id: form.id, organizationId: owner.organizationId, status: 'open', version: 1 });
  expect(await api.published.get(form.id)).toBe(first);
  expect(await api.published.refresh(form.id)).toBe(first);
  await api.pool.query(`update forms set status = 'closed' where id = $1`, [form.id]); // as another process would
  expect(await api.published.get(form.id)).toBe(first);
  expect(await api.published.refresh(form.id)).toMatchObject({ status: 'closed', version: 1 });
  await run('updateForm', { id: form.id, title: 'New', status: 'OPEN' });
  expect(await api.published.get(form.id)).toMatchObject({ status: 'open', version: 2, definition: { title: 'New' } });
  expect(await api.published.get("form_' or true")).toBeUndefined();
});

test('callers who want the same form at the same time share one reading', async () => {
  const form = await createForm({ questions });
  api.published.forget(form.id);
  const read = await Promise.all(Array.from({ length: 50 }, () => api.published.get(form.id)));
  expect(new Set(read).size).toBe(1);
});
