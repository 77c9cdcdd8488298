import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Json } from '../../src/events/canonical-json.ts';
import { newId } from '../../src/events/id.ts';
import type { FormDefinition, QuestionDefinition, QuestionKind } from '../../src/forms/form-definition.ts';
import { compileForm } from '../../src/responses/compile-form.ts';
import { validateAnswers } from '../../src/responses/validate.ts';
import { question } from '../support/question.ts';

const ask = (key: string, kind: QuestionKind, visibleWhen?: string, more: Partial<Omit<QuestionDefinition, 'choices'>> = {}) =>
  question(kind, { key, ...(visibleWhen !== undefined && { visibleWhen }), ...more });
const validate = (definition: FormDefinition, answers: Record<string, Json>) =>
  validateAnswers(compileForm(definition), Object.entries(answers).map(([key, value]) => ({ key, value })));
/** The keys that are stored, or the faults: codes with the keys of their answers. */
const outcome = (definition: FormDefinition, answers: Record<string, Json>) => {
  const result = validate(definition, answers);
  const keys = Object.keys(answers);
  if ('faults' in result) return result.faults.map(({ code, path }) => `${code} ${path[1] === undefined ? '' : keys[Number(path[1])]}`.trim());
  return definition.questions.filter(({ id }) => result.answers[id]).map(({ key }) => key);
};
const form = (...questions: QuestionDefinition[]): FormDefinition => ({ title: 'A form', questions });

test('a question whose condition is not true takes no answer, and requires none', () => {
  const smoking = form(ask('smoker', 'BOOLEAN'), ask('since', 'INTEGER', 'smoker', { required: true }));
  expect(outcome(smoking, { smoker: true, since: 2001 })).toEqual(['smoker', 'since']);
  expect(outcome(smoking, { smoker: true })).toEqual(['ANSWER_REQUIRED']);
  expect(outcome(smoking, { smoker: true, since: null })).toEqual(['ANSWER_REQUIRED since']);
  for (const answers of [{ smoker: false }, {}, { smoker: false, since: null }]) expect(outcome(smoking, answers as Record<string, Json>)).toEqual('smoker' in answers ? ['smoker'] : []);
  expect(outcome(smoking, { smoker: false, since: 2001 })).toEqual(['ANSWER_HIDDEN since']);
  expect(outcome(smoking, { since: 2001 })).toEqual(['ANSWER_HIDDEN since']);
});

test('the refusal of a hidden answer says which condition, at the answer', () => {
  const section = { id: newId('sec'), title: 'Health', description: null, visibleWhen: 'age > 17', metadata: {} };
  const asked: FormDefinition = { ...form(ask('age', 'INTEGER'), ask('smoker', 'BOOLEAN', undefined, { sectionId: section.id }), ask('since', 'INTEGER', 'smoker == true')), sections: [section] };
  expect(validate(asked, { age: 3, since: 1, smoker: true })).toEqual({
    faults: [
      { code: 'ANSWER_HIDDEN', message: 'smoker takes no answer here: its section "Health" is asked only where age > 17', path: ['answers', 2] },
      { code: 'ANSWER_HIDDEN', message: 'since takes no answer here: it is asked only where smoker == true', path: ['answers', 1] },
    ],
  });
});

test('an answer to a hidden question counts as not given: what depends on it is hidden too', () => {
  const chain = form(ask('a', 'BOOLEAN'), ask('b', 'BOOLEAN', 'a'), ask('c', 'BOOLEAN', 'b == true || b == false'), ask('d', 'BOOLEAN', 'b == null'));
  expect(outcome(chain, { a: true, b: false, c: true })).toEqual(['a', 'b', 'c']);
  expect(outcome(chain, { a: false, b: true, c: true })).toEqual(['ANSWER_HIDDEN b', 'ANSWER_HIDDEN c']);
  expect(outcome(chain, { a: false, d: true })).toEqual(['a', 'd']);
});

test('one wrong answer is one fault: what depends on it is not judged', () => {
  const asked = form(ask('age', 'INTEGER', undefined, { required: true }), ask('adult', 'TEXT', 'age > 17', { required: true }), ask('child', 'TEXT', 'age <= 17', { required: true }), ask('toy', 'INTEGER', 'child == "x"'));
  expect(outcome(asked, { age: 'old', adult: 'x' })).toEqual(['ANSWER_INVALID age']);
  expect(outcome(asked, { age: 'old', toy: 'y' })).toEqual(['ANSWER_INVALID age', 'ANSWER_INVALID toy']);
});

test('choices are read by their texts, whether they come by id, text or translation', () => {
  const city = question('SINGLE_CHOICE', { key: 'city', choices: ['Pune', 'Delhi'] });
  const lived = question('MULTIPLE_CHOICE', { key: 'lived', choices: ['Pune', 'Delhi'] });
  for (const choice of [...city.choices, ...lived.choices]) choice.translations = [{ locale: 'hi', text: choice.text === 'Pune' ? 'पुणे' : 'दिल्ली' }];
  const asked = form(city, lived, ask('x', 'TEXT', 'city == "Pune" && "Delhi" in lived && size(lived) == 1'));
  for (const value of ['Pune', 'पुणे', city.choices[0]!.id]) {
    for (const list of ['Delhi', 'दिल्ली', lived.choices[1]!.id]) expect(outcome(asked, { city: value, lived: [list], x: 'x' })).toEqual(['city', 'lived', 'x']);
  }
  expect(outcome(asked, { city: 'Pune', lived: [], x: 'x' })).toEqual(['ANSWER_HIDDEN x']);
});

test('a translated text names its question or choice unless another has it, and an own text always means its own', () => {
  const hi = (text: string) => [{ locale: 'hi', text }];
  const asked = form(ask('a', 'TEXT', undefined, { text: 'Name', translations: hi('नाम') }), ask('b', 'TEXT', undefined, { text: 'Title', translations: hi('Name') }), ask('c', 'TEXT', undefined, { text: 'C', translations: hi('same') }), ask('d', 'TEXT', undefined, { text: 'D', translations: hi('same') }));
  const byText = (text: string) => {
    const result = validateAnswers(compileForm(asked), [{ question: text, value: 'x' }]);
    return 'faults' in result ? result.faults[0]?.code : asked.questions.find(({ id }) => result.answers[id])?.key;
  };
  expect(['नाम', 'Name', 'Title', 'same', 'other'].map(byText)).toEqual(['a', 'a', 'b', 'QUESTION_AMBIGUOUS', 'QUESTION_UNKNOWN']);
  const colour = question('SINGLE_CHOICE', { key: 'q', choices: ['Red', 'Rot', 'Blue', 'Azure'] });
  for (const [index, text] of ['Rot', 'Red', 'Blau', 'Blau'].entries()) colour.choices[index]!.translations = [{ locale: 'de', text }];
  const chosen = (text: string) => {
    const result = validate(form(colour), { q: text });
    return 'faults' in result ? result.faults[0]?.code : colour.choices.find(({ id }) => result.answers[colour.id]?.value === id)?.text;
  };
  expect(['Red', 'Rot', 'Blue', 'Blau'].map(chosen)).toEqual(['Red', 'Rot', 'Blue', 'ANSWER_INVALID']);
});

/** A condition as it is thought of, beside how CEL writes it. */
type Condition =
  | { is: 'compare'; place: number; operator: '<' | '>=' | '==' | '!='; than: number }
  | { is: 'true' | 'missing'; place: number }
  | { is: 'not'; of: Condition }
  | { is: 'and' | 'or'; both: [Condition, Condition] };

const keyOf = (place: number) => `q${place}`;
function written(condition: Condition): string {
  switch (condition.is) {
    case 'compare': return `${keyOf(condition.place)} ${condition.operator} ${condition.than}`;
    case 'true': return `${keyOf(condition.place)} == 1`;
    case 'missing': return `${keyOf(condition.place)} == null`;
    case 'not': return `!(${written(condition.of)})`;
    case 'and': return `(${written(condition.both[0])}) && (${written(condition.both[1])})`;
    case 'or': return `(${written(condition.both[0])}) || (${written(condition.both[1])})`;
  }
}
/** undefined: it cannot be told. */
function meant(condition: Condition, answers: (number | undefined)[]): boolean | undefined {
  switch (condition.is) {
    case 'missing': return answers[condition.place] === undefined;
    case 'true': return answers[condition.place] === undefined ? undefined : answers[condition.place] === 1;
    case 'compare': {
      const value = answers[condition.place];
      if (value === undefined) return undefined;
      return { '<': value < condition.than, '>=': value >= condition.than, '==': value === condition.than, '!=': value !== condition.than }[condition.operator];
    }
    case 'not': {
      const value = meant(condition.of, answers);
      return value === undefined ? undefined : !value;
    }
    case 'and': case 'or': {
      const values = condition.both.map((one) => meant(one, answers));
      const decisive = condition.is === 'or';
      if (values.includes(decisive)) return decisive;
      return values.includes(undefined) ? undefined : !decisive;
    }
  }
}

const count = 8;
const conditionBefore = (place: number) =>
  fc.letrec<{ condition: Condition }>((tie) => {
    const at = fc.nat(place - 1);
    return {
      condition: fc.oneof({ maxDepth: 3, withCrossShrink: true },
        fc.record({ is: fc.constant('compare' as const), place: at, operator: fc.constantFrom('<' as const, '>=' as const, '==' as const, '!=' as const), than: fc.nat(3) }),
        fc.record({ is: fc.constantFrom('true' as const, 'missing' as const), place: at }),
        fc.record({ is: fc.constant('not' as const), of: tie('condition') }),
        fc.record({ is: fc.constantFrom('and' as const, 'or' as const), both: fc.tuple(tie('condition'), tie('condition')) })),
    };
  }).condition;
const some = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined });

test('whatever the conditions and answers, exactly what is asked is taken and required', () => {
  const random = fc.record({
    conditions: fc.tuple(...Array.from({ length: count }, (_, place) => (place === 0 ? fc.constant(undefined) : some(conditionBefore(place))))),
    required: fc.array(fc.boolean(), { minLength: count, maxLength: count }),
    section: fc.integer({ min: 1, max: count - 1 }).chain((from) => fc.record({ from: fc.constant(from), to: fc.integer({ min: from, max: count }), condition: some(conditionBefore(from)) })),
    answers: fc.array(some(fc.nat(3)), { minLength: count, maxLength: count }),
  });
  fc.assert(
    fc.property(random, ({ conditions, required, section, answers }) => {
      const sectionId = newId('sec');
      const isIn = (place: number) => place >= section.from && place < section.to;
      const questions = conditions.map((condition, place) => ask(keyOf(place), 'INTEGER', condition && written(condition), { required: required[place] ?? false, ...(isIn(place) && { sectionId }) }));
      const sections = [{ id: sectionId, title: 'S', description: null, metadata: {}, ...(section.condition && { visibleWhen: written(section.condition) }) }];
      const given = Object.fromEntries(answers.flatMap((value, place) => (value === undefined ? [] : [[keyOf(place), value]])));

      const counting: (number | undefined)[] = [];
      const expected = { taken: [] as string[], faults: [] as string[] };
      for (const [place, condition] of conditions.entries()) {
        const isAsked = (!condition || meant(condition, counting) === true) && (!isIn(place) || !section.condition || meant(section.condition, counting) === true);
        counting.push(isAsked ? answers[place] : undefined);
        if (isAsked && answers[place] !== undefined) expected.taken.push(keyOf(place));
        if (isAsked && answers[place] === undefined && required[place]) expected.faults.push('ANSWER_REQUIRED');
        if (!isAsked && answers[place] !== undefined) expected.faults.push(`ANSWER_HIDDEN ${keyOf(place)}`);
      }
      expect(outcome({ title: 'T', questions, sections }, given)).toEqual(expected.faults.length > 0 ? expected.faults : expected.taken);
    }),
    { numRuns: 1_000 },
  );
});
