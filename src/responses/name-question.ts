import type { UserErrorCode } from '../user-error.ts';
import type { CompiledForm, CompiledQuestion } from './compile-form.ts';
import { quoted } from './read-value.ts';
import type { AnswerInput } from './submission.ts';

/** Why an answer's question is not known. */
export class Unnamed {
  readonly code: UserErrorCode;
  readonly message: string;
  readonly path: readonly string[];

  constructor(code: UserErrorCode, message: string, path: readonly string[]) {
    this.code = code;
    this.message = message;
    this.path = path;
  }
}

/** The question that an answer names. A value where it names none, never an exception: this is the hot path. */
export function findQuestion(form: CompiledForm, answer: AnswerInput): CompiledQuestion | Unnamed {
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
