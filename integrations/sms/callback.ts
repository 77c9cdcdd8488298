import { isId } from '../../src/events/id.ts';
import type { CallbackReply, CallbackRequest, CallContext } from '../provider.ts';
import { isMessageSid, type MessageNews } from './message-status.ts';
import { noteNews, trackNews } from './note-news.ts';
import { claimMessage, noteOptOut } from './receipts.ts';
import { accountOf, type SmsSettings } from './settings.ts';
import { optedOut } from './troubles.ts';

type Context = CallContext<SmsSettings>;

/**
 * Takes what Twilio says of a message, after making sure that it is Twilio who says it. Whatever the status, there is
 * such a message: that settles an unknown outcome, and its delivery is worth another attempt at once.
 * Source: Twilio "Validating requests", "Track the message status of outbound messages".
 */
export async function takeCallback(request: CallbackRequest, context: Context): Promise<CallbackReply> {
  const { settings, ledger, now } = context;
  if (settings.simulated) return { httpStatus: 404 };
  const members = Object.fromEntries(new URLSearchParams(request.body));
  if (!(await isSigned(request, members, context))) return { httpStatus: 403 };
  const about = aboutWhat(request, members);
  if (!about) return { httpStatus: 400 };
  const { eventId, familyId, news, to } = about;
  // another receipt with the same text to the same number may have taken the message for its own: it is not both of them
  if (await claimMessage(ledger, { sid: news.sid, familyId })) await noteNews(context, { eventId, familyId, news });
  else await trackNews(context, { eventId, news });
  if (news.errorCode === optedOut && to !== undefined) await noteOptOut(ledger, { number: to, now: now() });
  return { httpStatus: 204, wake: [eventId] };
}

async function isSigned({ method, url, headers }: CallbackRequest, members: Record<string, string>, { settings }: Context): Promise<boolean> {
  const signature = headers['x-twilio-signature'];
  if (method !== 'POST' || typeof signature !== 'string') return false;
  const { default: twilio } = await import('twilio');
  return twilio.validateRequest(accountOf(settings).authToken, signature, url, members);
}

/** Our own ids come from the URL's query, which is signed with the rest. */
function aboutWhat({ url }: CallbackRequest, members: Record<string, string>) {
  const query = new URL(url).searchParams;
  const [eventId, familyId] = [query.get('event') ?? '', query.get('family') ?? ''];
  const { MessageSid: sid, MessageStatus: status, ErrorCode: code, To: to } = members;
  if (!isId('evt', eventId) || !isId('resp', familyId) || !isMessageSid(sid) || !status) return undefined;
  const news: MessageNews = { sid, status, errorCode: code === undefined ? undefined : Number(code) };
  return { eventId, familyId, news, to };
}
