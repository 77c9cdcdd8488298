import { answerId, type Id } from '../events/id.ts';
import type { FormDefinition, QuestionDefinition } from '../forms/form-definition.ts';
import type { SubmittedResponse } from './find-response.ts';
import { answerValue } from './render.ts';
import type { AnswerValue, StoredAnswer } from './response.entity.ts';

/** One answer with all that tells what it means: its response, and its question as it was asked then. */
export interface AnswerOfResponse {
  id: Id<'ans'>;
  response: SubmittedResponse;
  question: QuestionDefinition;
  /** Of the version it was answered against. */
  definition: FormDefinition;
  /** Choices by their texts. */
  value: AnswerValue;
  stored: StoredAnswer;
}

/** A response's answers in the form's order. `definition` is the one of the version it was answered against. */
export function answersOf(response: SubmittedResponse, definition: FormDefinition): AnswerOfResponse[] {
  return definition.questions.flatMap((question) => {
    const stored = response.answers[question.id];
    return stored ? [answerOf(response, { question, definition, stored })] : [];
  });
}

function answerOf(response: SubmittedResponse, { question, definition, stored }: Pick<AnswerOfResponse, 'question' | 'definition' | 'stored'>): AnswerOfResponse {
  return { id: answerId(response.id, question.id), response, question, definition, stored, value: answerValue(question, stored.value) };
}

/** The choices an answer names, in the form's order; none where its question offers none. */
export function chosen({ question, stored }: AnswerOfResponse): QuestionDefinition['choices'] {
  const ids = new Set<unknown>(Array.isArray(stored.value) ? stored.value : [stored.value]);
  return question.choices.filter((choice) => ids.has(choice.id));
}
