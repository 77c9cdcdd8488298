import type { Event } from '../../src/events/event.ts';
import type { FormShape } from '../provider.ts';
import { messageText } from './message-text.ts';
import { readReceiptEvent } from './receipt-event.ts';
import { recipientOf } from './recipient.ts';
import { countSegments, type Segments } from './segments.ts';
import type { SmsSettings } from './settings.ts';

/** What a receipt would be. `problem`: why none would go out for this response, whatever else there is to see. */
export type ReceiptPreview = { recipient: string | null; text: string | null; problem: string | null } & { [Member in keyof Segments]: Segments[Member] | null };

/** Makes the receipt of an event and sends nothing. */
export function previewReceipt(event: Event, { settings, form }: { settings: SmsSettings; form: FormShape }): ReceiptPreview {
  const response = readReceiptEvent(event);
  const unknown = { recipient: null, text: null, encoding: null, characters: null, segments: null };
  if (!response) return { ...unknown, problem: 'An erased response gets no receipt.' };
  const recipient = recipientOf(response, settings);
  const message = messageText(settings.template, { form, response });
  const problems = [
    recipient.kind === 'number' ? undefined : recipient.reason,
    message.kind === 'text' ? undefined : message.reason,
    response.flags.length > 0 && !settings.flagged ? 'The response is flagged.' : undefined,
  ].filter((problem) => problem !== undefined);
  return {
    ...unknown,
    ...(recipient.kind === 'number' && { recipient: recipient.number }),
    ...(message.kind === 'text' && { text: message.text, ...countSegments(message.text) }),
    problem: problems.length > 0 ? problems.join(' ') : null,
  };
}
