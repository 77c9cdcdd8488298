import type { CallContext, Tracking } from '../provider.ts';
import { lastRank, trackingOf } from './message-status.ts';
import type { SmsSettings } from './settings.ts';
import { askTwilio } from './twilio-client.ts';

/**
 * Asks Twilio for the status of messages that no callback has finished, one after the other. Ends at the first failure:
 * what is left is asked for again.
 */
export async function followMessages(trackings: readonly Tracking[], context: CallContext<SmsSettings>): Promise<void> {
  if (context.settings.simulated) return;
  for (const known of trackings) {
    const reply = await askTwilio(context, (twilio) => twilio.messages(known.reference).fetch());
    if (reply.kind === 'unanswered') return;
    if (reply.kind === 'refusal' && reply.httpStatus !== 404) return;
    const news = reply.kind === 'answer' ? trackingOf(known.eventId, reply.value) : gone(known);
    if (news) await context.track([news]);
  }
}

/** Messages can be deleted at Twilio, and go by themselves after a time. */
const gone = ({ eventId, reference }: Tracking): Tracking => ({
  eventId, reference, status: 'gone', rank: lastRank, isFinal: true, detail: 'Twilio does not know this message any more.',
});
