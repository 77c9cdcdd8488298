import { performance } from 'node:perf_hooks';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Pool } from 'pg';
import type { HttpClient, Provider } from '../../integrations/provider.ts';
import { claimDue, integrationsWithPending, type ClaimedDelivery } from '../deliveries/claim-due.ts';
import { cancelPending } from '../deliveries/cancel-pending.ts';
import { earlierUndispatched, findRecorded, oldestUndispatched } from '../deliveries/dispatch-state.ts';
import { leaveDispatchers, releaseLeases, renewLeases } from '../deliveries/partition-leases.ts';
import type { Lease } from '../deliveries/record-outcomes.ts';
import type { Event } from '../events/event.ts';
import { newId, type Id } from '../events/id.ts';
import { integrationsById, integrationsOfForm, reportHealth, type EnabledIntegration } from '../integrations/enabled-integrations.ts';
import type { Log } from '../log.ts';
import { repeat, type Runnable } from '../run.ts';
import type { StreamLink } from '../stream/link.ts';
import type { StreamSettings } from '../stream/topology.ts';
import { attempt, createCalls, type Calls } from './attempt.ts';
import { createLane, type Lane, type LaneSettings } from './lane.ts';
import { createLanes } from './lanes.ts';
import { createPartitions } from './partitions.ts';
import { createRecorder, type Recorder } from './recorder.ts';
import { retryRound } from './retries.ts';
import { createWaker } from './waker.ts';
import type { Work } from './work.ts';

/** The steps of an event's way through a dispatcher, told right before (`-ing`) or after they are done. */
export type DispatchStep = 'attempted' | 'recording' | 'recorded' | 'acked';

export interface DispatcherOptions {
  pool: Pool;
  /** Connections of its own for recording and for leases: nothing else can keep these waiting. */
  writePool: Pool;
  link: StreamLink;
  stream: StreamSettings;
  http: HttpClient;
  providerNamed: (name: string) => Provider | undefined;
  /** Makes events of stored responses again; those whose response is gone are left out. */
  rebuild: (claimed: readonly (ClaimedDelivery & { integrationsVersion: number })[]) => Promise<Event[]>;
  log: Log;
  scheduleMs: readonly number[];
  spillAfterMs: number;
  breakerFailures: number;
  retryPollMs: number;
  leaseMs: number;
  drainMs: number;
  onStep?: ((step: DispatchStep) => void) | undefined;
}

export interface Dispatcher extends Runnable {
  id: Id<'dsp'>;
  /** An organisation's integrations have changed: reads them again before their next use. */
  integrationsChanged(organizationId: Id<'org'>): void;
  /** Looks at once for pending deliveries that are due. */
  wake(): void;
  state(): { partitions: number[]; inFlight: number; lanes: { integrationId: Id<'intg'>; queued: number; running: number; breaker: string }[] };
}

const claimMs = 120_000;
/** Rounds over pending deliveries never follow each other faster than this, however much there is to drain. */
const leastRoundMs = 10;

/** Turns the events of the partitions it owns into attempts, and records what became of them. */
export function createDispatcher(options: DispatcherOptions): Dispatcher {
  const { pool, writePool, log, retryPollMs } = options;
  const id = newId('dsp');
  const recorder = createRecorder({ pool: writePool, owner: id, log, onStep: options.onStep });
  const waker = createWaker();
  const calls = createCalls();
  const lanes = createLanes({
    loadForm: (form) => integrationsOfForm(pool, form),
    loadById: (ids) => integrationsById(pool, ids),
    createLane: (integration) => openLane({ options, integration: served(options, integration), calls, wantMore: waker.wake }),
    updateLane: (lane, integration) => lane.update(served(options, integration), laneSettings(options, integration)),
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
  });

  const round = async (): Promise<void> => {
    if (partitions.held().length === 0) return;
    await retryRound({
      lanes,
      pending: () => integrationsWithPending(pool),
      // what is held now, not when the round began: a partition that a request knows of must be in its claim
      claim: (requests) => claimDue(pool, { owner: id, partitions: partitions.held().map((lease) => lease.partition), claimMs, requests }),
      prepare: (claimed) => prepareClaimed({ claimed, options, partitions, recorder }),
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
    integrationsChanged: (organizationId) => {
      lanes.forget(organizationId);
      const known = [...lanes.all()].map((lane) => lane.integration()).filter((one) => one.organizationId === organizationId);
      lanes.refresh(known.map((one) => one.id)).then(waker.wake, onError);
    },
    state: () => ({
      partitions: partitions.held().map((lease) => lease.partition),
      inFlight: partitions.inFlight(),
      lanes: [...lanes.all()].map((lane) => ({ integrationId: lane.integration().id, ...lane.load() })),
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
      await leaveDispatchers(pool, id).catch(onError);
    },
  };
}

function laneSettings(options: DispatcherOptions, integration: EnabledIntegration): LaneSettings {
  const provider = options.providerNamed(integration.provider);
  const isOrdered = provider?.isOrdered?.(integration.settings) ?? false;
  return {
    concurrency: isOrdered ? 1 : (provider?.limits.concurrency ?? 1),
    batchSize: provider?.limits.batchSize ?? 1,
    isOrdered,
    scheduleMs: options.scheduleMs,
    spillAfterMs: options.spillAfterMs,
    breakerFailures: options.breakerFailures,
  };
}

/** With its settings parsed. One that no installed provider can serve waits for somebody's hand, as a disabled one. */
function served(options: DispatcherOptions, integration: EnabledIntegration): EnabledIntegration {
  const provider = options.providerNamed(integration.provider);
  if (!provider) return { ...integration, status: 'disabled', statusReason: `No provider named ${integration.provider} is installed.` };
  const parsed = provider.settings.safeParse(integration.settings);
  if (!parsed.success) return { ...integration, status: 'disabled', statusReason: `Its settings do not fit the provider: ${parsed.error.message}` };
  return { ...integration, settings: parsed.data };
}

function openLane(facts: { options: DispatcherOptions; integration: EnabledIntegration; calls: Calls; wantMore: () => void }): Lane {
  const { options, integration, calls, wantMore } = facts;
  const { pool, log, http } = options;
  const provider = options.providerNamed(integration.provider);
  const onError = (error: unknown) => log.error({ integrationId: integration.id, err: error }, 'lane.failed');
  return createLane(
    {
      attempt: (current, works) => {
        if (!provider) throw new Error(`no provider named ${current.provider}`);
        return attempt({ provider, settings: current.settings, secrets: current.secrets, http, log, calls }, works);
      },
      earlierUndispatched: ({ event, integrationId }) => earlierUndispatched(pool, { formId: event.formId, position: event.position, integrationId }),
      reportHealth: (current, status, reason) => {
        log.warn({ integrationId: current.id, status, reason }, `integration.${status}`);
        reportHealth(pool, { integration: current, status, reason }).catch(onError);
      },
      onAttempted: ({ work, integration: current, outcome, status, durationMs }) => {
        options.onStep?.('attempted');
        const isFine = outcome.status === 'delivered';
        log[isFine ? 'debug' : 'info'](
          {
            deliveryId: work.deliveryId,
            eventId: work.event.id,
            formId: work.event.formId,
            integrationId: current.id,
            provider: current.provider,
            attempt: work.attempts + 1,
            outcome: outcome.status,
            status,
            durationMs,
            httpStatus: outcome.httpStatus,
            error: isFine ? undefined : outcome.error,
          },
          'delivery.attempted',
        );
      },
      wantMore,
      onError,
    },
    { integration, settings: laneSettings(options, integration) },
  );
}

/** Claimed deliveries with their events, ready for a lane. */
async function prepareClaimed(facts: {
  claimed: readonly ClaimedDelivery[];
  options: DispatcherOptions;
  partitions: { held(): Lease[]; isHeld(lease: Lease): boolean };
  recorder: Recorder;
}): Promise<Work[]> {
  const { claimed, options, partitions, recorder } = facts;
  if (claimed.length === 0) return [];
  const expiresAt = performance.now() + claimMs / 2; // half, so that an attempt begun before it ends before the claim does
  const events = new Map((await options.rebuild(claimed.map((one) => ({ ...one, integrationsVersion: 0 })))).map((event) => [event.id, event]));
  const leases = new Map(partitions.held().map((lease) => [lease.partition, lease]));
  return claimed.flatMap((one): Work[] => {
    const event = events.get(one.eventId);
    const lease = leases.get(one.partition);
    if (!event || !lease) return [];
    return [
      {
        kind: 'claimed',
        deliveryId: one.id,
        integrationId: one.integrationId,
        event,
        lease,
        attempts: one.attempts,
        scheduleStart: one.scheduleStart,
        since: performance.now(),
        isOurs: () => partitions.isHeld(lease) && performance.now() < expiresAt,
        settle: (state, onRecorded) => recorder.retry({ ...state, id: one.id, lease }, onRecorded),
      },
    ];
  });
}
