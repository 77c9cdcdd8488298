import type { Fault } from '../user-error.ts';
import type { CompiledForm, CompiledQuestion } from './compile-form.ts';
import type { StoredAnswers } from './response.entity.ts';
import type { AnswerInput } from './submission.ts';
import { validateAnswers } from './validate.ts';

/**
 * The answers of the next revision, or every fault at once. A change takes the place of its question's answer, null
 * takes the answer away, and what no change names stays. The whole is checked as a submission to `form` would be, for
 * that is the version the new revision is read by: so an answer that stays and does not fit it any more is a fault too,
 * and one whose question is gone is left behind in the earlier revision.
 */
export function amendedAnswers(
  form: CompiledForm,
  { stored, changes }: { stored: StoredAnswers; changes: readonly AnswerInput[] },
): { answers: StoredAnswers } | { faults: Fault[] } {
  const named = new Set(changes.flatMap((change) => questionOf(form, change)?.id ?? []));
  const staying = form.questions.filter(({ id }) => stored[id] !== undefined && !named.has(id));
  const stays = staying.map(({ id }): AnswerInput => ({ questionId: id, value: stored[id]?.value, metadata: stored[id]?.metadata }));
  const result = validateAnswers(form, [...changes, ...stays]);
  return 'faults' in result ? { faults: result.faults.map((fault) => intoInput(fault, changes.length)) } : result;
}

/** Where a change names none, or in more than one way, its own fault tells. */
const questionOf = (form: CompiledForm, { questionId, key, question }: AnswerInput): CompiledQuestion | undefined =>
  form.byId.get(questionId ?? '') ?? form.byKey.get(key ?? '') ?? form.byText.get(question ?? '');

/** A fault of an answer that was not sent has no place in the input beyond `answers`. */
function intoInput(fault: Fault, changes: number): Fault {
  const [, index] = fault.path;
  if (typeof index !== 'number' || index < changes) return fault;
  const message = `${fault.message} That is its answer so far, which no longer fits the form: answer it anew, or take the answer away with null.`;
  return { ...fault, message, path: ['answers'] };
}
