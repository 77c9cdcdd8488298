import type { CallContext, DeliveryRequest, Outcome, Tracking } from '../provider.ts';
import { findMessage } from './find-message.ts';
import { fingerprint } from './ledger-keys.ts';
import { noteNews } from './note-news.ts';
import { outcomeOfSearch } from './outcome-of.ts';
import { afterNotFound, nextStep, type Sending } from './receipt.ts';
import { readReceiptEvent, type ReceiptEvent } from './receipt-event.ts';
import { recipientOf } from './recipient.ts';
import { noteReceipt, readReceipt } from './receipts.ts';
import { sendReceipt } from './send-receipt.ts';
import type { SmsSettings } from './settings.ts';

type Context = CallContext<SmsSettings>;

/** How often somebody else may be quicker before this is left to the next attempt. */
const maxTries = 3;

/** Brings an event's receipt one step further: to Twilio, or to what is known of it there. */
export async function deliverReceipt({ event }: DeliveryRequest, context: Context): Promise<Outcome> {
  const response = readReceiptEvent(event);
  if (response === undefined) return { status: 'skipped', reason: 'An erased response gets no receipt.' };
  const { settings, ledger, now } = context;
  for (let tries = 0; tries < maxTries; tries += 1) {
    const was = await readReceipt(ledger, response.familyId);
    const step = nextStep(was, { eventId: event.id, now: now(), isSimulated: settings.simulated });
    switch (step.kind) {
      case 'done':
        return { status: 'delivered' };
      case 'skip':
        return { status: 'skipped', reason: step.reason };
      case 'wait':
        return { status: 'deferred', reason: 'A receipt of this response is being sent for another event.', afterMs: step.afterMs };
      case 'settle': {
        const settled = await settle(context, { response, eventId: event.id, sending: step.sending });
        if (settled) return settled;
        break;
      }
      case 'send': {
        const sent = await sendReceipt(context, { response, eventId: event.id, copy: step.copy, was });
        if (sent) return sent;
        break;
      }
    }
  }
  return { status: 'deferred', reason: 'Another process is at the receipt of this response.', afterMs: 5_000 };
}

/** Finds out what became of a call that nobody knows the outcome of. Undefined where it is known now, or the message goes out again. */
async function settle(context: Context, about: { response: ReceiptEvent; eventId: Tracking['eventId']; sending: Sending }): Promise<Outcome | undefined> {
  const { response, eventId, sending } = about;
  const { familyId } = response;
  const recipient = recipientOf(response, context.settings);
  const isSame = recipient.kind === 'number' && fingerprint(recipient.number) === sending.to;
  const reply = isSame ? await findMessage(context, { number: recipient.number, familyId, sending }) : nothingFound;
  switch (reply.kind) {
    case 'answer':
      if (!reply.value) return endSearch(context, about);
      await noteNews(context, { familyId, eventId, news: reply.value });
      return { status: 'delivered' };
    case 'refusal':
      return outcomeOfSearch(reply);
    case 'unanswered':
      return { status: 'deferred', reason: `${reply.message} It is asked again whether the message was taken.`, afterMs: 60_000 };
  }
}

/** Where the settings have changed, and name somebody else than the message can have gone to. */
const nothingFound = { kind: 'answer', value: undefined } as const;

async function endSearch(context: Context, { response, eventId, sending }: Parameters<typeof settle>[1]): Promise<Outcome | undefined> {
  const { ledger, now, settings } = context;
  const next = afterNotFound(sending, { now: now(), unknownOutcome: settings.unknownOutcome });
  switch (next.kind) {
    case 'wait':
      return { status: 'deferred', reason: 'Nobody knows yet whether Twilio took the message; its list does not show it so far.', afterMs: next.afterMs };
    case 'send':
      return sendReceipt(context, { response, eventId, copy: next.copy, was: sending });
    case 'giveUp':
      // Where a callback was quicker, all is looked at again.
      return (await noteReceipt(ledger, { familyId: response.familyId, state: { ...sending, status: 'unknown' }, was: sending })) ? givenUp : undefined;
  }
}

const givenUp: Outcome = {
  status: 'rejected',
  error: 'OUTCOME_UNKNOWN',
  reason: 'Nobody can say whether Twilio took the message: no answer, no callback, and its list does not show it. It is not sent again, so that nobody gets it twice.',
};
