import { jetstreamManager, StorageType, type StreamInfo } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/transport-node';
import { partitionCount } from '../../events/event.ts';
import { isAtLeast } from '../../embedded/find-nats-server.ts';
import { consumerInfo, isMissing, streamName, type StreamSettings } from '../../stream/topology.ts';
import { spanText } from '../words.ts';
import { doubtful, sound, wrong, type Finding } from './finding.ts';

/** What NATS says of itself, of the stream and of its consumers. */
export async function checkStream(connection: NatsConnection, settings: StreamSettings): Promise<Finding[]> {
  const manager = await jetstreamManager(connection);
  const info = await manager.streams.info(streamName).catch((error: unknown) => {
    if (isMissing(error)) return undefined;
    throw error;
  });
  const version = connection.info?.version ?? '0.0.0';
  const findings = [serverFinding({ version, maxPayload: connection.info?.max_payload ?? 0, isCluster: info?.cluster?.replicas !== undefined })];
  if (!info) return [...findings, doubtful('stream', `there is no ${streamName} yet`, 'The first dispatcher makes it: start one.')];
  const consumers = await Promise.all(Array.from({ length: partitionCount }, (_, partition) => consumerInfo(manager, partition)));
  return [...findings, ...streamFindings(info, settings), ...copiesFindings(info), consumersFinding(consumers.map((consumer) => consumer !== undefined))];
}

const payloadBytes = 1024 * 1024;

export function serverFinding({ version, maxPayload, isCluster }: { version: string; maxPayload: number; isCluster: boolean }): Finding {
  const seen = `nats-server ${version} with JetStream`;
  if (!isAtLeast(version, { major: 2, minor: 9 })) return wrong('NATS', seen, 'Formwire needs 2.9 or newer: upgrade it.');
  if (maxPayload <= payloadBytes) return wrong('NATS', `${seen}, which takes messages of ${maxPayload} bytes at most`, 'Set max_payload to 2MB: a large response makes an event of up to 1 MiB and its headers.');
  if (isCluster && !isAtLeast(version, { major: 2, minor: 10 })) return doubtful('NATS', `${seen} in a cluster`, 'Upgrade to 2.10.23 or newer: older clusters lose track of consumers.');
  return sound('NATS', seen);
}

export function streamFindings({ config }: Pick<StreamInfo, 'config'>, settings: StreamSettings): Finding[] {
  const limits = [config.max_msgs, config.max_bytes, config.max_msgs_per_subject].filter((limit) => limit > 0);
  const covers = config.subjects.some((subject) => subject === 'events.>' || subject === '>');
  const [ageMs, replicas] = [config.max_age / 1e6, config.num_replicas];
  const lines = [`${replicas} ${replicas === 1 ? 'copy' : 'copies'}`, ageMs === 0 ? 'for ever' : `for ${spanText(ageMs)}`].join(', ');
  return [
    covers ? sound('stream', `${streamName} keeps events ${lines}`) : wrong('stream', `${streamName} does not take events.>`, 'Give it the subject events.>, or delete it and let a dispatcher make it anew: nothing is lost, the outbox has what is not delivered.'),
    ...(limits.length > 0 ? [doubtful('stream limits', 'it is limited by count or bytes', 'Take max_msgs, max_bytes and max_msgs_per_subject off: they make it slow, and drop events before their time.')] : []),
    ...(config.storage === StorageType.Memory ? [doubtful('stream storage', 'in memory', 'Use file storage: after a restart everything not delivered is published again from the outbox.')] : []),
    ...(replicas < settings.replicas ? [doubtful('stream copies', `${replicas}, while FORMWIRE_STREAM_REPLICAS says ${settings.replicas}`, `Run: nats stream edit ${streamName} --replicas ${settings.replicas}. A stream that is there is left as it is.`)] : []),
    ...(ageMs !== settings.maxAgeMs ? [doubtful('stream age', `${spanText(ageMs)}, while FORMWIRE_STREAM_MAX_AGE says ${spanText(settings.maxAgeMs)}`, `Run: nats stream edit ${streamName} --max-age, or set the variable to what it is.`)] : []),
  ];
}

/** Of a stream with several copies: whether each is where the leader is. */
export function copiesFindings({ cluster }: Pick<StreamInfo, 'cluster'>): Finding[] {
  const behind = (cluster?.replicas ?? []).filter(({ current, offline }) => !current || offline).map(({ name }) => name);
  if (behind.length === 0) return [];
  const mend = 'Start that server, or give it time to catch up. Where more than half of the copies are away the stream takes no events: they wait in the outbox.';
  return [doubtful('stream copies', `not up to date on ${behind.join(', ')}; ${cluster?.leader ?? 'nobody'} leads`, mend)];
}

export function consumersFinding(isThere: readonly boolean[]): Finding {
  const missing = isThere.flatMap((is, partition) => (is ? [] : [partition]));
  if (missing.length === 0) return sound('consumers', `${isThere.length}, one for each partition`);
  return doubtful('consumers', `${missing.length} of ${isThere.length} are missing`, 'A dispatcher makes that of each partition it takes: see that one runs.');
}
