import { afterAll, beforeAll, expect, test } from 'vitest';
import { formLimits } from '../../src/forms/form-limits.ts';
import { startFormsApi, type FormsApi } from '../support/forms-api.ts';

let forms: FormsApi;
beforeAll(async () => void (forms = await startFormsApi()));
afterAll(() => forms[Symbol.asyncDispose]());

type Members = Record<string, unknown>;
const q = (key: string, kind: string, more: Members = {}) => ({ key, text: key, kind, ...more });
const when = (key: string, visibleWhen: string, more: Members = {}) => q(key, 'TEXT', { visibleWhen, ...more });
const selection = 'id version questions { id key visibleWhen } sections { id visibleWhen }';
const create = (questions: Members[], sections: Members[] = []) => forms.createForm({ questions, sections }, selection);
const run = (name: string, input: Members) => forms.run(name, input, { selection: `form { ${selection} }` });
const faultsOf = async (questions: Members[], sections: Members[] = []): Promise<string[]> => {
  const { errors } = await forms.run('createForm', { title: 'T', questions, sections });
  return errors.map(({ code, path, message }: { code: string; path: string[]; message: string }) => `${code} ${path.join('.')}: ${message}`);
};
const idOf = (form: { questions: { id: string; key: string }[] }, key: string) => form.questions.find((question) => question.key === key)?.id ?? '';
const conditions = (form: { questions: { visibleWhen: string | null }[] }) => form.questions.map(({ visibleWhen }) => visibleWhen);
const age = q('age', 'INTEGER');
const city = q('city', 'SINGLE_CHOICE', { choices: [{ text: 'Pune' }, { text: 'Delhi' }] });

test('a condition is kept as it was written, shown, changed, and taken away by null', async () => {
  const form = await create([age, when('job', 'age >= 18')]);
  expect(conditions(form)).toEqual([null, 'age >= 18']);
  const id = idOf(form, 'job');
  expect((await forms.api.gql('query ($id: ID!) { node(id: $id) { ... on Question { visibleWhen } } }', { id })).node).toEqual({ visibleWhen: 'age >= 18' });
  expect((await run('updateQuestion', { id, text: 'Job' })).form).toMatchObject({ version: 2, questions: [{}, { visibleWhen: 'age >= 18' }] });
  expect((await run('updateQuestion', { id, visibleWhen: 'age >= 18' })).form.version).toBe(2);
  expect(conditions((await run('updateQuestion', { id, visibleWhen: 'age > 20' })).form)).toEqual([null, 'age > 20']);
  expect(conditions((await run('updateQuestion', { id, visibleWhen: null })).form)).toEqual([null, null]);
});

test('conditions that make no sense are faults at their place, all at once', async () => {
  const faults = await faultsOf([when('a', 'age > 1'), age, when('b', 'b == "x"'), when('c', 'nothing > 1'), when('d', 'age > "x"'), when('e', 'age'), when('f', 'age >'), city, when('g', 'city == "Mumbai"')]);
  expect(faults).toEqual([
    'INVALID_INPUT questions.0.visibleWhen: At character 1 (age): "age" is not asked before this; a condition reads answers to earlier questions.',
    'INVALID_INPUT questions.2.visibleWhen: At character 1 (b): "b" is not asked before this; a condition reads answers to earlier questions.',
    'INVALID_INPUT questions.3.visibleWhen: At character 1 (nothing): This form has no question with the key "nothing".',
    'INVALID_INPUT questions.4.visibleWhen: At character 1 (age > "x"): A whole number cannot be compared with a text.',
    'INVALID_INPUT questions.5.visibleWhen: A condition is true or false; this is a whole number. Compare it with something.',
    "INVALID_INPUT questions.6.visibleWhen: At character 6: Unexpected token: EOF. Write a condition in CEL, such as: age >= 18 && city == 'Pune'",
    'INVALID_INPUT questions.8.visibleWhen: At character 1 (city == "Mumbai"): There is no choice "Mumbai" here; the choices are "Pune", "Delhi".',
  ]);
  const form = await create([age]);
  for (const [name, input, path] of [
    ['addQuestion', { formId: form.id, question: when('a', 'agee > 1') }, 'question.visibleWhen'], ['updateQuestion', { id: idOf(form, 'age'), visibleWhen: 'age > 1' }, 'visibleWhen'],
    ['addSection', { formId: form.id, section: { title: 'S', visibleWhen: 'age > 1' }, questionIds: [idOf(form, 'age')] }, 'section.visibleWhen'],
  ] as const) {
    expect((await run(name, input)).errors.map(({ code, path: at }: { code: string; path: string[] }) => `${code} ${at.join('.')}`)).toEqual([`INVALID_INPUT ${path}`]);
  }
});

test('a section’s condition reads what is before its first question', async () => {
  expect(await faultsOf([age], [{ title: 'Work', visibleWhen: 'age > 17', questions: [q('job', 'TEXT')] }])).toEqual([]);
  expect(await faultsOf([], [{ title: 'Work', visibleWhen: 'job == "x"', questions: [q('job', 'TEXT')] }])).toEqual([expect.stringMatching(/^INVALID_INPUT sections.0.visibleWhen: /)]);
});

test.for<[string, (ids: Record<string, string>) => [string, Members], string]>([
  ['removed', ({ age: id }) => ['removeQuestion', { id }], 'id'],
  ['moved behind', ({ age: id }) => ['updateQuestion', { id, position: 2 }], 'id'],
  ['of another kind', ({ age: id }) => ['updateQuestion', { id, kind: 'TEXT' }], 'id'],
  ['without the choice it asks for', ({ city: id }) => ['updateQuestion', { id, choices: [{ text: 'Poona' }, { text: 'Delhi' }] }], 'id'],
  ['reordered behind', ({ formId, age: first, city: second, job, home }) => ['reorderQuestions', { formId, questionIds: [job, first, second, home] }], 'questionIds'],
])('an edit that would break the condition of another question is refused, and names it: %s', async ([, edit, path]) => {
  const form = await create([age, city, when('job', 'age > 17'), when('home', 'city == "Pune"')]);
  const [name, input] = edit({ formId: form.id, ...Object.fromEntries(form.questions.map(({ key, id }: { key: string; id: string }) => [key, id])) });
  const { errors } = await run(name, input);
  expect(errors).toMatchObject([{ code: 'CONDITION_BROKEN', path: [path] }]);
  expect(errors[0].message).toMatch(/^The condition of (job \(age > 17\)|home \(city == "Pune"\)) would not work any more\. .*Change or remove that condition first\.$/);
  expect((await forms.api.gql('query ($id: ID!) { form(id: $id) { version } }', { id: form.id })).form.version).toBe(1);
});

test('a question that moves before what its own condition reads has a fault of its own', async () => {
  const form = await create([age, when('job', 'age > 17')]);
  expect((await run('updateQuestion', { id: idOf(form, 'job'), position: 0 })).errors).toMatchObject([{ code: 'INVALID_INPUT', path: ['visibleWhen'] }]);
});

test('a renamed key is renamed in all conditions that read it', async () => {
  const form = await create([age, when('job', 'age > 17 && age < 70')], [{ title: 'S', visibleWhen: 'has(age)', questions: [q('x', 'TEXT')] }]);
  const renamed = (await run('updateQuestion', { id: idOf(form, 'age'), key: 'years' })).form;
  expect([renamed.version, conditions(renamed), renamed.sections]).toMatchObject([2, [null, 'years > 17 && years < 70', null], [{ visibleWhen: 'has(years)' }]]);
  expect(await forms.submit(form.id, { answers: [{ key: 'years', value: 20 }, { key: 'job', value: 'x' }, { key: 'x', value: 'x' }] })).toMatch(/^resp_/);
  expect(await forms.submit(form.id, { answers: [{ key: 'years', value: 70 }, { key: 'job', value: 'x' }] })).toBe('ANSWER_HIDDEN answers.1');
});

test('a hidden question takes no answer, of one response or of many, and a response shows what was asked then', async () => {
  const form = await create([age, when('job', 'age > 17', { required: true })]);
  const answers = (years: number, job?: string) => ({ answers: [{ key: 'age', value: years }, ...(job === undefined ? [] : [{ key: 'job', value: job }])] });
  const taken = await forms.submit(form.id, answers(30, 'baker'));
  expect(await forms.submitMany([{ formId: form.id, ...answers(30) }, { formId: form.id, ...answers(3, 'baker') }, { formId: form.id, ...answers(3) }])).toEqual([
    'ANSWER_REQUIRED answers', 'ANSWER_HIDDEN answers.1', expect.stringMatching(/^resp_/),
  ]);
  await run('updateQuestion', { id: idOf(form, 'job'), visibleWhen: 'age > 40' });
  expect(await forms.submit(form.id, answers(30, 'baker'))).toBe('ANSWER_HIDDEN answers.1');
  const { response } = await forms.api.gql('query ($id: ID!) { response(id: $id) { answers { text question { visibleWhen } } } }', { id: taken }, forms.token);
  expect(response.answers).toEqual([{ text: '30', question: { visibleWhen: null } }, { text: 'baker', question: { visibleWhen: 'age > 17' } }]);
});

test('an amendment that hides a question must take its answer away', async () => {
  const form = await create([age, when('job', 'age > 17')]);
  const responseId = await forms.submit(form.id, { answers: [{ key: 'age', value: 30 }, { key: 'job', value: 'baker' }] });
  const amend = (...answers: Members[]) => forms.run('amendResponse', { responseId, expectedRevision: 1, answers }, { selection: 'response { answers { text } }' });
  expect((await amend({ key: 'age', value: 3 })).errors).toMatchObject([{ code: 'ANSWER_HIDDEN', path: ['answers'] }]);
  expect(await amend({ key: 'age', value: 3 }, { key: 'job', value: null })).toEqual({ response: { answers: [{ text: '3' }] }, errors: [] });
});

test('a section that is hidden hides all its questions', async () => {
  const form = await create([age], [{ title: 'Work', visibleWhen: 'age > 17', questions: [q('job', 'TEXT', { required: true }), when('pay', 'job == "baker"')] }]);
  const submit = (...values: [string, unknown][]) => forms.submit(form.id, { answers: values.map(([key, value]) => ({ key, value })) });
  expect(await submit(['age', 3])).toMatch(/^resp_/);
  expect(await submit(['age', 3], ['job', 'baker'], ['pay', 'x'])).toBe('ANSWER_HIDDEN answers.1, ANSWER_HIDDEN answers.2');
  expect(await submit(['age', 30])).toBe('ANSWER_REQUIRED answers');
  expect(await submit(['age', 30], ['job', 'baker'], ['pay', 'x'])).toMatch(/^resp_/);
  await run('removeSection', { id: form.sections[0].id });
  expect(await submit(['age', 3])).toBe('ANSWER_REQUIRED answers');
});

test('a form has 500 conditions and not one more', async () => {
  const many = (count: number) => [q('a', 'BOOLEAN'), ...Array.from({ length: 499 }, (_, index) => q(`q${index}`, 'BOOLEAN', { ...(index < count && { visibleWhen: 'a' }) }))];
  const sections = (count: number) => Array.from({ length: count }, () => ({ title: 'S', visibleWhen: 'a', questions: [] }));
  expect(await faultsOf(many(499), sections(1))).toEqual([]);
  expect(await faultsOf(many(499), sections(2))).toEqual([`INVALID_INPUT questions: A form has at most ${formLimits.conditions} conditions; these are 501.`]);
});

test('all conditions of a form together have 5,000 names, values and operators and not one more', async () => {
  const wide = `a${'||a'.repeat(49)}`; // 99 of them
  const most = [...Array.from({ length: 50 }, () => wide), `a${'||a'.repeat(24)}`, 'a']; // 50 * 99 + 49 + 1
  const asked = (...sources: string[]) => [q('a', 'BOOLEAN'), ...sources.map((visibleWhen, index) => q(`q${index}`, 'BOOLEAN', { visibleWhen }))];
  expect(await faultsOf(asked(...most))).toEqual([]);
  expect(await faultsOf(asked(...most, 'a'))).toEqual([`INVALID_INPUT questions: All conditions of a form together have at most 5000 names, values and operators; these have 5001.`]);
});

test('a condition has 1,000 characters and not one more, all of which can be stored', async () => {
  const padded = (length: number) => `age > 17${' '.repeat(length - 8)}`;
  expect(await faultsOf([age, when('job', padded(1_000))])).toEqual([]);
  expect(await faultsOf([age, when('job', padded(1_001))])).toEqual(['INVALID_INPUT questions.1.visibleWhen: At most 1000 characters; this has 1001.']);
  expect(await faultsOf([age, when('job', 'age > 17 \u0000')])).toEqual([expect.stringMatching(/^INVALID_INPUT questions.1.visibleWhen: This contains/)]);
});

test('patterns in conditions count among those of the form', async () => {
  const asked = (count: number) => [q('a', 'TEXT'), ...Array.from({ length: count }, (_, index) => q(`q${index}`, 'TEXT', { visibleWhen: 'a.matches("[a-z]{480}")' }))];
  expect(await faultsOf(asked(10))).toEqual([]);
  expect(await faultsOf(asked(11))).toEqual([expect.stringMatching(/^INVALID_INPUT questions: All patterns of a form/)]);
});
