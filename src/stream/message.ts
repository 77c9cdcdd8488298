import type { JsMsg } from '@nats-io/jetstream';
import { headers, type MsgHdrs } from '@nats-io/transport-node';
import { eventTypes, type Event, type EventType } from '../events/event.ts';
import { isId, type Id, type IdPrefix } from '../events/id.ts';

const header = {
  messageId: 'Nats-Msg-Id',
  organization: 'Formwire-Organization',
  response: 'Formwire-Response',
  position: 'Formwire-Position',
  integrationsVersion: 'Formwire-Integrations-Version',
  republished: 'Formwire-Republished',
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
export const messageId = (event: Event, insteadOf?: number): string => (insteadOf === undefined ? event.id : `${event.id}.${insteadOf}`);

/** What a message says of its event besides the body, which is the event's own bytes, and its id. */
export function encodeHeaders(event: Event, republished: boolean): MsgHdrs {
  const encoded = headers();
  encoded.set(header.organization, event.organizationId);
  encoded.set(header.response, event.responseId);
  encoded.set(header.position, String(event.position));
  encoded.set(header.integrationsVersion, String(event.integrationsVersion));
  if (republished) encoded.set(header.republished, '1');
  return encoded;
}

/** Reads a message back. Throws where it is none of ours: somebody else published under our subjects. */
export function decodeMessage(message: JsMsg): Incoming {
  const [, , , formId = '', noun, verb] = message.subject.split('.');
  const type = `${noun}.${verb}`;
  if (!isEventType(type)) throw new Error(`message ${message.seq} has the unknown type ${type}`);
  return {
    event: {
      id: checkedId(message, 'evt', message.headers?.get(header.messageId).split('.')[0] ?? ''),
      type,
      organizationId: idHeader(message, header.organization, 'org'),
      formId: checkedId(message, 'form', formId),
      responseId: idHeader(message, header.response, 'resp'),
      position: numberHeader(message, header.position),
      integrationsVersion: numberHeader(message, header.integrationsVersion),
      body: message.data,
    },
    sequence: message.seq,
    suspect: message.redelivered || message.headers?.get(header.republished) === '1',
    ack: () => message.ack(),
  };
}

const isEventType = (type: string): type is EventType => (eventTypes as readonly string[]).includes(type);

function idHeader<P extends IdPrefix>(message: JsMsg, name: string, prefix: P): Id<P> {
  return checkedId(message, prefix, message.headers?.get(name) ?? '');
}

function checkedId<P extends IdPrefix>(message: JsMsg, prefix: P, value: string): Id<P> {
  if (!isId(prefix, value)) throw new Error(`message ${message.seq} has no ${prefix} id`);
  return value;
}

function numberHeader(message: JsMsg, name: string): number {
  const value = Number(message.headers?.get(name));
  if (!Number.isSafeInteger(value)) throw new Error(`message ${message.seq} has no ${name}`);
  return value;
}
