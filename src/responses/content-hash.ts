import { hash } from 'node:crypto';
import { canonical, type Json } from '../events/canonical-json.ts';
import { isShallow } from '../storable.ts';
import type { AnswerInput, SubmitResponseInput } from './submission.ts';

/**
 * SHA-256, base64url, of what a client sent, to tell a repeat from other content under the same client id. The order
 * of answers and of keys does not matter, nor whether a member is null or absent; the naming of a question (by id, key
 * or text) does. Over what was sent, not what is stored: a repeat stays one when the form has changed meanwhile.
 *
 * Null for input that is nested deeper than anything that is stored: it can be the repeat of nothing.
 */
export function contentHash(input: Omit<SubmitResponseInput, 'formId' | 'clientId'>): string | null {
  const { respondent = null, collector = null, metadata = null, familyId = null } = input;
  if (!isShallow(metadata) || input.answers.some((answer) => !isShallow(answer.value ?? null) || !isShallow(answer.metadata ?? null))) return null;
  const answers = input.answers.map(answerText).toSorted();
  const rest = JSON.stringify([familyId, withoutNulls(respondent), withoutNulls(collector), canonical(metadata)]);
  // each answer is JSON text, which has no line ends of its own
  return hash('sha256', `${rest}\n${answers.join('\n')}`, 'base64url');
}

const answerText = ({ questionId = null, key = null, question = null, value = null, metadata = null }: AnswerInput): string =>
  JSON.stringify([questionId, key, question, canonical(value), canonical(metadata)]);

function withoutNulls(members: object | null): Json {
  const kept = Object.entries(members ?? {}).filter(([, value]) => value !== null && value !== undefined);
  return canonical(Object.fromEntries(kept));
}
