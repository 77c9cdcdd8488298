import { JetStreamApiError, type ApiError } from '@nats-io/jetstream';
import type { Msg, NatsConnection } from '@nats-io/transport-node';
import { subjectOf, type Event } from '../events/event.ts';
import { encodeHeaders } from './message.ts';
import { openReplies, type Replies } from './replies.ts';

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
export type PublishEvent = (connection: NatsConnection, event: Event, options: { republished: boolean; insteadOf?: number }) => Promise<Stored>;

/** Any number of events may be on their way at a time; they keep their order. */
export function createPublishEvent(): PublishEvent {
  const known = new WeakMap<NatsConnection, Replies>();
  const repliesOf = (connection: NatsConnection): Replies => {
    const replies = known.get(connection) ?? openReplies(connection, publishTimeoutMs);
    known.set(connection, replies);
    return replies;
  };
  return async (connection, event, options) => {
    const headers = encodeHeaders(event, options);
    return readReply(await repliesOf(connection).to((reply) => connection.publish(subjectOf(event), event.body, { headers, reply })));
  };
}

/** Source: docs.nats.io, "JetStream wire API", publish acknowledgement. */
function readReply(message: Msg): Stored {
  if (message.headers?.code === 503) throw new Error('no stream takes events now');
  const { error, seq, duplicate = false } = message.json<{ error?: ApiError; seq?: number; duplicate?: boolean }>();
  if (error) throw new JetStreamApiError(error);
  if (seq === undefined) throw new Error('NATS answered something else than an acknowledgement');
  return { sequence: seq, isDuplicate: duplicate };
}
