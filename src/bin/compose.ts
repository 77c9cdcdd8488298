import type { Pool } from 'pg';
import { providerNamed } from '../../integrations/index.ts';
import type { CallContext } from '../../integrations/provider.ts';
import type { Readiness } from '../api/probes.ts';
import { createCompletenessCheck, type CompletenessCheck } from '../completeness/completeness-check.ts';
import type { Config } from '../config.ts';
import { openPool } from '../db/pool.ts';
import { deliveryOrder } from '../deliveries/delivery-changes.ts';
import { redriveDead } from '../deliveries/redrive-dead.ts';
import { createDispatcher, type Dispatcher, type DispatchStep } from '../dispatcher/dispatcher.ts';
import { createRedriver, type Redriver } from '../dispatcher/redriver.ts';
import { subjectsOfForm, type Event } from '../events/event.ts';
import type { Id } from '../events/id.ts';
import { createPublishedForms, type PublishedForms } from '../forms/published-forms.ts';
import type { LiveOrder } from '../graphql/live-topic.ts';
import { callContext, type CallableIntegration } from '../integrations/call-context.ts';
import { createResponseChecks, type ResponseChecks } from '../integrations/response-checks.ts';
import { createFollower } from '../integrations/follow-trackings.ts';
import { createJobsRunner } from '../jobs/jobs-runner.ts';
import type { Log } from '../log.ts';
import { createHeartbeat, type Heartbeat } from '../processes/heartbeat.ts';
import type { Metrics } from '../monitoring/metrics.ts';
import { readinessOf } from '../monitoring/readiness.ts';
import { networkPolicy } from '../outbound/address-policy.ts';
import { createHttpClient } from '../outbound/http-client.ts';
import { createPublisher } from '../outbox/publisher.ts';
import { createSettled, eventOrder, type Settled } from '../outbox/settled.ts';
import { createSweeper, type Sweeper } from '../outbox/sweeper.ts';
import { requestId } from '../request-scope.ts';
import { rebuildEvents } from '../responses/rebuild-events.ts';
import { createSubmitter, type Submitter } from '../responses/submit-response.ts';
import { createPruner } from '../retention/pruner.ts';
import { prunesOf } from '../retention/prunes.ts';
import type { Runnable } from '../run.ts';
import type { Sealer } from '../sealing.ts';
import { announceDeliveries, announceDue, announceIntegrations, announceLeases, deliveriesSubject, followAnnouncements } from '../stream/announcements.ts';
import { openLink } from '../stream/link.ts';
import { createBell, type Bell } from '../stream/bell.ts';
import { createPublishEvent } from '../stream/publish.ts';
import type { Tracing } from '../tracing/tracing.ts';

/** The steps of a response's way, told right after they are done (`recording`: right before). */
export type Step = 'committed' | 'published' | DispatchStep;

export interface PipelineOptions {
  config: Config;
  databaseUrl: string;
  natsUrl: string;
  /** Seals and opens secrets of integrations. */
  sealer: Sealer;
  /** Whether integrations may reach loopback addresses. */
  allowLoopback: boolean;
  log: Log;
  onStep?: ((step: Step) => void) | undefined;
  /** Told of what happens, for the metrics. */
  hooks?: Partial<Metrics['hooks']> | undefined;
  /** Follows the way of responses. */
  tracing?: Tracing | undefined;
}

/** The way of a response, from its commit to its receivers: the parts this process's roles ask for. */
export interface Pipeline {
  pool: Pool;
  forms: PublishedForms;
  /** Of the orders that subscriptions follow: up to where each is settled, and what rings when there may be something new of a form. */
  orders: Record<LiveOrder, { settled: Settled; bell: Bell }>;
  submitter: Submitter;
  checks: ResponseChecks;
  /** Publishes the events of what was committed; those that do not get through are published again from the outbox. */
  onCommitted(events: readonly Event[]): void;
  sweeper: Sweeper | undefined;
  dispatcher: Dispatcher | undefined;
  redriver: Redriver | undefined;
  completeness: CompletenessCheck | undefined;
  announceIntegrations(organizationId: Parameters<typeof announceIntegrations>[1]): void;
  /** Tells dispatchers that pending deliveries are due sooner than they were. */
  announceDue(): void;
  /** Tells whoever watches them that deliveries of these forms have changed. */
  announceDeliveries(formIds: Iterable<Id<'form'>>): void;
  /** What a call of an integration's provider may use. */
  callContext(integration: CallableIntegration, signal: AbortSignal): CallContext<unknown>;
  /** Whether each role of this process can do its work, and if not, why. */
  readiness(): Promise<Readiness>;
  /** From now on it says that it is not ready. */
  leave(): void;
  /** Its connections to PostgreSQL, by what they are for; who opens more adds them. */
  pools: Map<string, Pool>;
  /** Events that wait to be published. */
  unpublished(): number;
  /** What runs until the process stops. */
  runnables: Runnable[];
  close(): Promise<void>;
}

/** Who gets how many of a process's connections to PostgreSQL. */
export interface ConnectionShares {
  /** Of the write path: two for submissions, two for recording, the rest for leases and notes. */
  write: number;
  /** Of the dispatcher's reads and claims: no query of the API can keep a delivery waiting. */
  dispatch: number;
  /** Of the API's transactions, and of what it reads of any organisation. */
  entities: number;
  /** Of the API's reads for a viewer. */
  tenant: number;
  /** Of what submissions, log-ins and the relay look up. */
  common: number;
}

export function shareConnections(total: number): ConnectionShares {
  const fixed = { write: 6, dispatch: 4, entities: 3 };
  const rest = total - fixed.write - fixed.dispatch - fixed.entities;
  const tenant = Math.ceil(rest / 2);
  return { ...fixed, tenant, common: rest - tenant };
}

export function openPipeline(options: PipelineOptions): Pipeline {
  const { config, databaseUrl, natsUrl, sealer, allowLoopback, log, onStep, hooks, tracing } = options;
  const has = (role: Config['FORMWIRE_ROLES'][number]): boolean => config.FORMWIRE_ROLES.includes(role);
  const connections = shareConnections(config.FORMWIRE_DATABASE_CONNECTIONS);
  const pool = openPool({ url: databaseUrl, max: connections.common, name: 'read', log });
  const writePool = openPool({ url: databaseUrl, max: connections.write, name: 'write', log });
  const dispatchPool = has('dispatcher') ? openPool({ url: databaseUrl, max: connections.dispatch, name: 'dispatch', log }) : undefined;
  const nats = { url: natsUrl, credentialsFile: config.FORMWIRE_NATS_CREDENTIALS };
  const publishing = openLink({ ...nats, name: 'publishing', log });
  const live = has('api') ? openLink({ ...nats, name: 'live', log }) : undefined;
  const consuming = has('dispatcher') ? openLink({ ...nats, name: 'consuming', log }) : undefined;
  const http = createHttpClient({ policy: networkPolicy({ allowLoopback }) });
  const forms = createPublishedForms({ pool });
  const stream = { replicas: config.FORMWIRE_STREAM_REPLICAS, maxAgeMs: config.FORMWIRE_STREAM_MAX_AGE };

  const publishEvent = tracing?.publishing(createPublishEvent());
  const publisher = createPublisher({
    link: publishing,
    pool: writePool,
    log,
    publishEvent,
    noteAfterMs: config.FORMWIRE_SWEEP_AFTER / 4,
    onPublished: (facts) => {
      onStep?.('published');
      hooks?.onPublished?.(facts);
    },
    onFailed: hooks?.onPublishFailed,
  });
  const onCommitted: Pipeline['onCommitted'] = (events) => {
    onStep?.('committed');
    if (log.isLevelEnabled('debug')) for (const event of events) logCommitted(log, event);
    publisher.publish(tracing ? tracing.stamped(events) : events);
  };
  const checks = createResponseChecks({ pool, providerNamed, sealer, log });
  const submitter = createSubmitter({ pool, writePool, forms, checks, onCommitted, onWritten: hooks?.onWritten, traceCommit: tracing?.commit });
  const sweeper = has('relay')
    ? createSweeper({
        pool,
        link: publishing,
        stream,
        log,
        rebuild: (rows) => rebuildEvents({ pool, forms }, rows),
        sweepAfterMs: config.FORMWIRE_SWEEP_AFTER,
        everyMs: Math.min(1_000, config.FORMWIRE_SWEEP_AFTER / 2),
        publishEvent,
        onRepublished: hooks?.onRepublished,
      })
    : undefined;
  const callContextDeps = { pool: dispatchPool ?? pool, forms, http, log, publicUrl: config.FORMWIRE_PUBLIC_URL, serviceUrls: config.FORMWIRE_OUTSIDE_URLS };
  const providerContext: Pipeline['callContext'] = (integration, signal) => callContext(callContextDeps, integration, signal);
  const dispatcher = consuming && dispatchPool
    ? createDispatcher({
        pool: dispatchPool,
        writePool,
        link: consuming,
        stream,
        callContext: providerContext,
        providerNamed,
        sealer,
        rebuild: (claimed) => rebuildEvents({ pool: dispatchPool, forms }, claimed),
        log,
        scheduleMs: config.FORMWIRE_RETRY_SCHEDULE,
        spillAfterMs: config.FORMWIRE_SPILL_AFTER,
        breakerFailures: config.FORMWIRE_BREAKER_FAILURES,
        retryPollMs: config.FORMWIRE_RETRY_POLL,
        leaseMs: config.FORMWIRE_LEASE,
        drainMs: config.FORMWIRE_DRAIN,
        announceLeases: () => announceLeases(consuming),
        onStep,
        traceIncoming: tracing?.incoming,
        followAttempt: tracing?.attempt,
        onRecorded: hooks?.onRecorded,
        onChanged: (formIds) => announceDeliveries(publishing, formIds),
        onAttempted: hooks?.onAttempted,
        onTurn: hooks?.onTurn,
      })
    : undefined;
  const jobs = dispatcher && dispatchPool
    ? createJobsRunner({
        pool: dispatchPool,
        forms,
        callContext: providerContext,
        providerNamed,
        sealer,
        log,
        scheduleMs: config.FORMWIRE_RETRY_SCHEDULE,
        pollMs: config.FORMWIRE_RETRY_POLL,
        claimMs: 3 * config.FORMWIRE_LEASE,
        rebuild: (entries) => rebuildEvents({ pool: dispatchPool, forms }, entries),
        onDue: () => {
          dispatcher.wake();
          announceDue(publishing);
        },
        drainMs: config.FORMWIRE_DRAIN,
        announceChange: (organizationId) => {
          dispatcher.integrationsChanged(organizationId);
          announceIntegrations(publishing, organizationId);
        },
      })
    : undefined;

  const follower = dispatchPool
    ? createFollower({ pool: dispatchPool, callContext: providerContext, providerNamed, sealer, log, everyMs: Math.max(1_000, config.FORMWIRE_RETRY_POLL) })
    : undefined;
  const redriver = dispatchPool && createRedriver({ redrive: () => redriveDead(dispatchPool), log });

  let isStopping = false;
  const completeness = has('relay') ? createCompletenessCheck({ pool, log }) : undefined;
  const retention = { attemptMs: config.FORMWIRE_ATTEMPT_RETENTION, endedMs: config.FORMWIRE_ENDED_RETENTION };
  const pruner = has('relay') ? createPruner({ pool, prunes: prunesOf(retention), log, onPruned: hooks?.onPruned, onPrunedAll: hooks?.onPrunedAll }) : undefined;

  return {
    pool,
    forms,
    orders: {
      events: { settled: createSettled({ pool, order: eventOrder }), bell: createBell({ link: live ?? publishing, subjectOf: subjectsOfForm }) },
      deliveryChanges: { settled: createSettled({ pool, order: deliveryOrder }), bell: createBell({ link: live ?? publishing, subjectOf: deliveriesSubject }) },
    },
    submitter,
    checks,
    onCommitted,
    sweeper,
    dispatcher,
    redriver,
    completeness,
    announceIntegrations: (organizationId) => announceIntegrations(publishing, organizationId),
    announceDue: () => announceDue(publishing),
    announceDeliveries: (formIds) => announceDeliveries(publishing, formIds),
    callContext: providerContext,
    readiness: async () => {
      const hasDatabase = await pool.query('select 1').then(() => true, () => false);
      return readinessOf({ roles: config.FORMWIRE_ROLES, hasDatabase, hasNats: publishing.connected() !== undefined, isStopping });
    },
    leave: () => {
      isStopping = true;
    },
    pools: new Map([['read', pool], ['write', writePool], ...(dispatchPool ? [['dispatch', dispatchPool] as const] : [])]),
    unpublished: publisher.queued,
    runnables: [
      publisher,
      ...(sweeper ? [sweeper] : []),
      ...(completeness ? [completeness] : []),
      ...(pruner ? [pruner] : []),
      ...(dispatcher && consuming && jobs && follower
        ? [dispatcher, jobs, follower, ...(redriver ? [redriver] : []), { name: 'announcements', run: (signal: AbortSignal) => followAnnouncements(consuming, { signal, onChanged: dispatcher.integrationsChanged, onDue: dispatcher.wake, onLeases: dispatcher.leasesChanged }) }]
        : []),
    ],
    close: async () => {
      await http.close();
      await publisher.flushed(); // or it would wait for a sweeper
      await Promise.all([publishing.close(), consuming?.close(), live?.close()]);
      await Promise.all([pool.end(), writePool.end(), dispatchPool?.end()]);
    },
  };
}

const logCommitted = (log: Log, { id, type, organizationId, formId, responseId }: Event): void =>
  log.debug({ requestId: requestId(), eventId: id, type, organizationId, formId, responseId }, 'event.committed');

/** Tells operators of this process. `url`: where it answers. */
export const heartbeatOf = ({ pool, dispatcher, readiness }: Pipeline, { roles, url, log }: { roles: Config['FORMWIRE_ROLES']; url: () => string; log: Log }): Heartbeat =>
  createHeartbeat({ pool, roles, dispatcherId: dispatcher?.id ?? null, url, reasons: async () => (await readiness()).reasons, log });

/** What the metrics look at, of the whole process. */
export const stateOf = ({ pool, submitter, unpublished, dispatcher, pools }: Pipeline): Parameters<Metrics['watch']>[0] => ({
  pool,
  unwritten: submitter.queued,
  unpublished,
  dispatcher: dispatcher?.state,
  pools: () => pools,
});
