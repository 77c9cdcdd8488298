import { newId, type Id } from '../events/id.ts';
import type { FormDefinition, QuestionDefinition } from '../forms/form-definition.ts';
import type { RenderedRow } from './render.ts';
import type { AnswerValue, StoredAnswers } from './response.entity.ts';

/** A made-up response to a form that answers each of its questions, to show what would become of a real one. */
export function sampleResponse({ formId, version, definition }: { formId: Id<'form'>; version: number; definition: FormDefinition }): RenderedRow {
  const id = newId('resp');
  const answers: StoredAnswers = {};
  for (const question of definition.questions) answers[question.id] = { value: sampleAnswer(question) };
  return {
    id, formId, answers,
    formVersion: version,
    clientId: 'sample',
    familyId: id,
    revision: 1,
    submittedAt: new Date(),
    respondent: { mobile: '+14155550100', email: 'respondent@example.org', name: 'Sample respondent' },
    collector: {},
    metadata: {},
    flags: [],
  };
}

/** As it would be stored. Keeps to bounds of numbers and times, not to patterns and lengths of texts. */
export function sampleAnswer(question: QuestionDefinition): AnswerValue {
  const { kind, choices, constraints: { earliest, latest } = {} } = question;
  switch (kind) {
    case 'TEXT':
    case 'LONG_TEXT':
      return 'Sample text';
    case 'INTEGER':
    case 'RATING':
    case 'DECIMAL':
      return Math.min(Math.max(3, question.min ?? -Infinity), question.max ?? Infinity);
    case 'BOOLEAN':
      return true;
    case 'SINGLE_CHOICE':
      return choices[0]?.id ?? '';
    case 'MULTIPLE_CHOICE':
      return choices.slice(0, 2).map((choice) => choice.id);
    case 'EMAIL':
      return 'respondent@example.org';
    case 'PHONE':
      return '+14155550100';
    case 'URL':
      return 'https://example.org/';
    case 'DATE':
      return earliest ?? latest ?? '2026-01-31';
    case 'TIME':
      return earliest ?? latest ?? '09:30:00';
    case 'DATE_TIME':
      return earliest ?? latest ?? '2026-01-31T09:30:00.000Z';
    case 'GEO_POINT':
      return { latitude: 18.52, longitude: 73.86 };
  }
}
