import { describe, expect, test } from 'vitest';
import type { Flag } from '../../src/events/flag.ts';
import { newId } from '../../src/events/id.ts';
import type { FormDefinition } from '../../src/forms/form-definition.ts';
import { responseEventData } from '../../src/responses/render.ts';
import type { StoredAnswers } from '../../src/responses/response.entity.ts';
import { definitionOf, question } from '../support/question.ts';

function rendered(definition: FormDefinition, answers: StoredAnswers, flags: Flag[] | null = null) {
  const id = newId('resp');
  const row = {
    id, formId: newId('form'), formVersion: 3, clientId: null, familyId: id, revision: 1, submittedAt: new Date(),
    answers, flags, respondent: {}, collector: {}, metadata: {},
  };
  return responseEventData({ row, definition });
}

describe('a rendered response', () => {
  test('says what rules had against it', () => {
    const flags: Flag[] = [{ rule: 'affordable', message: 'Too much.', keys: ['spent'], integrationId: newId('intg') }];
    expect(rendered(definitionOf(), {}, flags).response.flags).toEqual(flags);
    expect(rendered(definitionOf(), {}).response.flags).toEqual([]);
  });

  test('has its answers in the form’s order, whatever order they are stored in', () => {
    const [first, second, third] = [question('TEXT', { key: 'a' }), question('TEXT', { key: 'b' }), question('TEXT', { key: 'c' })];
    const data = rendered(definitionOf(first, second, third), { [third.id]: { value: '3' }, [first.id]: { value: '1' } });
    expect(data.response.answers.map((answer) => answer.key)).toEqual(['a', 'c']);
  });

  test('has choices by their texts, in value and text', () => {
    const uses = question('MULTIPLE_CHOICE', { choices: ['Bus', 'Car, own', 'Train'] });
    const city = question('SINGLE_CHOICE', { choices: ['Pune'] });
    const ids = uses.choices.slice(0, 2).map((choice) => choice.id);
    const data = rendered(definitionOf(uses, city), { [uses.id]: { value: ids }, [city.id]: { value: city.choices[0]?.id ?? '' } });
    expect(data.response.answers).toMatchObject([
      { value: ['Bus', 'Car, own'], text: 'Bus, Car, own', kind: 'MULTIPLE_CHOICE' },
      { value: 'Pune', text: 'Pune' },
    ]);
  });

  test.for([
    ['BOOLEAN', false, 'false'],
    ['INTEGER', -0, '0'],
    ['DECIMAL', 1e21, '1e+21'],
    ['DECIMAL', 0.1, '0.1'],
    ['TEXT', 'a\nb', 'a\nb'],
  ] as const)('says %s %j as the text %j', ([kind, value, text]) => {
    const asked = question(kind);
    expect(rendered(definitionOf(asked), { [asked.id]: { value } }).response.answers).toMatchObject([{ value, text }]);
  });

  test('has {} for an answer without metadata, and names the version it was answered against', () => {
    const asked = question('TEXT');
    const data = rendered(definitionOf(asked), { [asked.id]: { value: 'x' } });
    expect(data.response.answers[0]?.metadata).toEqual({});
    expect(data.form).toMatchObject({ title: 'A form', version: 3 });
  });
});
