import { compileMessage, TemplateFault } from '../message-template.ts';
import type { FormShape } from '../provider.ts';
import type { ReceiptEvent } from './receipt-event.ts';

/** Of a whole message, in UTF-16 units. Source: Twilio "Message resource", Body. */
export const maxTextLength = 1_600;

/** What a message is made of for a response. `unfit`: the template does not go with the form; `impossible`: only not with this response. */
export type MessageText = { kind: 'text'; text: string } | { kind: 'unfit' | 'impossible'; reason: string };

const fixedNames = [
  'form.title', 'response.id', 'response.clientId', 'response.revision', 'response.submittedAt',
  'respondent.name', 'respondent.mobile', 'respondent.email', 'respondent.key', 'collector.username',
];
const takenNames = new Set(['form', 'response', 'respondent', 'collector', 'answers']);

/** All that a template may name for a form: what is fixed, the keys of its questions, and these again as `answers.key`, for keys that are taken. */
export function messageNames({ questions }: Pick<FormShape, 'questions'>): ReadonlySet<string> {
  const keys = questions.map(({ key }) => key);
  return new Set([...fixedNames, ...keys.filter((key) => !takenNames.has(key)), ...keys.map((key) => `answers.${key}`)]);
}

/** Why a template cannot be used for a form, in a sentence; undefined where it can. */
export function whyTemplateUnfit(template: string, form: Pick<FormShape, 'questions'>): string | undefined {
  const made = compiled(template, form);
  return 'reason' in made ? made.reason : undefined;
}

/**
 * Makes the message for a response. One that would be too long is not cut: what matters most may stand at its end, and
 * half a message costs nearly as much as a whole one.
 */
export function messageText(template: string, { form, response }: { form: Pick<FormShape, 'questions'>; response: ReceiptEvent }): MessageText {
  const made = compiled(template, form);
  if ('reason' in made) return made;
  try {
    return checked(made.render(valuesOf(response)).toWellFormed().trim());
  } catch (error) {
    if (error instanceof TemplateFault) return { kind: 'impossible', reason: error.message };
    throw error;
  }
}

function compiled(template: string, form: Pick<FormShape, 'questions'>): ReturnType<typeof compileMessage> | { kind: 'unfit'; reason: string } {
  try {
    return compileMessage(template, messageNames(form));
  } catch (error) {
    if (error instanceof TemplateFault) return { kind: 'unfit', reason: error.message };
    throw error;
  }
}

function checked(text: string): MessageText {
  if (text === '') return { kind: 'impossible', reason: 'The message is empty for this response.' };
  if (text.length <= maxTextLength) return { kind: 'text', text };
  return { kind: 'impossible', reason: `The message has ${text.length} characters for this response; at most ${maxTextLength} can be sent.` };
}

/** Texts, numbers and truth values as they are, so that filters and conditions work on them; what is more as its text. */
function valuesOf({ form, answers, respondent, collector, id, clientId, revision, submittedAt }: ReceiptEvent): Record<string, unknown> {
  const byKey = Object.fromEntries(answers.map(({ key, value, text }) => [key, typeof value === 'object' ? text : value]));
  const response = { id, clientId, revision, submittedAt };
  return { ...byKey, form: { title: form.title }, response, respondent, collector, answers: byKey };
}
