/**
 * What an error of Twilio means for us. `permanent`: this message can never go out. `number`: nor can it until the
 * account is changed, but that is about this number alone. `account`: nothing can go out until the account or the
 * settings are changed. `passing`: it may go out later.
 */
export type TroubleClass = 'permanent' | 'number' | 'account' | 'passing';

interface Trouble {
  class: TroubleClass;
  /** A sentence for the integration's owner. Twilio's own words are not shown, since they name the number. */
  words: string;
}

/** Source: Twilio's error dictionary. Codes from 30001 on mostly come after a message was accepted. */
const troubles: Readonly<Record<number, Trouble>> = {
  20003: { class: 'account', words: 'Twilio does not accept the account SID and auth token.' },
  20005: { class: 'account', words: 'The account at Twilio is not active.' },
  20404: { class: 'account', words: 'Twilio knows no such account.' },
  20429: { class: 'passing', words: 'Twilio takes no more requests at the moment.' },
  21211: { class: 'permanent', words: 'The recipient’s number is not valid.' },
  21212: { class: 'account', words: 'Twilio does not accept the sender as a number or name to send from.' },
  21408: { class: 'number', words: 'The account may not send to the recipient’s country; allow it under Messaging, Geo permissions, at Twilio.' },
  21602: { class: 'permanent', words: 'The message is empty.' },
  21603: { class: 'account', words: 'Twilio was given no sender.' },
  21604: { class: 'permanent', words: 'Twilio was given no recipient.' },
  21606: { class: 'account', words: 'The sender is no number of this account that can send text messages.' },
  21608: { class: 'number', words: 'A trial account sends to verified numbers only; verify the recipient’s at Twilio, or upgrade the account.' },
  21609: { class: 'account', words: 'Twilio cannot reach FORMWIRE_PUBLIC_URL for its callbacks.' },
  21610: { class: 'permanent', words: 'The recipient has unsubscribed (STOP).' },
  21611: { class: 'passing', words: 'Too many messages of this sender wait at Twilio.' },
  21612: { class: 'permanent', words: 'Twilio cannot send to the recipient from this sender.' },
  21614: { class: 'permanent', words: 'The recipient’s number is not a mobile number.' },
  21617: { class: 'permanent', words: 'The message is too long.' },
  21701: { class: 'account', words: 'The messaging service does not exist in this account.' },
  21703: { class: 'account', words: 'The messaging service has no number to send from.' },
  30001: { class: 'passing', words: 'Too many messages of this sender waited at Twilio.' },
  30002: { class: 'account', words: 'The account at Twilio is suspended.' },
  30003: { class: 'permanent', words: 'The recipient’s phone is switched off or out of reach.' },
  30004: { class: 'permanent', words: 'The recipient or the carrier blocks messages of this sender.' },
  30005: { class: 'permanent', words: 'The recipient’s number is unknown or not in service.' },
  30006: { class: 'permanent', words: 'The recipient’s number is a landline or its carrier takes no messages.' },
  30007: { class: 'permanent', words: 'The carrier filtered the message as unwanted.' },
  30008: { class: 'permanent', words: 'The carrier did not deliver the message and does not say why.' },
  30032: { class: 'account', words: 'The toll-free sender is not verified at Twilio.' },
  30034: { class: 'account', words: 'The sender is not registered for A2P 10DLC, which messages to the United States need.' },
  30036: { class: 'permanent', words: 'The message waited for longer than it was valid.' },
};

export const optedOut = 21_610;

/** What an error code says of a message that was accepted, for its delivery. */
export const wordsOf = (code: number): string => withCode(troubles[code]?.words ?? 'It failed for another reason.', code);

const withCode = (words: string, code: number): string => `${words.replace(/\.$/, '')} (Twilio’s error ${code}).`;

/**
 * Classes a refusal by Twilio's code, or else by the status of HTTP: 401, 403 and 404 are about the account and where
 * it is, 429 passes, and whatever else is refused would be refused again.
 */
export function troubleOf({ code, httpStatus }: { code: number | undefined; httpStatus: number }): Trouble {
  const known = code === undefined ? undefined : troubles[code];
  if (known && code !== undefined) return { ...known, words: withCode(known.words, code) };
  const name = code === undefined ? `HTTP ${httpStatus}` : `error ${code}`;
  switch (httpStatus) {
    case 429:
      return { class: 'passing', words: `Twilio takes no more requests at the moment (${name}).` };
    case 401:
    case 403:
    case 404:
      return { class: 'account', words: `Twilio does not let this account send messages (${name}).` };
    default:
      return { class: 'permanent', words: `Twilio refused the message (${name}).` };
  }
}
