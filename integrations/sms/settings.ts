import { isSupportedCountry } from 'libphonenumber-js/min';
import { z } from 'zod';
import { templateLimits } from '../message-template.ts';

export const smsLimits = { perNumberAndDay: 50, ratePerMinute: 6_000 } as const;

/** An E.164 number, a short code, or an alphanumeric sender. Source: Twilio "Message resource", From. */
const senderPattern = /^(\+[1-9]\d{6,14}|\d{3,8}|(?=.*[A-Za-z])[A-Za-z0-9 +&_-]{1,11})$/;

/** What an owner says about receipts. Which names and questions it may speak of is up to the form. */
export const smsSettings = z
  .object({
    accountSid: z
      .string()
      .regex(/^AC[0-9a-fA-F]{32}$/, 'An account SID is AC and 32 hexadecimal digits; Twilio’s console shows it.')
      .optional()
      .describe('Of the account at Twilio that sends, and pays.'),
    authToken: z
      .string()
      .min(1, 'The auth token is empty.')
      .max(200, 'An auth token has at most 200 characters.')
      .regex(/^[\x21-\x7e]*$/, 'An auth token is made of printable ASCII characters without spaces.')
      .optional()
      .meta({ secret: true })
      .describe('The account’s primary auth token: it signs requests, and Twilio’s callbacks are verified with it.'),
    from: z
      .string()
      .regex(senderPattern, 'A sender is a number such as +14155550100, a short code, or up to 11 letters and digits.')
      .optional()
      .describe('The number or name to send from. Either this or a messaging service.'),
    messagingServiceSid: z
      .string()
      .regex(/^MG[0-9a-fA-F]{32}$/, 'The SID of a messaging service is MG and 32 hexadecimal digits.')
      .optional()
      .describe('The messaging service to send with. Either this or `from`.'),
    template: z
      .string()
      .max(templateLimits.length, `A template has at most ${templateLimits.length} characters.`)
      .describe('The message, in Liquid over the answers by their questions’ keys: `Thank you, {{ respondent.name }}: {{ total }} received.`'),
    recipientQuestion: z
      .string()
      .max(64, 'A key has at most 64 characters.')
      .optional()
      .describe('The key of the question that is answered with the number to write to. Without it: the respondent’s mobile number.'),
    defaultCountry: z
      .string()
      .regex(/^[A-Z]{2}$/, 'A country is two capital letters: IN, DE, US.')
      .refine(isSupportedCountry, 'There are no phone numbers known of this country.')
      .optional()
      .describe('Whose numbers those without a + are, by ISO 3166: `IN`. Without it they are none.'),
    flagged: z.boolean().default(false).describe('Whether flagged responses get a receipt too. Otherwise it goes out when the flags are cleared.'),
    unknownOutcome: z
      .enum(['atMostOnce', 'atLeastOnce'])
      .default('atMostOnce')
      .describe('Where nobody can say whether Twilio took a message: give up, so that none is sent twice, or send again, so that none is missing.'),
    perNumberAndDay: z
      .int('The limit is a whole number.')
      .min(1, 'The limit is at least 1 message.')
      .max(smsLimits.perNumberAndDay, `The limit is at most ${smsLimits.perNumberAndDay} messages.`)
      .default(5)
      .describe('How many messages one number gets in a day (UTC). What is beyond is not sent.'),
    ratePerMinute: z
      .int('The rate is a whole number.')
      .min(1, 'The rate is at least 1 a minute.')
      .max(smsLimits.ratePerMinute, `The rate is at most ${smsLimits.ratePerMinute} a minute.`)
      .optional()
      .describe('How many messages may be handed to Twilio in a minute, in all processes, for all integrations with this sender.'),
    simulated: z.boolean().default(false).describe('Nothing is sent: messages are written to the log, with their numbers. Needs no account.'),
  })
  .superRefine((settings, refinement) => {
    for (const { path, message } of missingMembers(settings)) refinement.addIssue({ code: 'custom', path: [path], message });
  });

export type SmsSettings = z.output<typeof smsSettings>;

/** Settings that name an account and one sender. */
export type AccountSettings = SmsSettings & { accountSid: string; authToken: string };

type Senders = Pick<SmsSettings, 'accountSid' | 'authToken' | 'from' | 'messagingServiceSid' | 'simulated'>;

function missingMembers({ accountSid, authToken, from, messagingServiceSid, simulated }: Senders): { path: string; message: string }[] {
  const faults = [
    { path: 'accountSid', isMissing: accountSid === undefined, message: 'Give the SID of the account at Twilio, or choose `simulated`.' },
    { path: 'authToken', isMissing: authToken === undefined, message: 'Give the account’s auth token, or choose `simulated`.' },
    { path: 'from', isMissing: from === undefined && messagingServiceSid === undefined, message: 'Give a sender: `from` or `messagingServiceSid`.' },
  ].filter(({ isMissing }) => isMissing && !simulated);
  const hasTwo = from !== undefined && messagingServiceSid !== undefined;
  return hasTwo ? [...faults, { path: 'messagingServiceSid', message: 'Give one sender: either `from` or `messagingServiceSid`.' }] : faults;
}

/** The settings of one that sends; throws where it is simulated, which must have been asked before. */
export function accountOf(settings: SmsSettings): AccountSettings {
  const { accountSid, authToken } = settings;
  if (accountSid === undefined || authToken === undefined) throw new Error('an integration that sends has an account');
  return { ...settings, accountSid, authToken };
}
