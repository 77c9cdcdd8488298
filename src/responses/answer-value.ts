import type { Json } from '../events/canonical-json.ts';
import type { QuestionDefinition } from '../forms/form-definition.ts';
import { isDate } from './calendar.ts';
import { compileChoice, compileChoices } from './choice-value.ts';
import { isEmailAddress } from '../email-address.ts';
import { phoneNumber } from './phone-number.ts';
import { quoted, Refusal, type ReadValue } from './read-value.ts';
import { whyTextUnstorable } from '../storable.ts';

const maxTextLength = 50_000;

/** Makes the reader of a question's answers, with all that its kind and bounds say worked out beforehand. */
export function compileReader(question: QuestionDefinition): ReadValue {
  switch (question.kind) {
    case 'TEXT':
      return textual((text) => readText(text, question.required));
    case 'INTEGER':
      return (value) => readInteger(value, question);
    case 'DECIMAL':
      return (value) => readDecimal(value, question);
    case 'BOOLEAN':
      return (value) => (typeof value === 'boolean' ? value : new Refusal(`must be true or false${hint(value)}`));
    case 'DATE':
      return textual((text) => (isDate(text) ? text : new Refusal(`must be a day that exists, as YYYY-MM-DD; ${quoted(text)} is not`)));
    case 'EMAIL':
      return textual((text) => (isEmailAddress(text) ? text : new Refusal(`must be an e-mail address; ${quoted(text)} is not`)));
    case 'PHONE':
      return textual((text) => phoneNumber(text) ?? notPhone(text));
    case 'SINGLE_CHOICE':
      return compileChoice(question);
    case 'MULTIPLE_CHOICE':
      return compileChoices(question);
  }
}

/** A reader of texts that can be stored. */
function textual(read: (text: string) => string | Refusal): ReadValue {
  return (value) => {
    if (typeof value !== 'string') return new Refusal(`must be a text${hint(value)}`);
    const unstorable = whyTextUnstorable(value);
    return unstorable === undefined ? read(value) : new Refusal(unstorable);
  };
}

function readText(text: string, required: boolean): string | Refusal {
  if (text.length > maxTextLength) return new Refusal(`is ${text.length} characters long; at most ${maxTextLength} are kept`);
  if (required && text.trim() === '') return new Refusal('needs an answer that is not blank', { code: 'ANSWER_REQUIRED' });
  return text;
}

const notPhone = (text: string): Refusal =>
  new Refusal(`must be a phone number with + and the country's code, such as +14155550100, without an extension; ${quoted(text)} is not`);

function readInteger(value: Json, bounds: Bounds): number | Refusal {
  if (typeof value === 'number' && Number.isSafeInteger(value)) return withinBounds(value, bounds);
  const limit = typeof value === 'number' && Number.isInteger(value) ? ' no further from 0 than 9007199254740991' : '';
  return new Refusal(`must be a whole number${limit}${hint(value)}`);
}

function readDecimal(value: Json, bounds: Bounds): number | Refusal {
  if (typeof value === 'number' && Number.isFinite(value)) return withinBounds(value, bounds);
  return new Refusal(`must be a number${hint(value)}`);
}

type Bounds = Pick<QuestionDefinition, 'min' | 'max'>;

function withinBounds(value: number, { min, max }: Bounds): number | Refusal {
  if (min !== null && value < min) return new Refusal(`must be ${min} or more; ${value} is less`);
  if (max !== null && value > max) return new Refusal(`must be ${max} or less; ${value} is more`);
  return value;
}

/** What was sent instead; the usual mistake, a number or boolean in quotes, is named. */
function hint(value: Json): string {
  if (typeof value === 'string') return `; ${quoted(value)} is a text`;
  if (typeof value === 'object') return Array.isArray(value) ? '; a list was sent' : '; an object was sent';
  return `; ${value} was sent`;
}
