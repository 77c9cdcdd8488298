import type { CallContext } from '../provider.ts';
import { isMessageSid, type MessageNews } from './message-status.ts';
import { countSegments } from './segments.ts';
import type { SmsSettings } from './settings.ts';
import { askTwilio, type TwilioReply } from './twilio-client.ts';

/** A message on its way out. */
export interface OutgoingMessage {
  /** In E.164. */
  to: string;
  text: string;
  eventId: string;
  familyId: string;
}

/** Hands a message to Twilio, or writes it to the log where that is simulated. There is no way back, and Twilio does it again when asked again. */
export function handOver(context: CallContext<SmsSettings>, message: OutgoingMessage): Promise<TwilioReply<MessageNews>> {
  return context.settings.simulated ? simulate(context, message) : send(context, message);
}

async function simulate({ log }: CallContext<SmsSettings>, { to, text, eventId, familyId }: OutgoingMessage): Promise<TwilioReply<MessageNews>> {
  log('sms.simulated', { to, text, eventId, ...countSegments(text) });
  return { kind: 'answer', value: { sid: `simulated:${familyId}`, status: 'simulated' } };
}

async function send(context: CallContext<SmsSettings>, { to, text, eventId, familyId }: OutgoingMessage): Promise<TwilioReply<MessageNews>> {
  const { from, messagingServiceSid } = context.settings;
  const statusCallback = context.callbackUrl && `${context.callbackUrl}?${new URLSearchParams({ event: eventId, family: familyId })}`;
  const reply = await askTwilio(context, (twilio) =>
    twilio.messages.create({
      to,
      body: text,
      smartEncoded: false, // what was previewed is what is sent, and found again by its text
      ...(from !== undefined && { from }),
      ...(messagingServiceSid !== undefined && { messagingServiceSid }),
      ...(statusCallback !== undefined && { statusCallback }),
    }),
  );
  if (reply.kind !== 'answer') return reply;
  const { sid, status } = reply.value;
  if (isMessageSid(sid)) return { kind: 'answer', value: { sid, status } };
  return { kind: 'unanswered', error: 'RESPONSE_INVALID', message: 'Twilio’s answer names no message.', isSent: true };
}
