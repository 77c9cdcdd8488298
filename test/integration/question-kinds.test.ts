import { afterAll, beforeAll, expect, test } from 'vitest';
import { questionKinds } from '../../src/forms/form-definition.ts';
import { startFormsApi, type FormsApi } from '../support/forms-api.ts';

let forms: FormsApi;
beforeAll(async () => void (forms = await startFormsApi()));
afterAll(() => forms[Symbol.asyncDispose]());

type Question = Record<string, unknown>;
const members = 'id kind min max earliest latest minLength maxLength pattern decimals';
const createWith = (...questions: Question[]) => forms.createForm({ questions: questions.map((question) => ({ text: 'Q', ...question })) }, `id version questions { ${members} }`);
const faultsOf = async (...questions: Question[]): Promise<string[]> => {
  const { errors } = await forms.run('createForm', { title: 'T', questions: questions.map((question) => ({ text: 'Q', ...question })) });
  return errors.map(({ code, path }: { code: string; path: string[] }) => `${code} ${path.slice(1).join('.')}`);
};
const change = (id: string, input: Question) => forms.run('updateQuestion', { id, ...input }, { selection: `form { version } question { ${members} }` });

test('what a question asks of its answers is read as it was given, in the form answers are kept in', async () => {
  const form = await createWith(
    { kind: 'TEXT', minLength: 1, maxLength: 10, pattern: '[a-z]+' },
    { kind: 'LONG_TEXT', maxLength: 50_000 },
    { kind: 'DECIMAL', min: 0, max: 1, decimals: 2 },
    { kind: 'DATE', earliest: '2026-01-01', latest: '2026-01-01' },
    { kind: 'TIME', earliest: '08:00' },
    { kind: 'DATE_TIME', latest: '2026-01-01T05:30:00+05:30' },
    { kind: 'RATING' },
    { kind: 'RATING', min: 0, max: 10 },
    { kind: 'URL' },
  );
  const none = { min: null, max: null, earliest: null, latest: null, minLength: null, maxLength: null, pattern: null, decimals: null };
  const expected = [
    { minLength: 1, maxLength: 10, pattern: '[a-z]+' }, { maxLength: 50_000 }, { min: 0, max: 1, decimals: 2 }, { earliest: '2026-01-01', latest: '2026-01-01' },
    { earliest: '08:00:00' }, { latest: '2026-01-01T00:00:00.000Z' }, { min: 1, max: 5 }, { min: 0, max: 10 }, {},
  ].map((some, index) => ({ ...none, ...some, id: form.questions[index].id, kind: form.questions[index].kind }));
  expect(form.questions).toEqual(expected);
  for (const [index, { id }] of form.questions.entries()) {
    expect((await forms.api.gql(`query ($id: ID!) { node(id: $id) { ... on Question { ${members} } } }`, { id })).node).toEqual(expected[index]);
  }
});

test('what a kind cannot ask for is a fault, each with its path', async () => {
  const bounds = { min: 1, max: 2, earliest: '2026-01-01', latest: '2026-01-02', minLength: 1, maxLength: 2, pattern: 'a', decimals: 1 };
  const possible: Record<string, string[]> = {
    TEXT: ['minLength', 'maxLength', 'pattern'], LONG_TEXT: ['minLength', 'maxLength'], INTEGER: ['min', 'max'], RATING: ['min', 'max'],
    DECIMAL: ['min', 'max', 'decimals'], DATE: ['earliest', 'latest'],
  };
  for (const kind of questionKinds) {
    if (kind.endsWith('CHOICE') || kind.endsWith('TIME')) continue;
    const expected = Object.keys(bounds).filter((name) => !possible[kind]?.includes(name)).map((name) => `INVALID_INPUT 0.${name}`);
    expect([kind, (await faultsOf({ kind, ...bounds })).filter((fault) => expected.includes(fault)).toSorted()]).toEqual([kind, expected.toSorted()]);
  }
});

test.for([
  ['min', { kind: 'INTEGER', min: 0.5 }], ['max', { kind: 'DECIMAL', min: 2, max: 1 }], ['max', { kind: 'RATING', min: 5 }], ['max', { kind: 'RATING', max: 101 }],
  ['min', { kind: 'RATING', min: -1 }], ['min', { kind: 'RATING', min: 0.5 }], ['earliest', { kind: 'DATE', earliest: '2026-02-30' }], ['latest', { kind: 'TIME', latest: '2026-02-03' }],
  ['latest', { kind: 'DATE_TIME', earliest: '2026-01-01T01:00:00+01:00', latest: '2025-12-31T23:59:59Z' }], ['minLength', { kind: 'TEXT', minLength: -1 }],
  ['maxLength', { kind: 'TEXT', maxLength: 50_001 }], ['maxLength', { kind: 'TEXT', minLength: 2, maxLength: 1 }], ['maxLength', { kind: 'TEXT', maxLength: 1_001, pattern: 'a' }],
  ['decimals', { kind: 'DECIMAL', decimals: 16 }], ['pattern', { kind: 'TEXT', pattern: '(' }], ['pattern', { kind: 'TEXT', pattern: '(a)\\1' }], ['pattern', { kind: 'TEXT', pattern: '(?=a)' }],
  ['pattern', { kind: 'TEXT', pattern: 'a'.repeat(501) }], ['pattern', { kind: 'TEXT', pattern: '\\pL{501}' }], ['pattern', { kind: 'TEXT', pattern: '((a{100}){100}){100}' }],
  ['pattern', { kind: 'TEXT', pattern: 'a\u0000' }],
] as const)('a fault of %s: %j', async ([name, question]) => expect(await faultsOf(question)).toEqual([`INVALID_INPUT 0.${name}`]));

test('all patterns of a form together are bounded, since one response may have to match them all', async () => {
  const pattern = '[a-z]{495}';
  expect(await faultsOf(...Array.from({ length: 10 }, () => ({ kind: 'TEXT', pattern })))).toEqual([]);
  expect(await faultsOf(...Array.from({ length: 11 }, () => ({ kind: 'TEXT', pattern })))).toEqual(['INVALID_INPUT ']);
});

test('a change keeps what is not named, null takes it away, and what the new kind cannot ask for falls away', async () => {
  const form = await createWith({ kind: 'TEXT', minLength: 1, maxLength: 10, pattern: 'a+' });
  const [{ id }] = form.questions;
  expect(await change(id, { maxLength: 10 })).toMatchObject({ errors: [], form: { version: 1 } });
  expect(await change(id, { pattern: null })).toMatchObject({ form: { version: 2 }, question: { minLength: 1, maxLength: 10, pattern: null } });
  expect(await change(id, { kind: 'LONG_TEXT' })).toMatchObject({ form: { version: 3 }, question: { minLength: 1, maxLength: 10 } });
  expect(await change(id, { kind: 'RATING' })).toMatchObject({ question: { min: 1, max: 5, minLength: null, maxLength: null } });
  expect(await change(id, { kind: 'INTEGER' })).toMatchObject({ question: { min: null, max: null } });
  expect(await change(id, { min: 2, max: 7 })).toMatchObject({ question: { min: 2, max: 7 } });
  expect(await change(id, { kind: 'DECIMAL', decimals: 1 })).toMatchObject({ question: { min: 2, max: 7, decimals: 1 } });
  expect(await change(id, { kind: 'DATE', earliest: '2026-01-01' })).toMatchObject({ question: { min: null, earliest: '2026-01-01' } });
  expect(await change(id, { kind: 'TIME' })).toMatchObject({ question: { earliest: null } });
});

test('a question of a version from before there were constraints is not changed by an update that changes nothing', async () => {
  const form = await createWith({ kind: 'INTEGER', min: 1 });
  await forms.api.pool.query(`update form_versions set definition = definition #- '{questions,0,constraints}' where form_id = $1`, [form.id]);
  expect(await change(form.questions[0].id, { min: 1 })).toMatchObject({ form: { version: 1 } });
});

test('answers of every kind are stored, read and shown as text', async () => {
  const asked = [
    ['DATE_TIME', '2026-11-21T07:45:00+05:30', '2026-11-21T02:15:00.000Z', '2026-11-21T02:15:00.000Z'], ['TIME', '07:45', '07:45:00', '07:45:00'],
    ['URL', 'https://example.org/', 'https://example.org/', 'https://example.org/'], ['RATING', 4, 4, '4'],
    ['GEO_POINT', { longitude: 73.86, latitude: 18.52, accuracy: 5 }, { latitude: 18.52, longitude: 73.86, accuracy: 5 }, '18.52, 73.86'], ['LONG_TEXT', 'a\nb', 'a\nb', 'a\nb'],
  ] as const;
  const { id } = await forms.createForm({ questions: asked.map(([kind]) => ({ key: kind.toLowerCase(), text: kind, kind })) });
  const responseId = await forms.submit(id, { answers: asked.map(([kind, value]) => ({ key: kind.toLowerCase(), value })) });
  const { response } = await forms.api.gql('query ($id: ID!) { response(id: $id) { answers { value text number choices { id } } } }', { id: responseId }, forms.token);
  expect(response.answers).toEqual(asked.map(([kind, , value, text]) => ({ value, text, number: kind === 'RATING' ? 4 : null, choices: [] })));
});

test('500 questions are taken with 500 answers, and 1,000 choices are taken and answered', async () => {
  const many = Array.from({ length: 500 }, (_, index) => ({ key: `q${index}`, text: `Q${index}`, kind: 'INTEGER', required: true }));
  const { id } = await forms.createForm({ questions: many });
  expect(await forms.submit(id, { answers: many.map(({ key }, value) => ({ key, value })) })).toMatch(/^resp_/);
  const choices = Array.from({ length: 1_000 }, (_, index) => ({ text: `C${index}` }));
  const choosing = await forms.createForm({ questions: [{ key: 'q', text: 'Q', kind: 'MULTIPLE_CHOICE', choices }] });
  expect(await forms.submit(choosing.id, { answers: [{ key: 'q', value: choices.map(({ text }) => text) }] })).toMatch(/^resp_/);
  await expect(faultsOf({ kind: 'SINGLE_CHOICE', choices: [...choices, { text: 'one more' }] })).rejects.toThrow('choices" has 1001');
});

test('a response makes an event of 1,000,000 bytes at most, and one byte more is too many', async () => {
  const keys = Array.from({ length: 11 }, (_, index) => `q${index}`);
  const { id } = await forms.createForm({ questions: keys.map((key) => ({ key, text: key, kind: 'LONG_TEXT' })) });
  // each text is in the event twice, as value and as text; the metadata of one answer fills up byte by byte
  const answersOf = (filler: number) => keys.map((key, index) => ({ key, value: 'x'.repeat(index < 10 ? 45_000 : 100), metadata: index === 10 ? { f: 'x'.repeat(filler) } : { f: 'x'.repeat(8_000) } }));
  const over = await forms.run('submitResponse', { formId: id, answers: answersOf(60_000) }, { selection: 'response { id }' });
  expect(over).toMatchObject({ response: null, errors: [{ code: 'TOO_MANY', path: ['answers'] }] });
  const bytes = Number(/event of (\d+) bytes/.exec(over.errors[0].message)?.[1]);
  const filler = 60_000 - (bytes - 1_000_000);
  expect(await forms.submit(id, { answers: answersOf(filler + 1) })).toBe('TOO_MANY answers');
  expect(await forms.submit(id, { answers: answersOf(filler) })).toMatch(/^resp_/);
});
