import type { CallContext, Tracking } from '../provider.ts';
import { trackingOf, type MessageNews } from './message-status.ts';
import { noteAccepted } from './receipts.ts';

/** Notes that Twilio has the message of a receipt, and what it says of it: in any order, again and again. */
export async function noteNews(
  { ledger, track }: Pick<CallContext<unknown>, 'ledger' | 'track'>,
  about: { eventId: Tracking['eventId']; familyId: string; news: MessageNews },
): Promise<void> {
  const { eventId, familyId, news } = about;
  await noteAccepted(ledger, { familyId, eventId, sid: news.sid });
  await trackNews({ track }, { eventId, news });
}

/** Notes what Twilio says of a message, and nothing of the receipt. */
export async function trackNews({ track }: Pick<CallContext<unknown>, 'track'>, { eventId, news }: { eventId: Tracking['eventId']; news: MessageNews }): Promise<void> {
  const tracking = trackingOf(eventId, news);
  if (tracking) await track([tracking]);
}
