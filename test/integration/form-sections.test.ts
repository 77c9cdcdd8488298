import { afterAll, beforeAll, expect, test } from 'vitest';
import { formLimits } from '../../src/forms/form-limits.ts';
import { startFormsApi, type FormsApi } from '../support/forms-api.ts';

let forms: FormsApi;
beforeAll(async () => void (forms = await startFormsApi()));
afterAll(() => forms[Symbol.asyncDispose]());

type Members = Record<string, unknown>;
interface Form {
  id: string;
  version: number;
  questions: { id: string; key: string; section: { id: string; title: string } | null }[];
  sections: { id: string; title: string }[];
}
const selection = 'id version questions { id key section { id title } } sections { id title }';
const q = (key: string, more: Members = {}) => ({ key, text: key, kind: 'INTEGER', ...more });
const create = (input: Members): Promise<Form> => forms.createForm(input, selection);
const sectioned = () => create({ questions: [q('a')], sections: [{ title: 'One', questions: [q('b'), q('c')] }, { title: 'Two', questions: [q('d')] }] });
const run = (name: string, input: Members) => forms.run(name, input, { selection: `form { ${selection} }` });
const read = async (id: string): Promise<Form> => (await forms.api.gql(`query ($id: ID!) { form(id: $id) { ${selection} } }`, { id })).form;
/** `a (b c) (d) e`: questions by their keys, sections in parentheses; behind it, sections by their titles. */
const drawn = ({ questions, sections }: Form) =>
  `${questions.map(({ key, section }, place) => {
    const [before, after] = [questions[place - 1]?.section?.id, questions[place + 1]?.section?.id];
    return `${section && section.id !== before ? '(' : ''}${key}${section && section.id !== after ? ')' : ''}`;
  }).join(' ')} | ${sections.map(({ title }) => title).join(' ')}`;
const id = (form: Form, key: string) => form.questions.find((question) => question.key === key)?.id ?? '';
const sectionId = (form: Form, title: string) => form.sections.find((section) => section.title === title)?.id ?? '';
const outcome = ({ form, errors }: { form: Form | null; errors: { code: string; path: string[] }[] }) => (form ? drawn(form) : errors.map(({ code, path }) => `${code} ${path.join('.')}`).join(', '));

test('a form is made with sections, whose questions follow those of none, in their order', async () => {
  const form = await sectioned();
  expect([form.version, drawn(form), form.sections[0]?.id]).toEqual([1, 'a (b c) (d) | One Two', expect.stringMatching(/^sec_/)]);
});

test('a section is found by its id with its questions, and says what it was given', async () => {
  const { sections } = await forms.createForm({
    questions: [q('a')],
    sections: [{ title: 'One', description: 'All of it', visibleWhen: 'a > 1', metadata: { colour: 'red' }, titleTranslations: [{ locale: 'hi', text: 'एक' }], descriptionTranslations: [{ locale: 'hi', text: 'सब' }], questions: [q('b')] }],
  }, 'sections { id }');
  const query = 'query ($id: ID!) { node(id: $id) { __typename ... on Section { title t: title(locale: "hi-IN") description d: description(locale: "hi") visibleWhen metadata questions { key section { id } } titleTranslations { locale text } } } }';
  expect((await forms.api.gql(query, { id: sections[0].id })).node).toEqual({
    __typename: 'Section', title: 'One', t: 'एक', description: 'All of it', d: 'सब', visibleWhen: 'a > 1', metadata: { colour: 'red' }, questions: [{ key: 'b', section: { id: sections[0].id } }], titleTranslations: [{ locale: 'hi', text: 'एक' }],
  });
});

test('questions join, leave and change sections, and stay next to their own', async () => {
  const form = await sectioned();
  const [one, two] = ['One', 'Two'].map((title) => sectionId(form, title));
  const add = (key: string, more: Members) => run('addQuestion', { formId: form.id, question: q(key), ...more });
  expect(outcome(await add('e', { sectionId: one }))).toBe('a (b c e) (d) | One Two');
  expect(outcome(await add('f', { sectionId: one, position: 1 }))).toBe('a (f b c e) (d) | One Two');
  expect(outcome(await add('g', { position: 2 }))).toBe('INVALID_INPUT position');
  expect(outcome(await add('g', { position: 5 }))).toBe('a (f b c e) g (d) | One Two');
  expect(outcome(await add('h', { sectionId: two, position: 0 }))).toBe('INVALID_INPUT position');
  expect(outcome(await add('h', { sectionId: 'sec_nothing' }))).toBe('NOT_FOUND sectionId');
  const now = await read(form.id);
  expect(outcome(await run('updateQuestion', { id: id(now, 'a'), sectionId: two }))).toBe('(f b c e) g (d a) | One Two');
  expect(outcome(await run('updateQuestion', { id: id(now, 'b'), sectionId: null }))).toBe('(f c e) b g (d a) | One Two');
  expect(outcome(await run('updateQuestion', { id: id(now, 'c'), text: 'Still there' }))).toBe('(f c e) b g (d a) | One Two');
  expect(outcome(await run('updateQuestion', { id: id(now, 'g'), position: 1 }))).toBe('INVALID_INPUT position');
  expect(outcome(await run('removeQuestion', { id: id(now, 'd') }))).toBe('(f c e) b g (a) | One Two');
});

test('a section is added around questions, moved with them, changed, and removed from around them', async () => {
  const form = await create({ questions: ['a', 'b', 'c', 'd'].map((key) => q(key)) });
  const ids = (...keys: string[]) => keys.map((key) => id(form, key));
  const add = (title: string, more: Members) => run('addSection', { formId: form.id, section: { title }, ...more });
  expect(outcome(await add('Last', { questionIds: ids('c', 'd') }))).toBe('a b (c d) | Last');
  expect(outcome(await add('First', { questionIds: ids('a') }))).toBe('(a) b (c d) | First Last');
  expect(outcome(await add('Torn', { questionIds: ids('b', 'd') }))).toBe('INVALID_INPUT questionIds.1');
  expect(outcome(await add('Empty', { position: 0 }))).toBe('(a) b (c d) | Empty First Last');
  expect(outcome(await add('Both', { position: 0, questionIds: ids('b') }))).toBe('INVALID_INPUT position');
  expect(outcome(await add('Beyond', { position: 4 }))).toBe('INVALID_INPUT position');
  const made = await read(form.id);
  expect(outcome(await run('updateSection', { id: sectionId(made, 'Last'), position: 0 }))).toBe('(c d) (a) b | Last Empty First');
  expect(outcome(await run('updateSection', { id: sectionId(made, 'Last'), title: 'Now first' }))).toMatch('Empty First');
  expect(outcome(await run('addQuestion', { formId: form.id, question: q('e'), sectionId: sectionId(made, 'Empty') }))).toMatch(/^\(c d\) \(e\) \(a\) b/);
  expect(outcome(await run('removeSection', { id: sectionId(made, 'Last') }))).toBe('c d (e) (a) b | Empty First');
  expect(outcome(await run('removeSection', { id: sectionId(made, 'Last') }))).toBe('NOT_FOUND id');
  expect((await forms.api.gql('query ($id: ID!) { node(id: $id) { id } }', { id: sectionId(made, 'Last') }, forms.token)).node).toBeNull();
});

test('questions that a section is made of must stand next to each other', async () => {
  const form = await create({ questions: ['a', 'b', 'c'].map((key) => q(key)) });
  expect(outcome(await run('addSection', { formId: form.id, section: { title: 'Torn' }, questionIds: [id(form, 'a'), id(form, 'c')] }))).toBe('INVALID_INPUT questionIds');
});

test('an update of a section that changes nothing makes no version', async () => {
  const form = await sectioned();
  const same = await run('updateSection', { id: sectionId(form, 'One'), title: 'One', description: null, metadata: {}, position: 0 });
  expect(same.form.version).toBe(1);
  expect((await run('updateSection', { id: sectionId(form, 'One'), description: 'D' })).form.version).toBe(2);
});

test('all questions are brought into another order at once, and sections follow them', async () => {
  const form = await sectioned();
  const order = (...keys: string[]) => run('reorderQuestions', { formId: form.id, questionIds: keys.map((key) => id(form, key) || key) });
  expect((await order('a', 'b', 'c', 'd')).form.version).toBe(1);
  const turned = await order('d', 'c', 'b', 'a');
  expect([turned.form.version, outcome(turned)]).toEqual([2, '(d) (c b) a | Two One']);
  expect(outcome(await order('b', 'd', 'c', 'a'))).toBe('INVALID_INPUT questionIds');
  const { errors } = await order('a', 'b', 'b', 'q_nothing');
  expect(errors.map(({ code, path }: { code: string; path: string[] }) => `${code} ${path.join('.')}`)).toEqual(['INVALID_INPUT questionIds.2', 'NOT_FOUND questionIds.3', 'INVALID_INPUT questionIds']);
  expect(errors[2].message).toBe(`Name all questions of the form; 2 are missing: d (${id(form, 'd')}), c (${id(form, 'c')}).`);
  expect(outcome(await order(...Array.from({ length: 501 }, () => 'a')))).toBe('INVALID_INPUT questionIds');
  expect(drawn(await read(form.id))).toBe('(d) (c b) a | Two One');
});

test('a version keeps its sections: an answer shows the one its question was asked in', async () => {
  const form = await sectioned();
  const response = await forms.submit(form.id, { answers: [{ key: 'b', value: 1 }] });
  await run('updateSection', { id: sectionId(form, 'One'), title: 'Renamed' });
  await run('updateQuestion', { id: id(form, 'b'), sectionId: null });
  const read = await forms.api.gql('query ($id: ID!) { response(id: $id) { answers { question { section { title } } } } }', { id: response }, forms.token);
  expect(read.response.answers).toEqual([{ question: { section: { title: 'One' } } }]);
});

test('a form has 100 sections and not one more, with titles of 500 characters and not one more', async () => {
  const sections = (count: number, title = 'S') => ({ title: 'T', questions: [], sections: Array.from({ length: count }, () => ({ title, questions: [] })) });
  const faults = async (input: Members) => outcome(await run('createForm', input));
  expect(await faults(sections(formLimits.sections, 'x'.repeat(500)))).toMatch(/^ \| x/);
  expect(await faults(sections(formLimits.sections + 1))).toBe('INVALID_INPUT sections');
  expect(await faults(sections(1, 'x'.repeat(501)))).toBe('INVALID_INPUT sections.0.title');
  const full = await create(sections(formLimits.sections));
  expect(outcome(await run('addSection', { formId: full.id, section: { title: 'S' } }))).toBe('INVALID_INPUT section');
});

test('faults of sections say where they are', async () => {
  const section = { title: ' ', description: 'x'.repeat(10_001), metadata: { a: '\u0000' }, titleTranslations: [{ locale: 'h', text: 'x' }], visibleWhen: 'b == 1', questions: [q('b'), q('b', { text: ' ' })] };
  const { errors } = await run('createForm', { title: 'T', questions: [], sections: [section] });
  expect(errors.map(({ code, path }: { code: string; path: string[] }) => `${code} ${path.join('.')}`).toSorted()).toEqual([
    'INVALID_INPUT sections.0.description', 'INVALID_INPUT sections.0.metadata.a', 'INVALID_INPUT sections.0.questions.1.text', 'INVALID_INPUT sections.0.title',
    'INVALID_INPUT sections.0.titleTranslations.0.locale', 'INVALID_INPUT sections.0.visibleWhen', 'TAKEN sections.0.questions.1.key',
  ]);
});
