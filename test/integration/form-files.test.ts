import { afterAll, beforeAll, expect, test } from 'vitest';
import { startFormsApi, type FormsApi } from '../support/forms-api.ts';

let forms: FormsApi;
let stranger: { token: string };
beforeAll(async () => {
  forms = await startFormsApi();
  stranger = await forms.api.register('stranger');
});
afterAll(() => forms[Symbol.asyncDispose]());

const lunch = {
  formwire: 1,
  title: 'Lunch',
  description: 'For Friday',
  metadata: { team: 'kitchen' },
  questions: [
    { key: 'dish', text: 'What would you like?', kind: 'SINGLE_CHOICE', required: true, choices: [{ text: 'Soup' }, { text: 'Salad', metadata: { cold: true } }] },
    { title: 'More', visibleWhen: 'dish == "Soup"', questions: [{ key: 'count', text: 'How many?', kind: 'INTEGER', min: 1, max: 9 }] },
    { key: 'note', text: 'Anything else?', kind: 'TEXT', maxLength: 100 },
  ],
};
type Input = Record<string, unknown>;
const formFields = 'form { id version title status definition opensAt maxResponses oneResponsePer questions { id key choices { id text } section { id title } } sections { id } responses { edges { node { id } } } }';
const run = (name: string, input: Input, token = forms.token) => forms.run(name, input, { selection: formFields, token });
const importForm = (input: Input, token?: string) => run('importForm', input, token);
const made = async (input: Input = { definition: lunch }) => {
  const { form, errors } = await importForm(input);
  expect(errors).toEqual([]);
  return form;
};
const definitionOf = async (id: string, token?: string) => (await forms.api.gql('query ($id: ID!) { form(id: $id) { definition } }', { id }, token)).form.definition;

test('a file becomes a form, and anyone who may read the form gets the same file from it', async () => {
  const form = await made();
  expect(form).toMatchObject({ version: 1, status: 'OPEN', title: 'Lunch', questions: [{ key: 'dish', section: null }, { key: 'count', section: { title: 'More' } }, { key: 'note' }] });
  expect(JSON.stringify(await definitionOf(form.id))).toBe(JSON.stringify(lunch));
});

test('a changed file makes one new version, in which what is the same keeps its ids', async () => {
  const form = await made();
  const [dish, , note] = form.questions;
  const file = {
    ...lunch, title: 'Dinner', description: undefined,
    questions: [lunch.questions[2], { ...lunch.questions[0], text: 'Which dish?', choices: [{ text: 'Salad' }, { text: 'Fish' }] }, { key: 'wine', text: 'Wine?', kind: 'BOOLEAN' }],
  };
  const changed = await made({ formId: form.id, definition: file });
  expect(changed).toMatchObject({ id: form.id, version: 2, title: 'Dinner', questions: [{ key: 'note', id: note.id }, { key: 'dish', id: dish.id }, { key: 'wine' }], sections: [] });
  expect(changed.questions[1].choices).toMatchObject([{ id: dish.choices[1].id, text: 'Salad' }, { text: 'Fish' }]);
  expect(changed.definition).toEqual(JSON.parse(JSON.stringify(file)));
  const { form: history } = await forms.api.gql('query ($id: ID!) { form(id: $id) { changes(from: 1, to: 2) { kind section { title } } } }', { id: form.id }, forms.token);
  expect(history.changes).toContainEqual({ kind: 'SECTION_REMOVED', section: { title: 'More' } });
});

test('a file that says the same again makes no version, nor does a change of what no version keeps', async () => {
  const form = await made();
  expect((await made({ formId: form.id, definition: await definitionOf(form.id) })).version).toBe(1);
  expect(await made({ formId: form.id, definition: { ...lunch, description: 'For Monday' } })).toMatchObject({ version: 1, definition: { description: 'For Monday' } });
});

test('an import leaves what came in before as it was, and answers to the same key stay with their question', async () => {
  const form = await made();
  const [dish] = form.questions;
  const answers = [{ key: 'dish', value: 'Salad' }, { key: 'note', value: 'cold please' }];
  const before = await forms.submit(form.id, { answers });
  const query = 'query ($id: ID!) { response(id: $id) { answers { text question { key text choices { text } } } } }';
  const read = await forms.api.gql(query, { id: before }, forms.token);
  await made({ formId: form.id, definition: { ...lunch, questions: [{ key: 'dish', text: 'Dish?', kind: 'SINGLE_CHOICE', choices: [{ text: 'Fish' }] }] } });
  expect(await forms.api.gql(query, { id: before }, forms.token)).toEqual(read);
  await forms.submit(form.id, { answers: [{ key: 'dish', value: 'Fish' }] });
  const { node } = await forms.api.gql('query ($id: ID!) { node(id: $id) { ... on Question { answers { edges { node { text } } } } } }', { id: dish.id }, forms.token);
  expect(node.answers.edges.map((edge: { node: { text: string } }) => edge.node.text)).toEqual(['Salad', 'Fish']);
});

test('faults of a file are told with their paths in the input, and nothing is changed', async () => {
  const form = await made();
  const definition = { formwire: 1, title: '', questions: [{ key: 'q', kind: 'TEXT', colour: 1 }, { title: 'S', questions: [{ key: 'p', text: 'P', kind: 'DATE', min: 1 }] }] };
  for (const formId of [undefined, form.id]) {
    const { form: none, errors } = await importForm({ formId, definition });
    expect(none).toBeNull();
    expect(errors.map(({ path }: { path: string[] }) => path.join('.')).toSorted()).toEqual([
      'definition.questions.0.colour', 'definition.questions.0.text', 'definition.questions.1.questions.0.min', 'definition.title',
    ]);
  }
  expect((await importForm({ definition: { ...lunch, formwire: 2 } })).errors).toMatchObject([{ path: ['definition', 'formwire'], message: expect.stringContaining('only format 1') }]);
  expect(await definitionOf(form.id)).toEqual(lunch);
});

test('a copy is a draft with everything of the form but its ids and its responses', async () => {
  const form = await made();
  await forms.submit(form.id, { answers: [{ key: 'dish', value: 'Salad' }] });
  await forms.updateForm(form.id, { maxResponses: 5, oneResponsePer: 'MOBILE', opensAt: '2026-11-20T00:00:00Z' });
  const { form: copy, errors } = await run('duplicateForm', { id: form.id, title: 'Lunch again' });
  expect(errors).toEqual([]);
  expect(copy).toMatchObject({ version: 1, title: 'Lunch again', status: 'DRAFT', maxResponses: 5, oneResponsePer: 'MOBILE', opensAt: '2026-11-20T00:00:00.000Z', responses: { edges: [] } });
  expect(copy.definition).toEqual({ ...lunch, title: 'Lunch again' });
  const ids = (one: typeof copy): string[] => JSON.stringify(one.questions).match(/"id":"[^"]+"/g) ?? [];
  expect(ids(copy).filter((id) => ids(form).includes(id))).toEqual([]);
  expect((await run('duplicateForm', { id: form.id })).form.title).toBe('Lunch');
  expect((await run('duplicateForm', { id: form.id, title: ' ' })).errors).toMatchObject([{ path: ['title'] }]);
});

test('a form of another organisation is neither copied nor changed from a file', async () => {
  const form = await made();
  expect((await run('duplicateForm', { id: form.id }, stranger.token)).errors).toMatchObject([{ code: 'NOT_FOUND', path: ['id'] }]);
  expect((await importForm({ formId: form.id, definition: lunch }, stranger.token)).errors).toMatchObject([{ code: 'NOT_FOUND', path: ['formId'] }]);
  expect((await importForm({ formId: 'form_nonsense', definition: lunch })).errors).toMatchObject([{ code: 'NOT_FOUND', path: ['formId'] }]);
});
