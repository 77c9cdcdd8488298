import { jetstreamManager } from '@nats-io/jetstream';
import { connect, type NatsConnection } from '@nats-io/transport-node';
import { partitionCount } from '../events/event.ts';
import { whereToConnect, type Whereabouts } from '../stream/link.ts';
import { consumerInfo, isMissing, streamName } from '../stream/topology.ts';

/** What JetStream says of the installation. */
export interface StreamState {
  version: string;
  servers: string[];
  /** Undefined where there is no stream yet. */
  stream: { messages: number; bytes: number; replicas: number; maxAgeMs: number; lastSequence: number } | undefined;
  partitions: PartitionStream[];
}

export interface PartitionStream {
  partition: number;
  /** Events that its dispatcher has not got yet; null: it has no consumer. */
  lag: number | null;
  /** Events that its dispatcher has got and not acked. */
  inHand: number | null;
}

/** Connects for one look; throws in the client's words where that does not work within five seconds. */
export async function withStream<T>(where: Whereabouts, use: (connection: NatsConnection) => Promise<T>): Promise<T> {
  const connection = await connect({ ...whereToConnect(where), name: 'formwire-console', timeout: 5_000, reconnect: false });
  try {
    return await use(connection);
  } finally {
    await connection.close();
  }
}

export async function readStreamState(connection: NatsConnection): Promise<StreamState> {
  const manager = await jetstreamManager(connection);
  const info = await manager.streams.info(streamName).catch((error: unknown) => {
    if (isMissing(error)) return undefined;
    throw error;
  });
  const numbers = Array.from({ length: partitionCount }, (_, partition) => partition);
  const consumers = info ? await Promise.all(numbers.map((partition) => consumerInfo(manager, partition))) : [];
  return {
    version: connection.info?.version ?? 'unknown',
    servers: [connection.getServer()],
    stream: info && {
      messages: info.state.messages,
      bytes: info.state.bytes,
      replicas: info.config.num_replicas,
      maxAgeMs: info.config.max_age / 1e6,
      lastSequence: info.state.last_seq,
    },
    partitions: numbers.map((partition) => ({ partition, lag: consumers[partition]?.num_pending ?? null, inHand: consumers[partition]?.num_ack_pending ?? null })),
  };
}
