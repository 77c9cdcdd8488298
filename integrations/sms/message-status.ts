import type { Tracking } from '../provider.ts';
import { wordsOf } from './troubles.ts';

/** How far a message has come. Source: Twilio "Message resource", Status values. */
const ranks: Readonly<Record<string, number>> = {
  accepted: 1, scheduled: 1, queued: 2, sending: 3, sent: 4, canceled: 5, undelivered: 5, failed: 5, delivered: 5, read: 6,
  /** Ours: it went to the log. */
  simulated: 5,
};
const finalStatuses = new Set(['delivered', 'undelivered', 'failed', 'canceled', 'read', 'simulated']);

/** What Twilio says of a message, in an answer or in a callback. */
export interface MessageNews {
  sid: string;
  status: string;
  errorCode?: number | null | undefined;
}

/** Source: Twilio "String identifier (SID)". */
export const isMessageSid = (value: unknown): value is string => typeof value === 'string' && /^(SM|MM)[0-9a-f]{32}$/i.test(value);

/** What to note of it; undefined for a status that says nothing of a message's way. */
export function trackingOf(eventId: Tracking['eventId'], { sid, status, errorCode }: MessageNews): Tracking | undefined {
  const rank = Object.hasOwn(ranks, status) ? ranks[status] : undefined;
  if (rank === undefined) return undefined;
  const detail = status === 'simulated' ? 'Written to the log; nothing was sent.' : errorCode ? wordsOf(errorCode) : undefined;
  return { eventId, reference: sid, status, rank, isFinal: finalStatuses.has(status), ...(detail !== undefined && { detail }) };
}

/** After this nothing more is heard of a message: Twilio has it no more, or it was never sent. */
export const lastRank = 10;
