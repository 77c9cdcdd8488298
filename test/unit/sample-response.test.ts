import { describe, expect, test } from 'vitest';
import { newId } from '../../src/events/id.ts';
import { questionKinds } from '../../src/forms/form-definition.ts';
import { compileForm } from '../../src/responses/compile-form.ts';
import { sampleAnswer, sampleResponse } from '../../src/responses/sample-response.ts';
import { validateAnswers } from '../../src/responses/validate.ts';
import { definitionOf, question } from '../support/question.ts';

describe('a made-up response', () => {
  test.for(questionKinds)('answers a question of the kind %s as it would be stored', (kind) => {
    const asked = question(kind, { choices: kind.endsWith('CHOICE') ? ['One', 'Two', 'Three'] : [], ...(kind === 'RATING' && { min: 1, max: 5 }) });
    const value = sampleAnswer(asked);
    expect(validateAnswers(compileForm(definitionOf(asked)), [{ key: asked.key, value }])).toEqual({ answers: { [asked.id]: { value } } });
  });

  test('keeps to bounds of numbers and times', () => {
    expect([sampleAnswer(question('INTEGER', { min: 10 })), sampleAnswer(question('DECIMAL', { max: -1.5 }))]).toEqual([10, -1.5]);
    expect(sampleAnswer(question('DATE', { constraints: { earliest: '2030-01-01' } }))).toBe('2030-01-01');
    expect(sampleAnswer(question('DATE', { constraints: { latest: '2001-01-01' } }))).toBe('2001-01-01');
  });

  test('answers every question', () => {
    const questions = [question('TEXT', { key: 'a' }), question('BOOLEAN', { key: 'b' })];
    const { answers } = sampleResponse({ formId: newId('form'), version: 2, definition: definitionOf(...questions) });
    expect(Object.keys(answers)).toEqual(questions.map(({ id }) => id));
  });
});
