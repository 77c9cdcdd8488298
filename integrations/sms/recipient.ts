import { isSupportedCountry, parsePhoneNumberFromString } from 'libphonenumber-js/min';
import type { ReceiptEvent } from './receipt-event.ts';
import type { SmsSettings } from './settings.ts';

/** Whom a receipt goes to, in E.164. `none`: no number was given; `impossible`: what was given is none. */
export type Recipient = { kind: 'number'; number: string } | { kind: 'none'; reason: string } | { kind: 'impossible'; reason: string };

type RecipientSettings = Pick<SmsSettings, 'recipientQuestion' | 'defaultCountry'>;

/** Finds the number in a response: the answer to the question that was chosen, or else the respondent's mobile number. */
export function recipientOf({ answers, respondent }: Pick<ReceiptEvent, 'answers' | 'respondent'>, settings: RecipientSettings): Recipient {
  const { recipientQuestion, defaultCountry } = settings;
  const given = recipientQuestion === undefined ? respondent.mobile : answers.find(({ key }) => key === recipientQuestion)?.text;
  const source = recipientQuestion === undefined ? 'The respondent’s mobile number' : `The answer to "${recipientQuestion}"`;
  if (given === undefined || given.trim() === '') return { kind: 'none', reason: `${source} is missing, so nobody can be written to.` };
  const number = internationalNumber(given.trim(), defaultCountry);
  if (number !== undefined) return { kind: 'number', number };
  const hint = defaultCountry === undefined ? ' Numbers without a + need a default country.' : '';
  return { kind: 'impossible', reason: `${source} is no number that can be written to.${hint}` };
}

const maxLength = 60;

/**
 * A number as E.164 (`+919810000017`): one that begins with a +, or one of the country. Undefined for what no phone has,
 * by its length, and for one with an extension, which takes no messages.
 */
export function internationalNumber(text: string, country?: string): string | undefined {
  if (text.length > maxLength) return undefined;
  const defaultCountry = country !== undefined && isSupportedCountry(country) ? country : undefined;
  const phone = parsePhoneNumberFromString(text, { extract: false, ...(defaultCountry && { defaultCountry }) });
  return phone && phone.ext === undefined && phone.isPossible() ? phone.number : undefined;
}

/** Enough of a number for its owner's operator to know it again, and not enough to call it: `+1415…00`. */
export const masked = (number: string): string => `${number.slice(0, 5)}…${number.slice(-2)}`;
