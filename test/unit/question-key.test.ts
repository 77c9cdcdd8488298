import fc from 'fast-check';
import { expect, test } from 'vitest';
import { isQuestionKey, makeQuestionKey } from '../../src/forms/question-key.ts';

const key = (text: string, taken: string[] = []) => makeQuestionKey(text, new Set(taken));

test('a key is the text in snake case, without accents', () => {
  expect(key('What is the monthly income?')).toBe('what_is_the_monthly_income');
  expect(key('  Größe & Gewicht – Łódź  ')).toBe('grosse_gewicht_lodz');
  expect(key('Crème brûlée?')).toBe('creme_brulee');
});

test('a key begins with a letter, whatever the text', () => {
  expect(key('2nd name')).toBe('q_2nd_name');
  expect(key('你叫什么名字？')).toBe('question');
  expect(key('___')).toBe('question');
});

test('a name that is taken gets a number, also where it is as long as can be', () => {
  expect(key('Age', ['age'])).toBe('age_2');
  expect(key('Age', ['age', 'age_2'])).toBe('age_3');
  const long = 'a'.repeat(64);
  expect(key('a'.repeat(80), [long])).toBe(`${'a'.repeat(62)}_2`);
});

test('whatever the text, the key is a key and is free', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 80 }), fc.array(fc.string(), { maxLength: 5 }), (text, others) => {
      const first = makeQuestionKey(text, new Set(others));
      const second = makeQuestionKey(text, new Set([...others, first]));
      return isQuestionKey(first) && isQuestionKey(second) && first !== second && !others.includes(first);
    }),
  );
});
