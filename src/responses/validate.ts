import type { Fault } from '../user-error.ts';
import type { CompiledForm } from './compile-form.ts';
import { findQuestion, Unnamed } from './name-question.ts';
import { missing, readAnswer } from './read-answer.ts';
import type { StoredAnswer, StoredAnswers } from './response.entity.ts';
import type { AnswerInput } from './submission.ts';
import { validateVisible } from './validate-visible.ts';

export type { AnswerInput };

/** More answers than any form has questions: refused unread, so that a hostile list costs nothing. */
const maxAnswers = 2_000;

/** What became of a question while the answers are read: an answer, or null where it was sent without one that counts. */
type Outcome = StoredAnswer | null | undefined;

/**
 * Checks answers against a form's version and answers either what is to be stored, in the form's order, or every
 * fault at once. A value that is null or absent, and an empty list, is no answer. Never throws.
 *
 * @example { faults: [{ code: 'ANSWER_INVALID', message: 'age must be 130 or less; 131 is more.', path: ['answers', 3, 'value'] }] }
 */
export function validateAnswers(form: CompiledForm, answers: readonly AnswerInput[]): { answers: StoredAnswers } | { faults: Fault[] } {
  if (answers.length > maxAnswers) {
    return { faults: [{ code: 'TOO_MANY', message: `A response has at most ${maxAnswers} answers; ${answers.length} were sent.`, path: ['answers'] }] };
  }
  if (form.visibility) return validateVisible(form, form.visibility, answers);
  const faults: Fault[] = [];
  const outcomes: Outcome[] = Array.from({ length: form.questions.length });
  for (let index = 0; index < answers.length; index += 1) {
    const answer = answers[index];
    if (answer) placeAnswer({ form, answer, index, outcomes, faults });
  }
  const stored = collect({ form, outcomes, faults });
  return faults.length > 0 ? { faults } : { answers: stored };
}

function placeAnswer(step: { form: CompiledForm; answer: AnswerInput; index: number; outcomes: Outcome[]; faults: Fault[] }): void {
  const { form, answer, index, outcomes, faults } = step;
  const question = findQuestion(form, answer);
  if (question instanceof Unnamed) {
    faults.push({ code: question.code, message: question.message, path: ['answers', index, ...question.path] });
  } else if (outcomes[question.place] === undefined) {
    outcomes[question.place] = readAnswer({ question, answer, index, faults });
  } else {
    faults.push({ code: 'ANSWER_REPEATED', message: `${question.key} is answered more than once.`, path: ['answers', index] });
  }
}

/** The answers in the form's order, so that responses to one version are alike; and what was required and never sent. */
function collect(step: { form: CompiledForm; outcomes: readonly Outcome[]; faults: Fault[] }): StoredAnswers {
  const stored: StoredAnswers = {};
  for (const question of step.form.questions) {
    const outcome = step.outcomes[question.place];
    if (outcome) stored[question.id] = outcome;
    else if (outcome === undefined && question.required) step.faults.push(missing(question, ['answers']));
  }
  return stored;
}
