import type { Fault, UserErrorCode } from '../user-error.ts';
import type { CompiledForm, CompiledQuestion } from './compile-form.ts';
import { quoted, Refusal } from './read-value.ts';
import type { StoredAnswer, StoredAnswers } from './response.entity.ts';
import { whyJsonUnstorable } from '../storable.ts';
import type { AnswerInput } from './submission.ts';

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

function readAnswer(step: { question: CompiledQuestion; answer: AnswerInput; index: number; faults: Fault[] }): StoredAnswer | null {
  const { question, answer, index, faults } = step;
  const { value = null, metadata = null } = answer;
  const unstorable = metadata === null ? undefined : whyJsonUnstorable(metadata);
  if (unstorable) {
    const message = `The metadata of ${question.key} ${unstorable.reason}.`;
    faults.push({ code: 'INVALID_INPUT', message, path: ['answers', index, 'metadata', ...unstorable.path] });
  }
  if (value === null || (Array.isArray(value) && value.length === 0)) {
    if (question.required) faults.push(missing(question, ['answers', index, 'value']));
    return null;
  }
  const read = question.read(value);
  if (read instanceof Refusal) {
    const path = ['answers', index, 'value', ...(read.index === undefined ? [] : [read.index])];
    faults.push({ code: read.code, message: `${question.key} ${read.reason}.`, path });
    return null;
  }
  return metadata === null ? { value: read } : { value: read, metadata };
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

const missing = (question: CompiledQuestion, path: Fault['path']): Fault => ({
  code: 'ANSWER_REQUIRED',
  message: `${question.key} (${quoted(question.text)}) needs an answer.`,
  path,
});

/** Why an answer's question is not known. */
class Unnamed {
  readonly code: UserErrorCode;
  readonly message: string;
  readonly path: readonly string[];

  constructor(code: UserErrorCode, message: string, path: readonly string[]) {
    this.code = code;
    this.message = message;
    this.path = path;
  }
}

function findQuestion(form: CompiledForm, answer: AnswerInput): CompiledQuestion | Unnamed {
  const { questionId = null, key = null, question: text = null } = answer;
  if (Number(questionId !== null) + Number(key !== null) + Number(text !== null) !== 1) {
    return new Unnamed('INVALID_INPUT', 'Name the question by exactly one of questionId, key and question.', []);
  }
  if (key !== null) return form.byKey.get(key) ?? unknown('key', key);
  if (questionId !== null) return form.byId.get(questionId) ?? unknown('questionId', questionId);
  if (text === null || !form.byText.has(text)) return unknown('question', text ?? '');
  return form.byText.get(text) ?? ambiguous(text);
}

const unknown = (member: 'questionId' | 'key' | 'question', value: string): Unnamed =>
  new Unnamed('QUESTION_UNKNOWN', `This form has no question with the ${spoken[member]} ${quoted(value)}.`, [member]);

const ambiguous = (text: string): Unnamed =>
  new Unnamed('QUESTION_AMBIGUOUS', `Several questions have the text ${quoted(text)}; name the one by its id or key.`, ['question']);

const spoken = { questionId: 'id', key: 'key', question: 'text' } as const;
