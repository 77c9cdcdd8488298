import { jetstream } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/transport-node';
import { subjectOf, type Event } from '../events/event.ts';
import { encodeHeaders } from './message.ts';

const publishTimeoutMs = 5_000;

/**
 * Publishes an event and answers its sequence number once the server has it (in memory and on its way to disk: an
 * acknowledgement does not survive a power cut). Throws when no answer came: it may be there or not, and the same call
 * may be repeated, because the server drops a repeated id.
 */
export async function publishEvent(connection: NatsConnection, event: Event, options: { republished: boolean }): Promise<number> {
  const ack = await jetstream(connection).publish(subjectOf(event), event.body, {
    msgID: event.id,
    headers: encodeHeaders(event, options.republished),
    timeout: publishTimeoutMs,
  });
  return ack.seq;
}
