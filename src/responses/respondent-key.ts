import { hash } from 'node:crypto';
import { isEmailAddress } from '../email-address.ts';
import type { RespondentIdentity } from '../forms/form.entity.ts';
import type { Fault } from '../user-error.ts';
import { phoneNumber } from './phone-number.ts';
import type { RespondentInput } from './submission.ts';

/**
 * By what a form that takes one response of each respondent knows this one again: 43 characters, the same for every
 * way to write one number or address. A hash, so that who it was stands in the response alone. A fault where the
 * respondent does not say, or not so that it could be told from another way to write the same.
 */
export function respondentKey(identity: RespondentIdentity, respondent: RespondentInput): { key: string } | { fault: Fault } {
  const value = respondent[identity] ?? '';
  const known = value === '' ? undefined : normal(identity, value);
  if (known !== undefined) return { key: hash('sha256', `${identity}\n${known}`, 'base64url') };
  const message = `This form takes one response of each respondent: respondent.${identity} must be ${asked[identity]}.`;
  return { fault: { code: 'INVALID_INPUT', message, path: ['respondent', identity] } };
}

const asked = {
  mobile: 'a phone number with + and the country’s code, such as +14155550100',
  email: 'an e-mail address',
  key: 'given',
} as const;

/** One text for every way to write the same; undefined for what is none of it. */
function normal(identity: RespondentIdentity, value: string): string | undefined {
  switch (identity) {
    case 'mobile':
      return phoneNumber(value);
    case 'email': // the part before the @ may by the standard differ in case, and nowhere does
      return isEmailAddress(value) ? value.normalize('NFC').toLowerCase() : undefined;
    case 'key':
      return value;
  }
}
