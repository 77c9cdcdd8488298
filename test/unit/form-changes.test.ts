import fc from 'fast-check';
import { expect, test } from 'vitest';
import { changesBetween, type FormChange } from '../../src/forms/form-changes.ts';
import type { FormDefinition, QuestionDefinition } from '../../src/forms/form-definition.ts';
import { question } from '../support/question.ts';

const text = (key: string, details: Parameters<typeof question>[1] = {}): QuestionDefinition => question('TEXT', { key, text: `${key}?`, ...details });
const form = (...questions: QuestionDefinition[]): FormDefinition => ({ title: 'Form', questions });
const [a, b, c, d] = [text('a'), text('b'), text('c'), text('d')] as const;
const menu = question('SINGLE_CHOICE', { key: 'menu', choices: ['soup', 'salad', 'fish'] });
const [soup, salad, fish] = menu.choices as [Choice, Choice, Choice];
type Choice = QuestionDefinition['choices'][number];

/** A change in a line: what, which, and from where to where or from what to what. */
function line(change: FormChange): string {
  const subject = 'choice' in change ? `${change.question.key}/${change.choice.text}` : 'question' in change ? change.question.key : 'section' in change ? change.section.id : 'form';
  const place = 'from' in change || 'to' in change ? ` ${'from' in change ? change.from : ''}→${'to' in change ? change.to : ''}` : '';
  const fields = 'fields' in change ? change.fields.map(({ name, before, after }) => ` ${name} ${JSON.stringify(before)}→${JSON.stringify(after)}`).join() : '';
  return `${change.kind} ${subject}${place}${fields}`;
}
const changes = (before: FormDefinition, after: FormDefinition): string[] => changesBetween(before, after).map(line);

test('a form that is the same has no changes, whatever the times of its questions and the order of its metadata', () => {
  expect(changes(form(a), form({ ...a, updatedAt: 'later', createdAt: 'earlier' }))).toEqual([]);
  expect(changes(form({ ...a, metadata: { x: 1, y: { p: 1, q: 2 } } }), form({ ...a, metadata: { y: { q: 2, p: 1 }, x: 1 } }))).toEqual([]);
  expect(changes(form({ ...a, constraints: {} }), form(a))).toEqual([]);
});

test('a new title is a change of the form', () => {
  expect(changes(form(a), { ...form(a), title: 'New' })).toEqual(['FORM_CHANGED form title "Form"→"New"']);
});

test('questions are added and removed, and what makes way for them has not moved', () => {
  expect(changes(form(a, b), form(c, a, b))).toEqual(['QUESTION_ADDED c →0']);
  expect(changes(form(c, a, b), form(a, b))).toEqual(['QUESTION_REMOVED c 0→']);
  expect(changes(form(a, b), form(c, d))).toEqual(['QUESTION_REMOVED a 0→', 'QUESTION_REMOVED b 1→', 'QUESTION_ADDED c →0', 'QUESTION_ADDED d →1']);
});

test('a question that was removed and made again is another one', () => {
  expect(changes(form(a), form(text('a')))).toEqual(['QUESTION_REMOVED a 0→', 'QUESTION_ADDED a →0']);
});

test('a question carried from one end to the other is one move', () => {
  expect(changes(form(a, b, c, d), form(d, a, b, c))).toEqual(['QUESTION_MOVED d 3→0']);
  expect(changes(form(a, b, c, d), form(b, c, d, a))).toEqual(['QUESTION_MOVED a 0→3']);
  expect(changes(form(a, b), form(b, a))).toHaveLength(1);
  expect(changes(form(a, b, c), form(c, b, a))).toHaveLength(2);
});

test('a question changes in each of its members that has another value', () => {
  const before = text('a', { constraints: { maxLength: 10 } });
  const after = { ...before, key: 'z', required: true, constraints: { minLength: 2, pattern: '[a-z]+' }, metadata: { page: 1 } };
  expect(changes(form(before), form(after))).toEqual([
    'QUESTION_CHANGED z key "a"→"z", required false→true, minLength null→2, maxLength 10→null, pattern null→"[a-z]+", metadata {}→{"page":1}',
  ]);
});

test('a question can move and change at once', () => {
  expect(changes(form(a, b, c), form(b, c, { ...a, text: 'A!' }))).toEqual(['QUESTION_MOVED a 0→2', 'QUESTION_CHANGED a text "a?"→"A!"']);
});

test('choices are added, removed, renamed and moved', () => {
  const become = (...choices: Choice[]): string[] => changes(form(menu), form({ ...menu, choices }));
  expect(become(soup, salad, { ...soup, id: 'ch_new', text: 'rice' }, fish)).toEqual(['CHOICE_ADDED menu/rice →2']);
  expect(become(soup, fish)).toEqual(['CHOICE_REMOVED menu/salad 1→']);
  expect(become(soup, { ...salad, text: 'greens' }, fish)).toEqual(['CHOICE_CHANGED menu/greens text "salad"→"greens"']);
  expect(become(fish, soup, salad)).toEqual(['CHOICE_MOVED menu/fish 2→0']);
  expect(become(soup, { ...salad, metadata: { cold: true } }, fish)).toEqual(['CHOICE_CHANGED menu/salad metadata {}→{"cold":true}']);
});

test('a choice question that becomes a text loses its choices', () => {
  expect(changes(form(menu), form({ ...menu, kind: 'TEXT', choices: [] }))).toEqual([
    'QUESTION_CHANGED menu kind "SINGLE_CHOICE"→"TEXT"', 'CHOICE_REMOVED menu/soup 0→', 'CHOICE_REMOVED menu/salad 1→', 'CHOICE_REMOVED menu/fish 2→',
  ]);
});

test('sections are added, removed, moved and changed, and a question says which it went to', () => {
  const section = (name: string) => ({ id: `sec_${name}` as const, title: name, description: null, metadata: {} });
  const [work, home] = [section('work'), section('home')];
  const before = { ...form(a, { ...b, sectionId: work.id }), sections: [work, home] };
  expect(changes(before, { ...before, sections: [home, { ...work, title: 'Work', visibleWhen: 'a == "x"' }] })).toEqual([
    'SECTION_MOVED sec_home 1→0', 'SECTION_CHANGED sec_work title "work"→"Work", visibleWhen null→"a == \\"x\\""',
  ]);
  expect(changes(before, form(a, b))).toEqual(['SECTION_REMOVED sec_work 0→', 'SECTION_REMOVED sec_home 1→', 'QUESTION_CHANGED b sectionId "sec_work"→null']);
  expect(changes(form(a), { ...form(a), sections: [home] })).toEqual(['SECTION_ADDED sec_home →0']);
});

const opposite: Record<string, string> = { ADDED: 'REMOVED', REMOVED: 'ADDED', MOVED: 'MOVED', CHANGED: 'CHANGED' };
/** What undoes a change, without the things themselves, which each direction shows as it has them. */
const inverted = (change: FormChange): string =>
  JSON.stringify({
    kind: change.kind.replace(/[A-Z]+$/, (what) => opposite[what] ?? what),
    id: 'choice' in change ? change.choice.id : 'question' in change ? change.question.id : null,
    from: 'to' in change ? change.to : null,
    to: 'from' in change ? change.from : null,
    fields: 'fields' in change ? change.fields.map(({ name, before, after }) => ({ name, before: after, after: before })) : null,
  });
const plain = (change: FormChange): string =>
  JSON.stringify({
    kind: change.kind,
    id: 'choice' in change ? change.choice.id : 'question' in change ? change.question.id : null,
    from: 'from' in change ? change.from : null,
    to: 'to' in change ? change.to : null,
    fields: 'fields' in change ? change.fields : null,
  });

const pool = Array.from({ length: 8 }, (_, index) => text(`p${index}`));
const someForm = fc
  .shuffledSubarray(pool)
  .chain((questions) => fc.tuple(...questions.map((one) => fc.record({ one: fc.constant(one), required: fc.boolean(), max: fc.constantFrom(null, 1) }))))
  .map((drawn) => form(...drawn.map(({ one, required, max }) => ({ ...one, required, max }))));

test('the way back is the way there inverted', () => {
  fc.assert(
    fc.property(someForm, someForm, (one, other) => {
      expect(changesBetween(other, one).map(plain).toSorted()).toEqual(changesBetween(one, other).map(inverted).toSorted());
    }),
  );
});

test('moves are as few as possible: what did not move is in the same order in both', () => {
  fc.assert(
    fc.property(fc.shuffledSubarray(pool), fc.shuffledSubarray(pool), (one, other) => {
      const moved = new Set(changesBetween(form(...one), form(...other)).flatMap((change) => (change.kind === 'QUESTION_MOVED' ? [change.question] : [])));
      const common = one.filter((each) => other.includes(each));
      expect(common.filter((each) => !moved.has(each))).toEqual(other.filter((each) => one.includes(each) && !moved.has(each)));
      expect(common.length - moved.size).toBe(longestCommon(common, other.filter((each) => one.includes(each))));
    }),
  );
});

/** By trying every subset: what the quick way must agree with. */
function longestCommon(one: readonly QuestionDefinition[], other: readonly QuestionDefinition[]): number {
  let longest = 0;
  for (let mask = 0; mask < 1 << one.length; mask += 1) {
    const subset = one.filter((_, index) => mask & (1 << index));
    const inOther = other.filter((each) => subset.includes(each));
    if (subset.length > longest && subset.every((each, index) => each === inOther[index])) longest = subset.length;
  }
  return longest;
}
