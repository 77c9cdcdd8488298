import { jetstreamManager, type ConsumerInfo, type JetStreamManager } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/transport-node';
import type { Pool } from 'pg';
import { partitionCount, partitionOf, type Event } from '../events/event.ts';
import type { Log } from '../log.ts';
import { repeat, type Runnable } from '../run.ts';
import type { StreamLink } from '../stream/link.ts';
import { createPublishEvent, type PublishEvent } from '../stream/publish.ts';
import { consumerInfo, ensureStream, isLeaderless, type StreamSettings } from '../stream/topology.ts';
import { letGoOfErased } from './erased-events.ts';
import { notePublished, readOutbox, type OutboxRow, type Published } from './outbox-rows.ts';
import { whereabouts, type StreamPosition } from './whereabouts.ts';

export interface SweeperOptions {
  pool: Pool;
  link: StreamLink;
  stream: StreamSettings;
  log: Log;
  /** Makes the events of outbox rows again; the ones whose response is erased are left out. */
  rebuild: (rows: readonly OutboxRow[]) => Promise<Event[]>;
  /** Younger rows are the publisher's business. */
  sweepAfterMs: number;
  everyMs: number;
  publishEvent?: PublishEvent | undefined;
  /** An event was published again. */
  onRepublished?: (() => void) | undefined;
}

export interface Sweeper extends Runnable {
  /** Looks once at every row older than `sweepAfterMs`, and publishes what is not on its way. Answers how many. */
  sweep(): Promise<number>;
}

const pageSize = 500;

/**
 * Publishes again what never reached the stream or can no longer come out of it. Walks the whole table in pages, so
 * that a long backlog costs one comparison a row and no write. Several sweepers do no harm: the stream drops an id it
 * has seen, and a dispatcher looks up what it has recorded.
 */
export function createSweeper(options: SweeperOptions): Sweeper {
  const { pool, link, stream, log, rebuild, sweepAfterMs, everyMs } = options;
  const { publishEvent = createPublishEvent() } = options;

  /**
   * A server that was rolled back may have the message where its consumers have been: it drops the event as known, and
   * never gives it out. Then the event is stored once more, under another message id.
   */
  const store = async (connection: NatsConnection, event: Event, places: StreamPlaces): Promise<number> => {
    let stored = await publishEvent(connection, event, { republished: true });
    while (stored.isDuplicate && stored.sequence <= places.of(event).ackFloor) {
      stored = await publishEvent(connection, event, { republished: true, insteadOf: stored.sequence });
    }
    return stored.sequence;
  };

  /** All at once, in their order on the wire. What fails is found again by the next sweep, and holds up nothing else. */
  const republish = async (connection: NatsConnection, rows: readonly OutboxRow[], places: StreamPlaces): Promise<number> => {
    const published: Published[] = [];
    const publish = async (event: Event): Promise<void> => {
      try {
        const sequence = await store(connection, event, places);
        published.push({ position: event.position, sequence });
        options.onRepublished?.();
        log.info({ eventId: event.id, formId: event.formId, sequence }, 'event.republished');
      } catch (error) {
        log.warn({ eventId: event.id, formId: event.formId, err: error }, 'event.republish_failed');
      }
    };
    const events = await rebuild(rows);
    if (events.length < rows.length) await letGoOfErased(pool, rows.map((row) => row.position));
    await Promise.all(events.map(publish));
    if (published.length > 0) await notePublished(pool, published);
    return published.length;
  };

  const sweep = async (): Promise<number> => {
    const connection = link.connected();
    if (!connection) return 0;
    const isIdle = (await readOutbox(pool, { after: 0, olderThanMs: sweepAfterMs, limit: 1 })).length === 0;
    if (isIdle) return 0;
    // before the rows: a row still here although its message had been acked by then was not recorded
    const places = await readPlaces(await jetstreamManager(connection), stream);
    let count = 0;
    let after = 0;
    for (;;) {
      const rows = await readOutbox(pool, { after, olderThanMs: sweepAfterMs, limit: pageSize });
      const last = rows.at(-1);
      if (!last || !link.connected()) return count;
      const lost = rows.filter((row) => whereabouts(row.publishedSequence, places.of(row)) === 'lost');
      if (lost.length > 0) count += await republish(connection, lost, places);
      after = last.position;
    }
  };

  return {
    name: 'sweeper',
    sweep,
    run: (signal) =>
      repeat({ step: async () => void (await sweep()), everyMs, onError: (error) => log.warn({ err: error }, 'outbox.sweep_failed'), signal }),
  };
}

interface StreamPlaces {
  of(event: { formId: string }): StreamPosition;
}

async function readPlaces(manager: JetStreamManager, settings: StreamSettings): Promise<StreamPlaces> {
  const { state: before } = await ensureStream(manager, settings);
  const partitions = Array.from({ length: partitionCount }, (_, partition) => partition);
  const consumers = await Promise.all(partitions.map((partition) => consumerInfo(manager, partition).catch(unlessLeaderless)));
  const floors = consumers.map((consumer) => floorOf(consumer, before.last_seq));
  // after the floors: a floor above the end then means that the stream was rolled back, not that it moved on
  const { state } = await ensureStream(manager, settings);
  return {
    of: (row) => ({
      firstSequence: state.first_seq,
      lastSequence: state.last_seq,
      ackFloor: floors[partitionOf(row.formId)] ?? 0,
    }),
  };
}

/**
 * Up to where a partition has come. Its ack floor stands at its last message: where it has none left, in hand or to come,
 * it has come to the stream's end as it was before it was asked.
 */
function floorOf(consumer: ConsumerInfo | undefined, lastSequence: number): number {
  if (!consumer) return 0;
  const { ack_floor: floor, num_pending: toCome, num_ack_pending: inHand } = consumer;
  return toCome + inHand === 0 ? Math.max(floor.stream_seq, lastSequence) : floor.stream_seq;
}

/** One consumer that nobody leads keeps no event of another partition from being published again. */
function unlessLeaderless(error: unknown): undefined {
  if (!isLeaderless(error)) throw error;
}
