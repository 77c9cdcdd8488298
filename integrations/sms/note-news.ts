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
  const tracking = trackingOf(eventId, news);
  if (tracking) await track([tracking]);
}
