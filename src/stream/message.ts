import type { JsMsg } from '@nats-io/jetstream';
import { headers, type MsgHdrs } from '@nats-io/transport-node';
import { eventTypes, type Event, type EventType } from '../events/event.ts';
import { isId, type Id, type IdPrefix } from '../events/id.ts';

const header = {
  messageId: 'Nats-Msg-Id',
  /** Organisation, response, position, integrations version, and `again` where it was published before. */
  event: 'Formwire-Event',
  /** Only where the way of the event is traced. */
  traceparent: 'traceparent',
} as const;

/** An event as it came out of the stream. */
export interface Incoming {
  event: Event;
  /** Its place in the stream. */
  sequence: number;
  /** It may have been dispatched before: what is recorded must be looked up first. */
  suspect: boolean;
  ack(): void;
}

/**
 * The id by which the server drops a message it has already: the event's, or of one that is stored once more because
 * nothing comes out of the place `insteadOf` any more, both. The same call gives the same id, whoever makes it.
 */
const messageId = (event: Event, insteadOf?: number): string => (insteadOf === undefined ? event.id : `${event.id}.${insteadOf}`);

/**
 * What a message says of its event besides the body, which is the event's own bytes. In few headers: each costs both
 * ends more than everything in it.
 */
export function encodeHeaders(event: Event, { republished, insteadOf }: { republished: boolean; insteadOf?: number }): MsgHdrs {
  const { organizationId, responseId, position, integrationsVersion } = event;
  const encoded = headers();
  encoded.append(header.messageId, messageId(event, insteadOf));
  encoded.append(header.event, `${organizationId} ${responseId} ${position} ${integrationsVersion}${republished ? ' again' : ''}`);
  if (event.traceparent !== undefined) encoded.append(header.traceparent, event.traceparent);
  return encoded;
}

/** Reads a message back. Throws where it is none of ours: somebody else published under our subjects. */
export function decodeMessage(message: JsMsg): Incoming {
  const [, , , formId = '', noun, verb] = message.subject.split('.');
  const type = `${noun}.${verb}`;
  if (!isEventType(type)) throw new Error(`message ${message.seq} has the unknown type ${type}`);
  const [organizationId = '', responseId = '', position, integrationsVersion, again] = (message.headers?.get(header.event) ?? '').split(' ');
  const traceparent = message.headers?.get(header.traceparent) ?? '';
  return {
    event: {
      id: checkedId(message, 'evt', message.headers?.get(header.messageId).split('.')[0] ?? ''),
      type,
      organizationId: checkedId(message, 'org', organizationId),
      formId: checkedId(message, 'form', formId),
      responseId: checkedId(message, 'resp', responseId),
      position: checkedNumber(message, position),
      integrationsVersion: checkedNumber(message, integrationsVersion),
      body: message.data,
      ...(traceparent !== '' && { traceparent }),
    },
    sequence: message.seq,
    suspect: message.redelivered || again !== undefined,
    ack: () => message.ack(),
  };
}

const isEventType = (type: string): type is EventType => (eventTypes as readonly string[]).includes(type);

function checkedId<P extends IdPrefix>(message: JsMsg, prefix: P, value: string): Id<P> {
  if (!isId(prefix, value)) throw new Error(`message ${message.seq} has no ${prefix} id`);
  return value;
}

function checkedNumber(message: JsMsg, text: string | undefined): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value)) throw new Error(`message ${message.seq} does not say where its event stands`);
  return value;
}
