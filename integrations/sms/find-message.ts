import type { CallContext } from '../provider.ts';
import { fingerprint } from './ledger-keys.ts';
import type { MessageNews } from './message-status.ts';
import type { Sending } from './receipt.ts';
import { claimMessage } from './receipts.ts';
import type { SmsSettings } from './settings.ts';
import { askTwilio, callMs, type TwilioReply } from './twilio-client.ts';

/** How much Twilio's clock and ours may differ. */
const skewMs = 30_000;
/** The newest messages of a number that are looked through. */
const listed = 200;
const pageSize = 100;

/** What stands before a text that a trial account sends. */
const trialMark = /^Sent from your Twilio trial account - /;

/** A message of Twilio's list, as far as it matters. */
export interface ListedMessage extends MessageNews {
  to: string;
  from: string | null;
  messagingServiceSid: string | null;
  body: string;
  dateCreated: Date;
}

/**
 * Whether a message may be the one of a call with an unknown outcome: the same text, from the same sender, made while
 * the call can have been under way. Twilio does not show our own id of it.
 */
export function isLike(message: ListedMessage, sending: Pick<Sending, 'at' | 'text'>, sender: Pick<SmsSettings, 'from' | 'messagingServiceSid'>): boolean {
  const sinceMs = message.dateCreated.getTime() - Date.parse(sending.at);
  if (sinceMs < -skewMs || sinceMs > callMs + skewMs) return false;
  const isOfSender = sender.messagingServiceSid === undefined ? message.from === sender.from : message.messagingServiceSid === sender.messagingServiceSid;
  return isOfSender && [message.body, message.body.replace(trialMark, '')].some((body) => fingerprint(body) === sending.text);
}

/**
 * Looks in Twilio's list for the message of a call with an unknown outcome, and claims it for the response, so that two
 * with the same text to the same number do not take one message for both. Answers undefined where there is none. The
 * list is not asked by date: what has not left Twilio yet has none.
 */
export async function findMessage(
  context: CallContext<SmsSettings>,
  wanted: { number: string; familyId: string; sending: Sending },
): Promise<TwilioReply<MessageNews | undefined>> {
  const { number, familyId, sending } = wanted;
  const reply = await askTwilio(context, (twilio) => twilio.messages.list({ to: number, limit: listed, pageSize }));
  if (reply.kind !== 'answer') return reply;
  for (const message of reply.value) {
    if (!isLike(message, sending, context.settings)) continue;
    const { sid, status, errorCode } = message;
    if (await claimMessage(context.ledger, { sid, familyId })) return { kind: 'answer', value: { sid, status, errorCode } };
  }
  return { kind: 'answer', value: undefined };
}
