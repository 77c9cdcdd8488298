import type { AnswerData, ResponseData } from '../events/response-data.ts';
import type { FormDefinition, QuestionDefinition } from '../forms/form-definition.ts';
import type { AnswerValue, Response, StoredAnswer } from './response.entity.ts';

/** A stored response, or one that is about to be: what its event is made from. */
export type RenderedRow = Pick<
  Response,
  'id' | 'formId' | 'formVersion' | 'clientId' | 'familyId' | 'revision' | 'submittedAt' | 'answers' | 'respondent' | 'collector' | 'metadata' | 'flags'
>;

/**
 * What receivers learn of a response: its answers in the form's order, choices by their texts. `definition` is the one
 * of `row.formVersion`, so that a response says for ever what was asked. Pure: the row in memory and the row read
 * back from jsonb give the same bytes.
 */
export function responseEventData(source: { row: RenderedRow; definition: FormDefinition }): ResponseData {
  const { row, definition } = source;
  return {
    form: { id: row.formId, title: definition.title, version: row.formVersion },
    response: {
      id: row.id,
      clientId: row.clientId ?? null,
      familyId: row.familyId,
      revision: row.revision,
      submittedAt: row.submittedAt,
      respondent: { ...row.respondent },
      collector: { ...row.collector },
      metadata: row.metadata,
      flags: row.flags ?? [],
      answers: answersData(row, definition),
    },
  };
}

function answersData(row: RenderedRow, definition: FormDefinition): AnswerData[] {
  const rendered: AnswerData[] = [];
  for (const question of definition.questions) {
    const answer = row.answers[question.id];
    if (answer) rendered.push(answerData(question, answer));
  }
  return rendered;
}

function answerData(question: QuestionDefinition, answer: StoredAnswer): AnswerData {
  const value = answerValue(question, answer.value);
  return {
    questionId: question.id,
    key: question.key,
    question: question.text,
    kind: question.kind,
    value,
    text: valueText(value),
    metadata: answer.metadata ?? {},
  };
}

/** A stored value as people read it: choices by their texts instead of their ids. */
export function answerValue(question: QuestionDefinition, stored: AnswerValue): AnswerValue {
  const isChoice = question.kind === 'SINGLE_CHOICE' || question.kind === 'MULTIPLE_CHOICE';
  if (!isChoice) return stored;
  if (typeof stored === 'string') return choiceText(question, stored);
  return Array.isArray(stored) ? stored.map((id) => choiceText(question, id)) : stored;
}

/**
 * A value as one line of text: several choices joined by ", ", a place as its latitude and longitude, numbers and
 * booleans as JavaScript writes them.
 */
export function valueText(value: AnswerValue): string {
  if (typeof value !== 'object') return String(value);
  return Array.isArray(value) ? value.join(', ') : `${value.latitude}, ${value.longitude}`;
}

/** Forms have few choices a question: looking through them beats a map that would have to be kept somewhere. */
const choiceText = (question: QuestionDefinition, id: string): string =>
  question.choices.find((choice) => choice.id === id)?.text ?? id;

