import { jetstream } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/transport-node';
import { subjectOf, type Event } from '../events/event.ts';
import { encodeHeaders, messageId } from './message.ts';

const publishTimeoutMs = 5_000;

/** Where the stream has an event. `isDuplicate`: it had it before this call. */
export interface Stored {
  sequence: number;
  isDuplicate: boolean;
}

/**
 * Publishes an event and answers its place once the server has it (in memory and on its way to disk: an
 * acknowledgement does not survive a power cut). Throws when no answer came: it may be there or not, and the same call
 * may be repeated, because the server drops a repeated id. `insteadOf`: the place of its message that is of no use.
 */
export async function publishEvent(connection: NatsConnection, event: Event, options: { republished: boolean; insteadOf?: number }): Promise<Stored> {
  const ack = await jetstream(connection).publish(subjectOf(event), event.body, {
    msgID: messageId(event, options.insteadOf),
    headers: encodeHeaders(event, options.republished),
    timeout: publishTimeoutMs,
  });
  return { sequence: ack.seq, isDuplicate: ack.duplicate };
}
