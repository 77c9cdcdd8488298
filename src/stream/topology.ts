import {
  AckPolicy,
  DeliverPolicy,
  DiscardPolicy,
  JetStreamApiError,
  RetentionPolicy,
  StorageType,
  type ConsumerInfo,
  type JetStreamManager,
  type StreamInfo,
} from '@nats-io/jetstream';
import { nanos, TimeoutError } from '@nats-io/transport-node';

export const streamName = 'EVENTS';

/** How long the stream knows a message id again; a republished event within it is dropped by the server. */
export const duplicateWindowMs = 5 * 60_000;
const ackWaitMs = 60_000;
/** Messages of a partition in the hands of its dispatcher, at most; a slow receiver's are spilled long before. */
export const maxAckPending = 4_096;

export interface StreamSettings {
  replicas: number;
  maxAgeMs: number;
}

export const consumerName = (partition: number): string => `dispatch-${partition.toString(16)}`;

/**
 * Makes the stream where it is missing; leaves one that is there as its operator set it up.
 * Only settings that nats-server 2.9 knows: older servers ignore newer ones without a word.
 */
export async function ensureStream(manager: JetStreamManager, settings: StreamSettings): Promise<StreamInfo> {
  try {
    return await manager.streams.info(streamName);
  } catch (error) {
    if (!isMissing(error)) throw error;
  }
  return manager.streams.add({
    name: streamName,
    subjects: ['events.>'],
    storage: StorageType.File,
    retention: RetentionPolicy.Limits,
    discard: DiscardPolicy.Old,
    max_age: nanos(settings.maxAgeMs),
    duplicate_window: nanos(Math.min(duplicateWindowMs, settings.maxAgeMs)),
    num_replicas: settings.replicas,
    deny_delete: true,
    deny_purge: true,
  });
}

/** Where a consumer begins: at a sequence number, or at the first message stored since a time. */
export type ConsumerStart = { sequence: number } | { since: Date };

/**
 * Replaces a partition's consumer by a new one that begins where its predecessor had got to, and answers it. Un-acked messages come at
 * once and in order that way; with the old consumer they would come after `ack_wait`, behind newer ones.
 */
export async function replaceConsumer(manager: JetStreamManager, partition: number, start: ConsumerStart): Promise<ConsumerInfo> {
  const name = consumerName(partition);
  await manager.consumers.delete(streamName, name).catch((error: unknown) => {
    if (!isMissing(error)) throw error;
  });
  return manager.consumers.add(streamName, {
    name,
    durable_name: name,
    filter_subject: `events.${partition.toString(16)}.>`,
    ack_policy: AckPolicy.Explicit,
    ack_wait: nanos(ackWaitMs),
    max_deliver: -1,
    max_ack_pending: maxAckPending,
    ...('sequence' in start
      ? { deliver_policy: DeliverPolicy.StartSequence, opt_start_seq: Math.max(1, start.sequence) }
      : { deliver_policy: DeliverPolicy.StartTime, opt_start_time: start.since.toISOString() }),
  });
}

/** A partition's consumer, or undefined where there is none. */
export async function consumerInfo(manager: JetStreamManager, partition: number): Promise<ConsumerInfo | undefined> {
  try {
    return await manager.consumers.info(streamName, consumerName(partition));
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

/** Whether JetStream says that the stream or consumer is not there, as opposed to not being reachable. */
export function isMissing(error: unknown): boolean {
  return error instanceof JetStreamApiError && error.status === 404;
}

/** JSClusterNotAvailErr. Source: nats-server, server/errors.json. */
const notAvailable = 10_008;

/**
 * Whether what was asked about has no leader who could answer: for the moment of an election, or for ever. JetStream says
 * so where the server that is asked has a copy of it, and is silent where it has none.
 */
export function isLeaderless(error: unknown): boolean {
  return error instanceof TimeoutError || (error instanceof JetStreamApiError && error.code === notAvailable);
}
