import { jetstream, jetstreamManager, type ConsumerMessages, type JetStreamManager } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/transport-node';
import type { Lease } from '../deliveries/record-outcomes.ts';
import type { Log } from '../log.ts';
import { pause } from '../run.ts';
import { createContinuity, type Continuity } from '../stream/continuity.ts';
import type { StreamLink } from '../stream/link.ts';
import { decodeMessage, type Incoming } from '../stream/message.ts';
import { consumerInfo, consumerName, ensureStream, isLeaderless, replaceConsumer, streamName, type StreamSettings } from '../stream/topology.ts';
import { ackedUpTo, isGivenUp, isWorthSaying, patienceMs, restMs, startOf } from './takeover.ts';

export interface ReaderDeps {
  link: StreamLink;
  stream: StreamSettings;
  log: Log;
  /** When the oldest outbox row of the partition was written, if there is one. */
  oldestUndispatched: (partition: number) => Promise<Date | undefined>;
  /** Takes one event; the next comes when it resolves, which it does when there is room for another. */
  handle: (incoming: Incoming) => Promise<void>;
  /** Whether the lease still holds, by this process's clock: another's consumer must not be touched. */
  isHeld: () => boolean;
  /** Resolves when every outcome known so far is recorded: events that are read again can be looked up then. */
  recorded: () => Promise<void>;
  /** How many events of the partition were not acked when the server was last asked. */
  onLag?: ((messages: number) => void) | undefined;
}

const prefetch = 200;
const pullMs = 5_000;
const heartbeatMs = 1_000;
const checkEveryMs = 5_000;

/**
 * Reads a partition as its only owner until `signal` aborts: takes its consumer over where the predecessor had got to,
 * and begins anew whenever the stream or the consumer is lost or was rolled back, or may have been: after every break
 * of the connection.
 */
export async function readPartition(deps: ReaderDeps, lease: Lease, signal: AbortSignal): Promise<void> {
  const { link, log } = deps;
  let failures = 0;
  while (!signal.aborted) {
    try {
      const connection = await link.opened(signal);
      await Promise.race([deps.recorded(), aborted(signal)]);
      if (deps.isHeld()) await readOnce(deps, { connection, lease, signal, failures });
      failures = 0;
    } catch (error) {
      failures += 1;
      if (!signal.aborted && isWorthSaying(failures)) log.warn({ partition: lease.partition, failures, err: error }, 'partition.interrupted');
    }
    await pause(restMs(failures), signal);
  }
}

/** From a take-over to the next. */
async function readOnce(deps: ReaderDeps, options: { connection: NatsConnection; lease: Lease; signal: AbortSignal; failures: number }): Promise<void> {
  const { connection, lease, signal, failures } = options;
  const timeoutMs = patienceMs(failures);
  const { partition } = lease;
  const manager = await jetstreamManager(connection, { timeout: timeoutMs, checkAPI: false });
  const { suspectUpTo, created } = await takeOver(deps, manager, { partition, failures });
  deps.log.debug({ partition, epoch: lease.epoch, suspectUpTo }, 'partition.taken_over');

  const consumer = await jetstream(connection, { timeout: timeoutMs }).consumers.get(streamName, consumerName(partition));
  const messages = await consumer.consume({ max_messages: prefetch, expires: pullMs, idle_heartbeat: heartbeatMs });
  const ended = new AbortController();
  const stop = () => void messages.close();
  signal.addEventListener('abort', stop, { once: true });
  if (signal.aborted) stop(); // while the consumer was being taken over
  deps.link.onReconnected(stop, ended.signal);
  const continuity = createContinuity();
  const watch = watchConsumer({ manager, messages, partition, created, continuity, onLag: deps.onLag });
  try {
    for await (const message of messages) {
      if (signal.aborted) break;
      if (!deps.isHeld()) {
        // the lease ran out while this process stood still: these are its successor's, and would come to it only after
        // `ack_wait`. In this order: what is given back must not be given out here again
        stop();
        message.nak();
        continue;
      }
      continuity.follow(message.info.deliverySequence);
      let incoming: Incoming;
      try {
        incoming = decodeMessage(message);
      } catch (error) {
        deps.log.error({ partition, sequence: message.seq, err: error }, 'message.unreadable');
        message.term('unreadable');
        continue;
      }
      await deps.handle(incoming.sequence <= suspectUpTo ? { ...incoming, suspect: true } : incoming);
    }
  } finally {
    signal.removeEventListener('abort', stop);
    ended.abort();
    watch.stop();
    await messages.close();
  }
}

interface TakenOver {
  /**
   * The sequence number up to which a message may have been dispatched before: all there are. What the predecessor's
   * consumer says of it may be as old as the stream itself, where an older copy of the store was put back.
   */
  suspectUpTo: number;
  /** When the new consumer was made: another one of its name has another time. */
  created: string;
}

async function takeOver(deps: ReaderDeps, manager: JetStreamManager, { partition, failures }: { partition: number; failures: number }): Promise<TakenOver> {
  const stream = await ensureStream(manager, deps.stream);
  const consumer = await consumerInfo(manager, partition).catch((error: unknown) => {
    if (!isLeaderless(error) || !isGivenUp(failures)) throw error;
    return undefined; // as if it had never been there: the outbox says where to begin
  });
  const oldest = await deps.oldestUndispatched(partition);
  const { firstSequence, lastSequence } = { firstSequence: stream.state.first_seq, lastSequence: stream.state.last_seq };
  const ackFloor = consumer && ackedUpTo(consumer);
  const { created } = await replaceConsumer(manager, partition, startOf({ ackFloor, firstSequence, lastSequence, oldestUndispatched: oldest }));
  return { suspectUpTo: lastSequence, created };
}

const aborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => (signal.aborted ? resolve() : signal.addEventListener('abort', () => resolve(), { once: true })));

/**
 * Ends the reading when the consumer is gone or another's, or knows more messages than the stream has (it was rolled
 * back), or has given out some that did not arrive. That it was deleted is a reason to look, not to believe it: in a
 * cluster that lags a pull reaches its predecessor of the same name too, whose deletion is then told to its successor.
 */
function watchConsumer(options: {
  manager: JetStreamManager;
  messages: ConsumerMessages;
  partition: number;
  created: string;
  continuity: Continuity;
  onLag: ReaderDeps['onLag'];
}): { stop(): void } {
  const { manager, messages, partition, created, continuity, onLag } = options;
  const look = async (): Promise<void> => {
    const consumer = await consumerInfo(manager, partition);
    const lastSequence = consumer && (await manager.streams.info(streamName)).state.last_seq;
    if (consumer) onLag?.(consumer.num_pending + consumer.num_ack_pending);
    const isSound = consumer?.created === created && lastSequence !== undefined && consumer.delivered.stream_seq <= lastSequence;
    if (!isSound || continuity.lacks({ givenOut: consumer.delivered.consumer_seq, received: messages.getReceived() })) await messages.close();
  };
  // what cannot be asked now is asked at the next time
  const check = (): Promise<void> => look().catch(() => undefined);
  const timer = setInterval(() => void check(), checkEveryMs);
  void (async () => {
    for await (const status of messages.status()) {
      if (status.type === 'consumer_deleted' || status.type === 'consumer_not_found' || status.type === 'stream_not_found') await check();
    }
  })();
  return { stop: () => clearInterval(timer) };
}
