import { whyJsonUnstorable } from '../storable.ts';
import type { Fault } from '../user-error.ts';
import type { CompiledQuestion } from './compile-form.ts';
import { quoted, Refusal } from './read-value.ts';
import type { StoredAnswer } from './response.entity.ts';
import type { AnswerInput } from './submission.ts';

/** Whether what was sent is no answer: nothing, or a list of nothing. */
export const isLeftOpen = (value: unknown): boolean => value === null || value === undefined || (Array.isArray(value) && value.length === 0);

/** Reads one answer into what is stored; null where there is none that counts. What is wrong goes into `faults`. */
export function readAnswer(step: { question: CompiledQuestion; answer: AnswerInput; index: number; faults: Fault[] }): StoredAnswer | null {
  const { question, answer, index, faults } = step;
  const { value = null, metadata = null } = answer;
  const unstorable = metadata === null ? undefined : whyJsonUnstorable(metadata);
  if (unstorable) {
    const message = `The metadata of ${question.key} ${unstorable.reason}.`;
    faults.push({ code: 'INVALID_INPUT', message, path: ['answers', index, 'metadata', ...unstorable.path] });
  }
  if (value === null || isLeftOpen(value)) {
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

export const missing = (question: CompiledQuestion, path: Fault['path']): Fault => ({
  code: 'ANSWER_REQUIRED',
  message: `${question.key} (${quoted(question.text)}) needs an answer.`,
  path,
});
