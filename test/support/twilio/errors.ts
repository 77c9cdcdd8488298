import type { Reply } from '../simulators/server.ts';

/** The errors a message can be refused with, as Twilio words them; `#` stands for the number in question. */
const refusals = {
  20003: { status: 401, message: 'Authenticate' },
  20404: { status: 404, message: 'The requested resource # was not found' },
  20429: { status: 429, message: 'Too Many Requests' },
  20500: { status: 500, message: 'An internal server error has occurred' },
  20503: { status: 503, message: 'Service Unavailable' },
  21211: { status: 400, message: "Invalid 'To' Phone Number: #" },
  21212: { status: 400, message: "Invalid From Number (caller ID): #" },
  21408: { status: 400, message: "Permission to send an SMS has not been enabled for the region indicated by the 'To' number: #" },
  21602: { status: 400, message: 'Message body is required.' },
  21603: { status: 400, message: "A 'From' phone number is required." },
  21604: { status: 400, message: "A 'To' phone number is required." },
  21606: { status: 400, message: "The 'From' phone number # is not a valid, SMS-capable inbound phone number or short code for your account." },
  21608: { status: 400, message: 'The number # is unverified. Trial accounts cannot send messages to unverified numbers; verify # at twilio.com/user/account/phone-numbers/verified, or purchase a Twilio number to send messages to unverified numbers' },
  21609: { status: 400, message: "The 'StatusCallback' URL # is not a valid URL." },
  21610: { status: 400, message: 'Attempt to send to unsubscribed recipient' },
  21611: { status: 429, message: "This 'From' number has exceeded the maximum number of queued messages" },
  21612: { status: 400, message: "Message cannot be sent with the current combination of 'To' (#) and/or 'From' parameters" },
  21614: { status: 400, message: "'To' number is not a valid mobile number: #" },
  21617: { status: 400, message: 'The concatenated message body exceeds the 1600 character limit' },
  21701: { status: 404, message: 'The Messaging Service # does not exist' },
  90007: { status: 400, message: 'Invalid validity period value' },
} as const satisfies Record<number, { status: number; message: string }>;

export type RefusalCode = keyof typeof refusals;

/** Why a message that was accepted did not arrive. Source: Twilio's error dictionary, 30xxx. */
export const deliveryErrors: Record<number, string> = {
  30001: 'Queue overflow',
  30002: 'Account suspended',
  30003: 'Unreachable destination handset',
  30004: 'Message blocked',
  30005: 'Unknown destination handset',
  30006: 'Landline or unreachable carrier',
  30007: 'Message filtered',
  30008: 'Unknown error',
  30032: 'Toll-Free Number Has Not Been Verified',
  30034: 'US A2P 10DLC - Message from an Unregistered Number',
  30036: 'Validity Period Expired',
};

export class TwilioError extends Error {
  readonly code: RefusalCode;
  constructor(code: RefusalCode, about = '') {
    super(refusals[code].message.replaceAll('#', about));
    this.code = code;
  }
}

/** The answer as Twilio sends it, also for faults: `replyOfTwilio(new TwilioError(20429), { 'retry-after': '1' })`. */
export function replyOfTwilio({ code, message }: TwilioError, headers: Record<string, string> = {}): Reply {
  const { status } = refusals[code];
  return { status, headers, body: { code, message, more_info: `https://www.twilio.com/docs/errors/${code}`, status } };
}
