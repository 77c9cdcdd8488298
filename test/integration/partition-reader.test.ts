import { jetstream } from '@nats-io/jetstream';
import { expect, test } from 'vitest';
import { readPartition } from '../../src/dispatcher/partition-reader.ts';
import { partitionOf, type Event } from '../../src/events/event.ts';
import { newId } from '../../src/events/id.ts';
import { silentLog } from '../../src/log.ts';
import { openLink } from '../../src/stream/link.ts';
import { createPublishEvent } from '../../src/stream/publish.ts';
import { consumerName, streamName } from '../../src/stream/topology.ts';
import { startTestNats } from '../support/nats.ts';

const publishEvent = createPublishEvent();
const eventsOf = (formId = newId('form')) => ({
  partition: partitionOf(formId),
  eventAt: (position: number): Event => ({
    id: newId('evt'), type: 'response.created', organizationId: newId('org'), formId, responseId: newId('resp'), position, integrationsVersion: 0, body: new Uint8Array(1),
  }),
});

test('a reader whose lease ran out gives back what it gets, for its successor to have at once', async () => {
  await using nats = await startTestNats();
  const stopping = new AbortController();
  const link = openLink({ url: nats.url, name: 'test', log: silentLog });
  const connection = await link.opened(stopping.signal);
  const { partition, eventAt } = eventsOf();
  const handled: number[] = [];
  const resumed = Promise.withResolvers<void>();
  let isHeld = true;
  const reading = readPartition(
    {
      link,
      log: silentLog,
      stream: { replicas: 1, maxAgeMs: 3_600_000 },
      oldestUndispatched: () => Promise.resolve(undefined),
      isHeld: () => isHeld,
      recorded: () => Promise.resolve(),
      handle: ({ event, ack }) => {
        handled.push(event.position);
        ack();
        return resumed.promise; // the process stands still, with more in its buffer
      },
    },
    { partition, epoch: 1 },
    stopping.signal,
  );
  await expect.poll(() => publishEvent(connection, eventAt(0), { republished: false }).then(() => true, () => false)).toBe(true);
  await expect.poll(() => handled.length, { timeout: 10_000 }).toBeGreaterThan(0);

  const events = Array.from({ length: 100 }, (_, index) => eventAt(index + 1));
  await Promise.all(events.map((event) => publishEvent(connection, event, { republished: false })));
  const consumer = await jetstream(connection).consumers.get(streamName, consumerName(partition));
  await expect.poll(async () => (await consumer.info()).num_ack_pending).toBe(events.length);
  isHeld = false;
  resumed.resolve();
  const given: number[] = [];
  for await (const message of await consumer.fetch({ max_messages: events.length, expires: 10_000 })) given.push(message.seq);

  expect(new Set(given).size).toBe(events.length);
  expect(handled).toEqual([0]);
  stopping.abort();
  await reading;
  await link.close();
});

test('a partition in which nothing happens is not read again from its beginning, however often it changes hands', async () => {
  await using nats = await startTestNats();
  const link = openLink({ url: nats.url, name: 'test', log: silentLog });
  const { partition, eventAt } = eventsOf();
  const handled: number[] = [];
  /** Reads until `isOver` holds, and stops as a process does. */
  const read = async (isOver: () => boolean): Promise<void> => {
    const stopping = new AbortController();
    const lags: number[] = [];
    const reading = readPartition(
      {
        link, log: silentLog, stream: { replicas: 1, maxAgeMs: 3_600_000 }, isHeld: () => true,
        oldestUndispatched: () => Promise.resolve(undefined),
        recorded: () => Promise.resolve(),
        onLag: (lag) => void lags.push(lag),
        handle: async ({ event, ack }) => {
          handled.push(event.position);
          ack();
        },
      },
      { partition, epoch: 1 },
      stopping.signal,
    );
    await expect.poll(() => isOver() && lags.at(-1) === 0, { timeout: 20_000 }).toBe(true);
    stopping.abort();
    await reading;
  };
  const connection = await link.opened(new AbortController().signal);
  const first = read(() => handled.length === 3);
  await expect.poll(() => publishEvent(connection, eventAt(1), { republished: false }).then(() => true, () => false), { timeout: 10_000 }).toBe(true);
  for (const position of [2, 3]) await publishEvent(connection, eventAt(position), { republished: false });
  await first;
  await read(() => true);
  await read(() => true);
  expect(handled).toEqual([1, 2, 3]);

  await publishEvent(connection, eventAt(4), { republished: false });
  await read(() => handled.length === 4);
  expect(handled).toEqual([1, 2, 3, 4]);
  await link.close();
});
