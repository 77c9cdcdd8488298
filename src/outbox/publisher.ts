import { setTimeout as sleep } from 'node:timers/promises';
import type { NatsConnection } from '@nats-io/transport-node';
import type { Pool } from 'pg';
import type { Event } from '../events/event.ts';
import type { Log } from '../log.ts';
import { repeat, type Runnable } from '../run.ts';
import type { StreamLink } from '../stream/link.ts';
import { createPublishEvent, type PublishEvent } from '../stream/publish.ts';
import { notePublished, type Published } from './outbox-rows.ts';

export interface PublisherOptions {
  link: StreamLink;
  pool: Pool;
  log: Log;
  /** How long an acknowledged event may take to be dispatched before its row is told where it is. */
  noteAfterMs: number;
  publishEvent?: PublishEvent | undefined;
  /** The stream has an event, and how long that took. */
  onPublished?: ((facts: { durationMs: number }) => void) | undefined;
  /** An event did not get through: it is the sweeper's now. */
  onFailed?: (() => void) | undefined;
}

export interface Publisher extends Runnable {
  /** Takes events of committed responses. Never waits and never fails: what it cannot take, the sweeper finds. */
  publish(events: readonly Event[]): void;
  /** Writes down where acknowledged events older than `noteAfterMs` are; part of `run`. */
  noteOverdue(): Promise<void>;
  /** Events that wait for their turn or for the stream's answer. */
  queued(): number;
  /** Resolves when there are none, or after a few seconds: what is left is the sweeper's. */
  flushed(): Promise<void>;
}

const maxInFlight = 512;
const maxQueued = 20_000;
const maxQueuedBytes = 64 * 1024 * 1024;
const maxRemembered = 100_000;
const flushMs = 5_000;

/**
 * Publishes events right after their commit, in their order, many at a time. Most are dispatched within milliseconds
 * and their rows gone; only of those that are not is the place in the stream written down, so that the sweeper need
 * not publish them again.
 */
export function createPublisher(options: PublisherOptions): Publisher {
  const { link, pool, log, noteAfterMs } = options;
  const { publishEvent = createPublishEvent() } = options;
  const queue: Event[] = [];
  let queuedBytes = 0;
  let inFlight = 0;
  let acknowledged: (Published & { at: number })[] = [];

  const send = async (connection: NatsConnection, event: Event): Promise<void> => {
    inFlight += 1;
    const began = performance.now();
    try {
      const { sequence } = await publishEvent(connection, event, { republished: false });
      options.onPublished?.({ durationMs: performance.now() - began });
      if (acknowledged.length < maxRemembered) acknowledged.push({ position: event.position, sequence, at: Date.now() });
    } catch (error) {
      options.onFailed?.();
      log.warn({ eventId: event.id, err: error }, 'event.publish_failed');
    } finally {
      inFlight -= 1;
      pump();
    }
  };

  const pump = (): void => {
    const connection = link.connected();
    if (!connection) return forgetQueue();
    while (inFlight < maxInFlight) {
      const event = queue.shift();
      if (!event) return;
      queuedBytes -= event.body.byteLength;
      void send(connection, event);
    }
  };

  /** The connection broke: the sweeper publishes these when it is back. */
  const forgetQueue = (): void => {
    queue.length = 0;
    queuedBytes = 0;
  };

  const noteOverdue = async (): Promise<void> => {
    const before = Date.now() - noteAfterMs;
    const cut = acknowledged.findIndex((entry) => entry.at > before);
    const overdue = cut === -1 ? acknowledged : acknowledged.slice(0, cut);
    acknowledged = cut === -1 ? [] : acknowledged.slice(cut);
    if (overdue.length > 0) await notePublished(pool, overdue);
  };

  const queued = (): number => queue.length + inFlight;

  return {
    name: 'publisher',
    publish: (events) => {
      if (!link.connected()) return;
      for (const event of events) {
        if (queue.length >= maxQueued || queuedBytes >= maxQueuedBytes) return;
        queue.push(event);
        queuedBytes += event.body.byteLength;
      }
      pump();
    },
    noteOverdue,
    queued,
    flushed: async () => {
      for (const giveUpAt = Date.now() + flushMs; queued() > 0 && link.connected() && Date.now() < giveUpAt; ) await sleep(5);
    },
    run: (signal) =>
      repeat({
        step: noteOverdue,
        everyMs: noteAfterMs / 2,
        onError: (error) => log.warn({ err: error }, 'outbox.note_failed'),
        signal,
      }),
  };
}
