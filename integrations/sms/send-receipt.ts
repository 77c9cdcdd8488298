import type { CallContext, Outcome, Tracking } from '../provider.ts';
import { takePlace } from './day-limit.ts';
import { handOver } from './hand-over.ts';
import { fingerprint } from './ledger-keys.ts';
import { messageText } from './message-text.ts';
import { noteNews } from './note-news.ts';
import { outcomeOfRefusal, outcomeOfUnknown, outcomeOfUnsent } from './outcome-of.ts';
import type { Receipt, Sending } from './receipt.ts';
import type { ReceiptEvent } from './receipt-event.ts';
import { masked, recipientOf, type Recipient } from './recipient.ts';
import { hasOptedOut, noteOptOut, noteReceipt } from './receipts.ts';
import type { SmsSettings } from './settings.ts';
import { optedOut } from './troubles.ts';
import type { Refusal, Unanswered } from './twilio-client.ts';

type Context = CallContext<SmsSettings>;

/** A receipt that is to go out. `was`: what the ledger says of it. */
interface Wanted {
  response: ReceiptEvent;
  eventId: Tracking['eventId'];
  copy: number;
  was: Receipt | undefined;
}

interface Message {
  number: string;
  text: string;
}

/**
 * Sends a receipt: makes the message, takes a place of its number's day, notes that it is being sent, and then calls.
 * Undefined where somebody else noted something in between, and all has to be looked at again.
 */
export async function sendReceipt(context: Context, wanted: Wanted): Promise<Outcome | undefined> {
  const { settings, ledger, now, signal } = context;
  const { response, eventId, copy, was } = wanted;
  if (response.flags.length > 0 && !settings.flagged) return { status: 'skipped', reason: 'The response is flagged: the receipt goes out when its flags are cleared.' };
  const message = await composeMessage(context, response);
  if ('status' in message) return message;
  const refused = await whyNotToday(context, { ...message, familyId: response.familyId, copy });
  if (refused) return refused;
  if (signal.aborted) return { status: 'retry', error: 'ABORTED', reason: 'The attempt was interrupted by this server.' };
  const state: Sending = { status: 'sending', eventId, copy, at: now().toISOString(), to: fingerprint(message.number), text: fingerprint(message.text) };
  if (!(await noteReceipt(ledger, { familyId: response.familyId, state, was }))) return undefined;
  return call(context, { message, wanted, state });
}

async function composeMessage({ settings, form }: Context, response: ReceiptEvent): Promise<Message | Outcome> {
  const recipient = recipientOf(response, settings);
  if (recipient.kind !== 'number') return outcomeWithoutNumber(recipient);
  const shape = await form(response.form.version);
  if (!shape) return { status: 'skipped', reason: 'The form is gone.' };
  const made = messageText(settings.template, { form: shape, response });
  switch (made.kind) {
    case 'text':
      return { number: recipient.number, text: made.text };
    case 'unfit':
      return { status: 'blocked', reason: `The template does not fit the form any more. ${made.reason}` };
    case 'impossible':
      return { status: 'rejected', error: 'REFUSED', reason: made.reason };
  }
}

/** Who gives no number asks for no receipt; who gives a wrong one waits for it, so that is for somebody to see. */
const outcomeWithoutNumber = ({ kind, reason }: Exclude<Recipient, { kind: 'number' }>): Outcome =>
  kind === 'none' ? { status: 'skipped', reason } : { status: 'rejected', error: 'REFUSED', reason };

async function whyNotToday({ ledger, settings, now }: Context, about: { number: string; familyId: string; copy: number }): Promise<Outcome | undefined> {
  const { number, familyId, copy } = about;
  if (await hasOptedOut(ledger, { number, now: now() })) {
    return { status: 'rejected', error: 'REFUSED', reason: `${masked(number)} has unsubscribed (STOP); Twilio is asked again a week after it said so.` };
  }
  const limit = settings.perNumberAndDay;
  const place = await takePlace(ledger, { number, now: now(), message: `${familyId}/${copy}`, limit });
  switch (place) {
    case 'taken':
      return undefined;
    case 'full':
      return { status: 'rejected', error: 'REFUSED', reason: `${masked(number)} has had its ${limit} messages of this day (UTC): more are not sent.` };
    case 'contended':
      return { status: 'deferred', reason: `Several messages to ${masked(number)} are being sent at once.`, afterMs: 1_000 };
  }
}

interface Called {
  message: Message;
  wanted: Wanted;
  state: Sending;
}

async function call(context: Context, called: Called): Promise<Outcome> {
  const { message, wanted } = called;
  const { familyId } = wanted.response;
  const reply = await handOver(context, { to: message.number, text: message.text, eventId: wanted.eventId, familyId });
  switch (reply.kind) {
    case 'answer':
      await noteNews(context, { eventId: wanted.eventId, familyId, news: reply.value });
      return { status: 'delivered' };
    case 'refusal':
      return refuse(context, called, reply);
    case 'unanswered':
      if (reply.isSent) return outcomeOfUnknown(reply);
      return leaveUnsent(context, called, reply);
  }
}

async function refuse(context: Context, called: Called, refusal: Refusal): Promise<Outcome> {
  const { ledger, now } = context;
  await noteRefused(context, called, refusal.code ?? null);
  if (refusal.code === optedOut) await noteOptOut(ledger, { number: called.message.number, now: now() });
  return outcomeOfRefusal(refusal, now().getTime() - Date.parse(called.wanted.response.submittedAt));
}

async function leaveUnsent(context: Context, called: Called, failure: Unanswered): Promise<Outcome> {
  await noteRefused(context, called, null);
  return outcomeOfUnsent(failure);
}

/** Where somebody has noted something else since, a callback above all, that stands. */
async function noteRefused({ ledger }: Context, { wanted, state }: Called, code: number | null): Promise<void> {
  const { response, eventId, copy } = wanted;
  await noteReceipt(ledger, { familyId: response.familyId, state: { status: 'refused', eventId, copy, code }, was: state });
}
