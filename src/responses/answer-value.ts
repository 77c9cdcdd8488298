import { isDate, timeOfDay, utcTime } from '../calendar.ts';
import { isEmailAddress } from '../email-address.ts';
import type { QuestionDefinition } from '../forms/form-definition.ts';
import { compileChoice, compileChoices } from './choice-value.ts';
import { readGeoPoint } from './geo-point.ts';
import { compileDecimal, compileInteger } from './number-value.ts';
import { phoneNumber } from './phone-number.ts';
import { hint, quoted, Refusal, type ReadValue } from './read-value.ts';
import { compileText, textual, whyNotUrl } from './text-value.ts';

/** Makes the reader of a question's answers, with all that its kind and constraints say worked out beforehand. */
export function compileReader(question: QuestionDefinition): ReadValue {
  switch (question.kind) {
    case 'TEXT':
    case 'LONG_TEXT':
      return textual(compileText(question));
    case 'INTEGER':
    case 'RATING':
      return compileInteger(question);
    case 'DECIMAL':
      return compileDecimal(question);
    case 'BOOLEAN':
      return (value) => (typeof value === 'boolean' ? value : new Refusal(`must be true or false${hint(value)}`));
    case 'DATE':
      return textual(compileTime(question, { read: (text) => (isDate(text) ? text : undefined), asked: 'a day that exists, as YYYY-MM-DD' }));
    case 'TIME':
      return textual(compileTime(question, { read: timeOfDay, asked: 'a time of day, as HH:MM or HH:MM:SS' }));
    case 'DATE_TIME':
      return textual(compileTime(question, { read: utcTime, asked: 'a moment by RFC 3339, such as 2026-11-21T02:15:00Z' }));
    case 'EMAIL':
      return textual((text) => (isEmailAddress(text) ? text : new Refusal(`must be an e-mail address; ${quoted(text)} is not`)));
    case 'PHONE':
      return textual((text) => phoneNumber(text) ?? notPhone(text));
    case 'URL':
      return textual((text) => whyNotUrl(text) ?? text);
    case 'GEO_POINT':
      return readGeoPoint;
    case 'SINGLE_CHOICE':
      return compileChoice(question);
    case 'MULTIPLE_CHOICE':
      return compileChoices(question);
  }
}

/** Reads a date or time into the one form it is stored in: all of a kind are as long, so that they sort like what they say. */
function compileTime(
  { constraints: { earliest, latest } = {} }: QuestionDefinition,
  { read, asked }: { read: (text: string) => string | undefined; asked: string },
): (text: string) => string | Refusal {
  return (text) => {
    const time = read(text);
    if (time === undefined) return new Refusal(`must be ${asked}; ${quoted(text)} is not`);
    if (earliest !== undefined && time < earliest) return new Refusal(`must be ${earliest} or later; ${time} is earlier`);
    if (latest !== undefined && time > latest) return new Refusal(`must be ${latest} or earlier; ${time} is later`);
    return time;
  };
}

const notPhone = (text: string): Refusal =>
  new Refusal(`must be a phone number with + and the country's code, such as +14155550100, without an extension; ${quoted(text)} is not`);
