import { parsePhoneNumberFromString } from 'libphonenumber-js/min';

const maxLength = 60;

/**
 * A number in international form as E.164 (`+919810000017`), so that one number is one text, however it was typed;
 * undefined for what is none. Without the + it would need a country to be understood; an extension would be lost: both
 * are none. Possible means that the country has numbers of that length, not that this one is assigned.
 */
export function phoneNumber(text: string): string | undefined {
  if (text.charCodeAt(0) !== 43 || text.length > maxLength) return undefined;
  const phone = parsePhoneNumberFromString(text, { extract: false });
  return phone && phone.ext === undefined && phone.isPossible() ? phone.number : undefined;
}
