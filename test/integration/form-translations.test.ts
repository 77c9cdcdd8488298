import { afterAll, beforeAll, expect, test } from 'vitest';
import { formLimits } from '../../src/forms/form-limits.ts';
import { startFormsApi, type FormsApi } from '../support/forms-api.ts';

let forms: FormsApi;
beforeAll(async () => void (forms = await startFormsApi()));
afterAll(() => forms[Symbol.asyncDispose]());

type Members = Record<string, unknown>;
const into = (texts: Record<string, string>) => Object.entries(texts).map(([locale, text]) => ({ locale, text }));
const read = async (id: string, selection: string) =>
  (await forms.api.gql(`query ($id: ID!) { node(id: $id) { ... on ${id.startsWith('q_') ? 'Question' : 'Form'} { ${selection} } } }`, { id })).node;
const run = (name: string, input: Members, selection = 'form { id version locales }') => forms.run(name, input, { selection });
const pathsOf = async (input: Members) => (await run('createForm', { title: 'T', questions: [], ...input })).errors.map(({ code, path }: { code: string; path: string[] }) => `${code} ${path.join('.')}`);
const choosing = (more: Members = {}) => ({ key: 'city', text: 'City', kind: 'SINGLE_CHOICE', choices: [{ text: 'Pune', translations: into({ hi: 'पुणे' }) }, { text: 'Delhi' }], ...more });

test('texts are read in a locale: exactly, or in its language, or as the form has them', async () => {
  const { id, questions } = await forms.createForm({
    title: 'Survey', titleTranslations: into({ hi: 'सर्वेक्षण', 'zh-hant': '調查' }), description: 'About it', descriptionTranslations: into({ 'pt-BR': 'Sobre' }),
    questions: [choosing({ translations: into({ hi: 'शहर', 'hi-IN': 'नगर' }) })],
  }, 'id questions { id }');
  expect(await read(id, 'title a: title(locale: "hi-IN") b: title(locale: "zh-Hant-TW") c: title(locale: "zh") d: title(locale: "hi-in-u-nu-latn") description e: description(locale: "pt-br") f: description(locale: "pt") locales titleTranslations { locale text }')).toEqual({
    title: 'Survey', a: 'सर्वेक्षण', b: '調查', c: 'Survey', d: 'सर्वेक्षण', description: 'About it', e: 'Sobre', f: 'About it', locales: ['hi', 'hi-IN', 'pt-BR', 'zh-Hant'], titleTranslations: into({ hi: 'सर्वेक्षण', 'zh-Hant': '調查' }),
  });
  const texts = 'text a: text(locale: "hi-IN") b: text(locale: "hi-Latn") choices { text a: text(locale: "hi-IN") translations { locale } } translations { locale text }';
  const asked = { text: 'City', a: 'नगर', b: 'शहर', choices: [{ text: 'Pune', a: 'पुणे', translations: [{ locale: 'hi' }] }, { text: 'Delhi', a: 'Delhi', translations: [] }], translations: into({ hi: 'शहर', 'hi-IN': 'नगर' }) };
  expect(await read(id, `questions { ${texts} }`)).toEqual({ questions: [asked] });
  expect(await read(questions[0].id, texts)).toEqual(asked);
  const { body } = await forms.api.post({ query: `{ form(id: "${id}") { title(locale: "no tag") } }` });
  expect(body.errors).toMatchObject([{ extensions: { code: 'INVALID_INPUT', faults: [{ path: ['locale'] }] } }]);
});

test('translations change with their form, question or choice, and say nothing new where they are the same', async () => {
  const { id, questions } = await forms.createForm({ titleTranslations: into({ hi: 'क' }), questions: [choosing({ translations: into({ hi: 'शहर' }) })] }, 'id questions { id }');
  const change = (input: Members) => run('updateQuestion', { id: questions[0].id, ...input });
  expect((await run('updateForm', { id, titleTranslations: into({ HI: 'क' }) })).form.version).toBe(1);
  expect((await change({ translations: into({ hi: 'शहर' }), choices: [{ text: 'Pune' }, { text: 'Delhi' }] })).form.version).toBe(1);
  expect((await run('updateForm', { id, titleTranslations: into({ de: 'K' }) })).form).toMatchObject({ version: 2, locales: ['de', 'hi'] });
  expect((await change({ choices: [{ text: 'Pune', translations: [] }, { text: 'Delhi' }] })).form).toMatchObject({ version: 3, locales: ['de', 'hi'] });
  expect((await change({ translations: null })).form).toMatchObject({ version: 4, locales: ['de'] });
  expect((await run('updateForm', { id, titleTranslations: null, descriptionTranslations: [] })).form).toMatchObject({ version: 5, locales: [] });
});

test('an answer by a translated text is taken, and everyone reads the form’s own', async () => {
  const { id } = await forms.createForm({ questions: [choosing({ translations: into({ hi: 'शहर' }) })] });
  const response = await forms.submit(id, { answers: [{ question: 'शहर', value: 'पुणे' }] });
  const { response: shown } = await forms.api.gql('query ($id: ID!) { response(id: $id) { answers { value text choices { text hi: text(locale: "hi") } question { text hi: text(locale: "hi") } } } }', { id: response }, forms.token);
  expect(shown.answers).toEqual([{ value: 'Pune', text: 'Pune', choices: [{ text: 'Pune', hi: 'पुणे' }], question: { text: 'City', hi: 'शहर' } }]);
});

test('faults of translations say where they are', async () => {
  expect(await pathsOf({ titleTranslations: into({ h: 'x', 'hi IN': 'x', [`a-${'x'.repeat(40)}`]: 'x' }) })).toEqual([0, 1, 2].map((index) => `INVALID_INPUT titleTranslations.${index}.locale`));
  expect(await pathsOf({ descriptionTranslations: [...into({ hi: ' ' }), ...into({ HI: 'x'.repeat(10_001) })] })).toEqual(['INVALID_INPUT descriptionTranslations.0.text', 'INVALID_INPUT descriptionTranslations.1.text', 'INVALID_INPUT descriptionTranslations.1.locale']);
  expect(await pathsOf({ questions: [choosing({ translations: into({ hi: 'x'.repeat(2_001) }), choices: [{ text: 'a', translations: into({ hi: 'x\u0000' }) }] })] })).toEqual([
    'INVALID_INPUT questions.0.translations.0.text', 'INVALID_INPUT questions.0.choices.0.translations.0.text',
  ]);
});

test('a form is translated into 50 languages and not one more', async () => {
  const locales = Array.from({ length: formLimits.locales + 1 }, (_, index) => `de-x-n${index}`);
  const first = into(Object.fromEntries(locales.slice(0, -1).map((locale) => [locale, 'x'])));
  expect(await pathsOf({ titleTranslations: first })).toEqual([]);
  expect(await pathsOf({ titleTranslations: into(Object.fromEntries(locales.map((locale) => [locale, 'x']))) })).toEqual(['INVALID_INPUT titleTranslations']);
  expect(await pathsOf({ titleTranslations: first, questions: [choosing({ translations: into({ [locales.at(-1) ?? '']: 'x' }) })] })).toEqual(['INVALID_INPUT questions']);
  const { id } = await forms.createForm({ titleTranslations: first });
  expect((await run('updateForm', { id, descriptionTranslations: into({ [locales.at(-1) ?? '']: 'x' }) })).errors).toMatchObject([{ code: 'INVALID_INPUT', path: [] }]);
});
