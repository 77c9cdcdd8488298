import fc from 'fast-check';
import { expect, test } from 'vitest';
import { buildSchema } from '../../src/api/schema.ts';
import type { Json } from '../../src/events/canonical-json.ts';
import { choiceMembers, fileMembers, questionMembers, sectionMembers } from '../../src/forms/definition-members.ts';
import { readDraft } from '../../src/forms/file-draft.ts';
import { changesBetween } from '../../src/forms/form-changes.ts';
import { questionKinds, type FormDefinition } from '../../src/forms/form-definition.ts';
import { createInputFaults } from '../../src/forms/input-faults.ts';
import { copied, redefined } from '../../src/forms/redefine.ts';
import { writeFormFile } from '../../src/forms/write-form-file.ts';
import { UserError } from '../../src/user-error.ts';

const now = new Date('2026-11-21T00:00:00Z');
const empty: FormDefinition = { title: '', questions: [] };
const reread = (value: unknown): Json => JSON.parse(JSON.stringify(value)) as Json;

/** Imports a file over a definition and exports what has come of it. */
function imported(file: Json, over: FormDefinition = empty) {
  const faults = createInputFaults();
  const { frame, draft } = readDraft(file, faults);
  const definition = redefined(over, draft, { faults, now });
  faults.throwIfAny();
  return { frame, definition, file: reread(writeFormFile(frame, definition)) };
}

function faultsOf(file: unknown): string[] {
  try {
    imported(file as Json);
  } catch (error) {
    if (error instanceof UserError) return error.faults.map(({ code, path }) => `${code} ${path.join('.')}`);
    throw error;
  }
  return [];
}

const household = {
  formwire: 1,
  title: 'Household',
  titleTranslations: [{ locale: 'hi', text: 'घर' }],
  description: 'Who lives here?',
  descriptionTranslations: [{ locale: 'hi', text: 'कौन?' }],
  email: 'survey@example.org',
  metadata: { wave: 3 },
  questions: [
    { key: 'age', text: 'How old are you?', translations: [{ locale: 'hi', text: 'आयु?' }], kind: 'INTEGER', required: true, min: 0, max: 130 },
    {
      title: 'Work', titleTranslations: [{ locale: 'hi', text: 'काम' }], description: 'Paid work', descriptionTranslations: [{ locale: 'hi', text: 'वेतन' }],
      visibleWhen: 'age >= 16', metadata: { page: 2 },
      questions: [
        { key: 'job', text: 'Which?', kind: 'SINGLE_CHOICE', choices: [{ text: 'Farm', translations: [{ locale: 'hi', text: 'खेत' }], metadata: { code: 1 } }, { text: 'Shop' }] },
        { key: 'since', text: 'Since?', kind: 'DATE', visibleWhen: 'job == "Farm"', earliest: '1950-01-01', latest: '2026-12-31' },
      ],
    },
    { key: 'code', text: 'Code', kind: 'TEXT', minLength: 2, maxLength: 9, pattern: '[a-z]+', metadata: { a: 1 } },
    { title: 'Later', questions: [] },
    { title: 'End', questions: [{ key: 'share', text: 'Share', kind: 'DECIMAL', decimals: 2 }] },
  ],
};

test('a file comes back as it went in, with the same members in the same order', () => {
  expect(JSON.stringify(imported(household).file, null, 1)).toBe(JSON.stringify(household, null, 1));
});

test('what says nothing is left out', () => {
  const spelled = { formwire: 1, title: 'T', description: null, metadata: {}, questions: [{ key: 'q', text: 'Q', kind: 'TEXT', required: false, min: null, choices: [], translations: [], metadata: {} }] };
  expect(imported(spelled).file).toEqual({ formwire: 1, title: 'T', questions: [{ key: 'q', text: 'Q', kind: 'TEXT' }] });
});

const metadata = fc.option(fc.dictionary(fc.constantFrom('b', 'a', '10', '__proto__'), fc.oneof(fc.integer(), fc.string({ unit: 'grapheme' }).map((text) => text.replaceAll('\u0000', '')), fc.constant(null)), { noNullPrototype: true }), { nil: undefined });
const words = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 12 }).map((text) => `x${text.toWellFormed().replaceAll('\u0000', '')}`);
const translations = fc.option(fc.uniqueArray(fc.constantFrom('hi', 'pt-BR', 'de'), { minLength: 1 }).chain((locales) => fc.tuple(...locales.map((locale) => fc.record({ locale: fc.constant(locale), text: words })))), { nil: undefined });
const bounds: Record<string, fc.Arbitrary<object>> = {
  INTEGER: fc.constantFrom({ min: -3, max: 9 }, { min: 0 }, {}),
  DECIMAL: fc.constantFrom({ decimals: 2, min: -0.5 }, {}),
  RATING: fc.constantFrom({ max: 10 }, {}),
  TEXT: fc.constantFrom({ pattern: 'a+', maxLength: 9 }, {}),
  DATE: fc.constantFrom({ earliest: '2020-01-01' }, {}),
  TIME: fc.constantFrom({ earliest: '07:45', latest: '08:00:30' }, {}),
  DATE_TIME: fc.constantFrom({ latest: '2026-11-21T02:15:00+05:30' }, {}),
};
const someQuestion = fc.constantFrom(...questionKinds).chain((kind) =>
  fc.record({
    text: words, translations, kind: fc.constant(kind), required: fc.option(fc.boolean(), { nil: undefined }), metadata,
    choices: kind.endsWith('_CHOICE')
      ? fc.uniqueArray(words, { minLength: 1, maxLength: 4 }).chain((texts) => fc.tuple(...texts.map((text) => fc.record({ text: fc.constant(text), metadata, translations }))))
      : fc.constant(undefined),
    bounds: bounds[kind] ?? fc.constant({}),
  }).map(({ bounds: ofKind, ...question }) => ({ ...question, ...ofKind })),
);
const someSection = fc.record({ title: words, titleTranslations: translations, description: fc.option(words, { nil: undefined }), metadata, questions: fc.array(someQuestion, { maxLength: 3 }) });
/** A file as somebody could write it, with keys by the questions' places. */
const someFile = fc
  .record({ title: words, titleTranslations: translations, description: fc.option(words, { nil: undefined }), descriptionTranslations: translations, metadata, entries: fc.array(fc.oneof(someQuestion, someSection), { maxLength: 6 }) })
  .map(({ entries, ...form }) => {
    let count = 0;
    const keyed = (question: object) => ({ key: `k${(count += 1)}`, ...question });
    return reread({ formwire: 1, ...form, questions: entries.map((entry) => ('questions' in entry ? { ...entry, questions: entry.questions.map(keyed) } : keyed(entry))) });
  });

test('what was exported, imported and exported again is the same text', () => {
  fc.assert(
    fc.property(someFile, (file) => {
      const once = imported(file).file;
      expect(JSON.stringify(imported(once).file)).toBe(JSON.stringify(once));
    }),
  );
});

test('a file that says what the form is already gives the very same definition', () => {
  fc.assert(
    fc.property(someFile, (file) => {
      const { definition, file: exported } = imported(file);
      const stored = reread(definition) as unknown as FormDefinition;
      expect(imported(exported, stored).definition).toBe(stored);
    }),
  );
});

test('whatever a form was, a file makes it what the file says', () => {
  fc.assert(
    fc.property(someFile, someFile, (before, after) => {
      const { definition } = imported(before);
      const result = imported(after, definition);
      expect(result.file).toEqual(imported(after).file);
      const ids = result.definition.questions.map(({ id }) => id);
      expect(new Set(ids).size).toBe(ids.length);
    }),
  );
});

test('a copy exports the same, and shares no id', () => {
  fc.assert(
    fc.property(someFile, (file) => {
      const { frame, definition, file: exported } = imported(file);
      const copy = copied(definition, now);
      expect(reread(writeFormFile(frame, copy))).toEqual(exported);
      const old = new Set(JSON.stringify(definition).match(/"(?:q|ch|sec)_[0-9a-z]{26}"/g));
      expect((JSON.stringify(copy).match(/"(?:q|ch|sec)_[0-9a-z]{26}"/g) ?? []).filter((id) => old.has(id))).toEqual([]);
    }),
  );
});

test('questions are the same by their keys, choices by their texts, sections by their titles or questions', () => {
  const { definition } = imported(household);
  const [age, work, ...rest] = household.questions as [object, { questions: { choices?: object[] }[] }, ...object[]];
  const file = {
    ...household,
    questions: [{ ...work, title: 'Paid work', visibleWhen: null, questions: [{ ...work.questions[0], choices: [{ text: 'Shop' }, { text: 'Office' }] }] }, { ...age, text: 'Age?' }, ...rest],
  };
  const changed = imported(reread(file), definition).definition;
  expect(changesBetween(definition, changed).map((change) => `${change.kind} ${'fields' in change ? change.fields.map(({ name }) => name).join() : ''}`.trim())).toEqual([
    'SECTION_CHANGED title,visibleWhen', 'QUESTION_REMOVED', 'CHOICE_REMOVED', 'CHOICE_ADDED', 'QUESTION_MOVED', 'QUESTION_CHANGED text',
  ]);
});

test('all faults of a file are told at once, each with its path', () => {
  expect(
    faultsOf({
      formwire: 1, title: 7, colour: 'red', email: 'nobody',
      questions: [
        { key: 'a', text: 'A', kind: 'TEXT', id: 'q_1', min: 1 },
        { key: 'a', text: ' ', kind: 'TEXT' },
        { text: 'no key', kind: 'COLOUR', required: 'yes' },
        'text',
        { key: 'c', text: 'C', kind: 'SINGLE_CHOICE', choices: [{ text: 'x', id: 'ch_1' }, { text: 'x' }, {}] },
        { title: 'S', key: 's', questions: [{ key: 'Not a key', text: 'T', kind: 'TEXT', translations: [{ locale: 'hi' }] }, { key: 'n', text: 'N', kind: 'TEXT', questions: [] }] },
        { title: '', questions: {} },
        { key: 'p', text: 'P', kind: 'TEXT', pattern: '(', metadata: { deep: 'no\u0000' } },
      ],
    }).toSorted(),
  ).toEqual(
    [
      'INVALID_INPUT title', 'INVALID_INPUT colour',
      'INVALID_INPUT questions.0.id', 'INVALID_INPUT questions.0.min',
      'INVALID_INPUT questions.1.text', 'TAKEN questions.1.key',
      'INVALID_INPUT questions.2.key', 'INVALID_INPUT questions.2.kind', 'INVALID_INPUT questions.2.required',
      'INVALID_INPUT questions.3',
      'INVALID_INPUT questions.4.choices.0.id', 'INVALID_INPUT questions.4.choices.1.text', 'INVALID_INPUT questions.4.choices.2.text',
      'INVALID_INPUT questions.5.key', 'INVALID_INPUT questions.5.questions.0.key', 'INVALID_INPUT questions.5.questions.0.translations', 'INVALID_INPUT questions.5.questions.1.questions',
      'INVALID_INPUT questions.6.title', 'INVALID_INPUT questions.6.questions',
      'INVALID_INPUT questions.7.pattern', 'INVALID_INPUT questions.7.metadata.deep',
    ].toSorted(),
  );
});

test('what is no file, or one of another format, is told as that and nothing else', () => {
  for (const file of [null, [], 'text', JSON.stringify(household), 7]) expect(faultsOf(file)).toEqual(['INVALID_INPUT ']);
  for (const formwire of [2, '1', null, undefined, { a: 1 }]) expect(faultsOf({ ...household, formwire, colour: 'red' })).toEqual(['INVALID_INPUT formwire']);
  expect(faultsOf({ formwire: 1, title: 'T' })).toEqual(['INVALID_INPUT questions']);
});

test('a condition that reads what is not asked before is told where it stands', () => {
  const file = { formwire: 1, title: 'T', questions: [{ title: 'S', visibleWhen: 'later', questions: [{ key: 'q', text: 'Q', kind: 'BOOLEAN', visibleWhen: 'q' }] }, { key: 'later', text: 'L', kind: 'BOOLEAN' }] };
  expect(faultsOf(file)).toEqual(['INVALID_INPUT questions.0.visibleWhen', 'INVALID_INPUT questions.0.questions.0.visibleWhen']);
});

test('names that no JSON should have are refused, and never built upon', () => {
  expect(faultsOf(JSON.parse('{"formwire":1,"title":"T","questions":[],"__proto__":{},"constructor":1,"no\\u0000":2}'))).toEqual(['INVALID_INPUT __proto__', 'INVALID_INPUT constructor', 'INVALID_INPUT ']);
  expect(faultsOf({ formwire: 1, title: 'T', questions: [], ['n'.repeat(5_000)]: 1 })[0]?.length).toBeLessThan(200);
});

test('a file with more questions than a form can have is told so, and of very many faults the first', () => {
  expect(faultsOf({ formwire: 1, title: 'T', questions: Array.from({ length: 501 }, (_, index) => ({ key: `k${index}`, text: 'Q', kind: 'TEXT' })) })).toEqual(['INVALID_INPUT questions']);
  expect(faultsOf({ formwire: 1, title: 'T', questions: Array.from({ length: 500 }, () => ({})) })).toHaveLength(500);
});

test('files and changes know every member that an input has', () => {
  const schema = buildSchema();
  const fieldsOf = (name: string): string[] => {
    const type = schema.getType(name);
    return type && 'getFields' in type ? Object.keys(type.getFields()) : [];
  };
  // what a file does not keep: where and when a form takes responses; and what it says in another way
  const elsewhere = ['status', 'opensAt', 'closesAt', 'maxResponses', 'oneResponsePer', 'questions', 'sections'];
  expect(fieldsOf('CreateFormInput').filter((name) => !elsewhere.includes(name)).toSorted()).toEqual(Object.keys(fileMembers).toSorted());
  expect(fieldsOf('SectionInput').toSorted()).toEqual(Object.keys(sectionMembers).toSorted());
  expect(fieldsOf('QuestionInput').filter((name) => name !== 'choices' && name !== 'sectionId').toSorted()).toEqual(Object.keys(questionMembers).toSorted());
  expect(fieldsOf('ChoiceInput').filter((name) => name !== 'id').toSorted()).toEqual(Object.keys(choiceMembers).toSorted());
});
