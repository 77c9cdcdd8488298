import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Pool } from 'pg';
import { claimDue, integrationsWithPending, releaseClaims, type ClaimedDelivery } from '../deliveries/claim-due.ts';
import { cancelPending } from '../deliveries/cancel-pending.ts';
import { findRecorded, oldestUndispatched } from '../deliveries/dispatch-state.ts';
import { keepLeases, leaveDispatchers, releaseLeases, renewLeases } from '../deliveries/partition-leases.ts';
import type { Event } from '../events/event.ts';
import { newId, type Id } from '../events/id.ts';
import { integrationsById, integrationsOfForm } from '../integrations/enabled-integrations.ts';
import { readErasedEvents } from '../outbox/erased-events.ts';
import { repeat, type Runnable } from '../run.ts';
import type { StreamLink } from '../stream/link.ts';
import type { Incoming } from '../stream/message.ts';
import type { StreamSettings } from '../stream/topology.ts';
import { createCalls } from './attempt.ts';
import { claimedWork } from './claimed-work.ts';
import type { LaneLoad } from './lane.ts';
import { createLanes } from './lanes.ts';
import { laneSettings, openLane, served, type OpenLaneOptions } from './open-lane.ts';
import { createPartitions } from './partitions.ts';
import { createRecorder } from './recorder.ts';
import { retryRound } from './retries.ts';
import { createWaker } from './waker.ts';

/** The steps of an event's way through a dispatcher, told right before (`-ing`) or after they are done. */
export type DispatchStep = 'attempted' | 'recording' | 'recorded' | 'acked';

export interface DispatcherOptions extends OpenLaneOptions {
  /** Connections of its own for recording and for leases: nothing else can keep these waiting. */
  writePool: Pool;
  link: StreamLink;
  stream: StreamSettings;
  /** Makes events of stored responses again; those whose response is erased are left out. */
  rebuild: (claimed: readonly (ClaimedDelivery & { integrationsVersion: number })[]) => Promise<Event[]>;
  retryPollMs: number;
  leaseMs: number;
  drainMs: number;
  /** Tells other dispatchers that there are partitions to take, or to give up; must not wait or throw. */
  announceLeases: () => void;
  onStep?: ((step: DispatchStep) => void) | undefined;
  /** Follows an event from the stream until it is acked. */
  traceIncoming?: ((incoming: Incoming) => Incoming) | undefined;
  /** A batch of outcomes was written, and how long that took. */
  onRecorded?: ((batch: { entries: number; durationMs: number }) => void) | undefined;
  /** Deliveries of these forms have changed. Must not wait or throw. */
  onChanged?: ((formIds: ReadonlySet<Id<'form'>>) => void) | undefined;
}

/** What a dispatcher is at. */
export interface DispatcherState {
  /** Those it owns. */
  partitions: number[];
  /** Of each, how many events were not acked when NATS was last asked; absent until then. */
  lags: Map<number, number>;
  /** Events taken from the stream and not acked. */
  inFlight: number;
  /** Outcomes that wait to be written. */
  unrecorded: number;
  lanes: ({ integrationId: Id<'intg'>; provider: string } & LaneLoad)[];
}

export interface Dispatcher extends Runnable {
  id: Id<'dsp'>;
  /** An organisation's integrations have changed: reads them again before their next use. */
  integrationsChanged(organizationId: Id<'org'>): void;
  /** Looks at once for pending deliveries that are due. */
  wake(): void;
  /** Looks at once whether there are partitions to take, or to give up. */
  leasesChanged(): void;
  state(): DispatcherState;
}

const claimMs = 120_000;
/** Rounds over pending deliveries never follow each other faster than this, however much there is to drain. */
const leastRoundMs = 10;

/** Turns the events of the partitions it owns into attempts, and records what became of them. */
export function createDispatcher(options: DispatcherOptions): Dispatcher {
  const { pool, writePool, log, retryPollMs } = options;
  const id = newId('dsp');
  const recorder = createRecorder({ pool: writePool, owner: id, log, onStep: options.onStep, onRecorded: options.onRecorded, onChanged: options.onChanged });
  const waker = createWaker();
  const calls = createCalls();
  /** As of the last round. What the stream had before this dispatcher came is looked up anyway. */
  let erased: ReadonlySet<Id<'evt'>> = new Set();
  const lanes = createLanes({
    loadForm: (form) => integrationsOfForm(pool, form),
    loadById: (ids) => integrationsById(pool, ids),
    createLane: (integration) => openLane({ options, integration: served(options, integration), calls, isErased: ({ event }) => erased.has(event.id), wantMore: waker.wake, onAttempted: () => options.onStep?.('attempted') }),
    updateLane: (lane, integration) => lane.update(served(options, integration, lane.integration()), laneSettings(options, integration)),
  });
  const partitions = createPartitions({
    link: options.link,
    stream: options.stream,
    log,
    recorder,
    leaseMs: options.leaseMs,
    drainMs: options.drainMs,
    lanesFor: lanes.lanesFor,
    findRecorded: (events) => findRecorded(pool, events),
    oldestUndispatched: (partition) => oldestUndispatched(pool, partition),
    renew: ({ claim }) => renewLeases(writePool, { owner: id, leaseMs: options.leaseMs, claim }),
    keep: () => keepLeases(writePool, { owner: id, leaseMs: options.leaseMs }),
    leave: () => leaveDispatchers(writePool, id),
    announce: options.announceLeases,
    onOverdue: calls.giveUp,
    settled: async (numbers) => {
      await calls.ended(numbers);
      await nextTurn(); // in which what came of the last ones is handed to the recorder
      await recorder.flushed();
    },
    release: (numbers) => releaseLeases(writePool, { owner: id, partitions: numbers }),
    onGained: () => {
      for (const lane of lanes.all()) lane.catchUp();
    },
    onAcked: () => options.onStep?.('acked'),
    traceIncoming: options.traceIncoming,
  });

  const round = async (): Promise<void> => {
    if (partitions.held().length === 0) return;
    erased = await readErasedEvents(pool);
    await retryRound({
      lanes,
      pending: () => integrationsWithPending(pool),
      // what is held now, not when the round began: a partition that a request knows of must be in its claim
      claim: (requests) => claimDue(pool, { owner: id, partitions: partitions.held().map((lease) => lease.partition), claimMs, requests }),
      prepare: (claimed) =>
        claimedWork({ claimed, claimMs, rebuild: options.rebuild, partitions, recorder, release: (ids) => releaseClaims(writePool, { owner: id, ids }) }),
      cancel: (ids) => cancelPending(pool, ids),
    });
  };
  const onError = (error: unknown) => log.warn({ err: error }, 'retries.round_failed');
  const spillOverdue = async () => {
    for (const lane of lanes.all()) lane.spillOverdue();
  };

  return {
    id,
    name: 'dispatcher',
    wake: waker.wake,
    leasesChanged: partitions.look,
    integrationsChanged: (organizationId) => {
      lanes.forget(organizationId);
      const known = [...lanes.all()].map((lane) => lane.integration()).filter((one) => one.organizationId === organizationId);
      lanes.refresh(known.map((one) => one.id)).then(waker.wake, onError);
    },
    state: () => ({
      partitions: partitions.held().map((lease) => lease.partition),
      lags: partitions.lags(),
      inFlight: partitions.inFlight(),
      unrecorded: recorder.queued(),
      lanes: [...lanes.all()].map((lane) => ({ integrationId: lane.integration().id, provider: lane.integration().provider, ...lane.load() })),
    }),
    run: async (signal) => {
      const stopped = new AbortController();
      const everySecond = Math.min(1_000, options.spillAfterMs / 2);
      const retrying = waker.loop({ step: round, everyMs: retryPollMs, leastMs: leastRoundMs, onError, signal });
      const spilling = repeat({ step: spillOverdue, everyMs: everySecond, onError, signal: stopped.signal });
      signal.addEventListener('abort', () => {
        for (const lane of lanes.all()) lane.spillAll();
      });
      await partitions.run(signal);
      stopped.abort();
      calls.giveUp();
      await Promise.all([retrying, spilling]);
      recorder.close();
    },
  };
}
