import { expect, test } from 'vitest';
import { newId } from '../../src/events/id.ts';
import { scopeReader } from '../../src/responses/answer-values.ts';
import { definitionOf, question } from '../support/question.ts';

test('answers read by their keys, choices by their texts; what the form does not ask any more is left out', () => {
  const city = question('SINGLE_CHOICE', { key: 'city', choices: ['Pune', 'Delhi'] });
  const uses = question('MULTIPLE_CHOICE', { key: 'uses', choices: ['Bus', 'Car'] });
  const [age, open] = [question('INTEGER', { key: 'age' }), question('TEXT', { key: 'open' })];
  const answers = {
    [city.id]: { value: city.choices[1]!.id }, [uses.id]: { value: uses.choices.map(({ id }) => id) }, [age.id]: { value: 0 }, [newId('q')]: { value: 'gone' },
  };
  expect(scopeReader(definitionOf(city, uses, age, open))(answers)).toEqual(new Map<string, unknown>([['city', 'Delhi'], ['uses', ['Bus', 'Car']], ['age', 0]]));
});
