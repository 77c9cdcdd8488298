import { AckPolicy, jetstreamManager } from '@nats-io/jetstream';
import { connect } from '@nats-io/transport-node';
import { expect, test } from 'vitest';
import { partitionOf } from '../../src/events/event.ts';
import { consumerName, ensureStream, streamName } from '../../src/stream/topology.ts';
import { createTestDatabase } from '../support/database.ts';
import { startNatsCluster, type NatsCluster } from '../support/nats-cluster.ts';
import { seedForm, seedWebhook, startPipeline, submitHousehold, waitForTally } from '../support/pipeline.ts';
import { startReceiver } from '../support/receiver.ts';

/** Makes a partition's consumer in one copy, and ends the server that has it: nobody can lead it any more. */
async function makeLeaderless(nats: NatsCluster, partition: number): Promise<void> {
  const connection = await connect({ servers: nats.url.split(',') });
  const manager = await jetstreamManager(connection, { checkAPI: false });
  // the cluster has to find itself first
  await expect.poll(() => ensureStream(manager, { replicas: 3, maxAgeMs: 3_600_000 }).catch(String), { timeout: 60_000 }).toMatchObject({ config: { num_replicas: 3 } });
  const name = consumerName(partition);
  const { cluster } = await manager.consumers.add(streamName, { name, durable_name: name, ack_policy: AckPolicy.Explicit, num_replicas: 1 });
  await connection.close();
  await nats.servers.find((server) => server.name === cluster?.leader)?.kill();
}

test('a consumer that nobody leads any more is made anew, and what is due to it delivered', { timeout: 120_000 }, async () => {
  await using database = await createTestDatabase();
  await using nats = await startNatsCluster();
  await using receiver = await startReceiver();
  const form = await seedForm(database.url);
  await seedWebhook(database.url, { ...form, url: receiver.url });
  await makeLeaderless(nats, partitionOf(form.formId));

  await using pipeline = startPipeline({ databaseUrl: database.url, natsUrl: nats.url, settings: { FORMWIRE_STREAM_REPLICAS: '3' } });
  await submitHousehold(pipeline, { formId: form.formId, count: 20 });
  await waitForTally(pipeline.pool, { responses: 20, outbox: 0, delivered: 20 }, 90_000);
});
