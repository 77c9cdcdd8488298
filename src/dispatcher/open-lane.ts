import type { Pool } from 'pg';
import type { CallContext, Outcome, Provider } from '../../integrations/provider.ts';
import { earlierUndispatched } from '../deliveries/dispatch-state.ts';
import type { Id } from '../events/id.ts';
import { reportHealth, type EnabledIntegration } from '../integrations/enabled-integrations.ts';
import { openIntegration } from '../integrations/open-integration.ts';
import type { Log } from '../log.ts';
import type { Sealer } from '../sealing.ts';
import { quotasOf } from '../quotas/quotas-of.ts';
import { reserveTurn } from '../quotas/reserve-turn.ts';
import { attempt, type Calls, type FollowAttempt } from './attempt.ts';
import { createLane, type Lane, type LaneSettings } from './lane.ts';
import type { Work } from './work.ts';

export interface OpenLaneOptions {
  pool: Pool;
  /** What a call of an integration's provider may use, until its signal aborts. */
  callContext: (integration: EnabledIntegration, signal: AbortSignal) => CallContext<unknown>;
  providerNamed: (name: string) => Provider | undefined;
  sealer: Sealer;
  log: Log;
  scheduleMs: readonly number[];
  spillAfterMs: number;
  breakerFailures: number;
  followAttempt?: FollowAttempt | undefined;
  /** What came of one delivery in one attempt. */
  onAttempted?: ((facts: AttemptedDelivery) => void) | undefined;
  /** A call has taken a turn at its provider's quotas, which comes in so many milliseconds. */
  onTurn?: ((facts: { provider: string; waitMs: number }) => void) | undefined;
}

/** One delivery of one attempt, for who counts them. */
export interface AttemptedDelivery {
  provider: string;
  eventId: Id<'evt'>;
  outcome: Outcome;
  /** Where the delivery stands now. */
  status: string;
  durationMs: number;
}

/** How an integration's receiver is to be served. */
export function laneSettings(options: OpenLaneOptions, integration: EnabledIntegration): LaneSettings {
  const provider = options.providerNamed(integration.provider);
  const isOrdered = provider?.isOrdered?.(integration.settings) ?? false;
  return {
    concurrency: isOrdered ? 1 : (provider?.limits.concurrency ?? 1),
    batchSize: provider?.limits.batchSize ?? 1,
    batchBytes: provider?.limits.batchBytes ?? Infinity,
    batchWaitMs: provider?.limits.batchWaitMs ?? 0,
    isShared: provider?.quotas !== undefined,
    isOrdered,
    scheduleMs: options.scheduleMs,
    spillAfterMs: options.spillAfterMs,
    breakerFailures: options.breakerFailures,
  };
}

/**
 * With its secrets opened and its settings parsed. One that no installed provider can serve waits for somebody's hand, as a
 * disabled one. `before` is what this answered the last time: while deliveries wait for it, that is twice a second.
 */
export function served(options: Pick<OpenLaneOptions, 'providerNamed' | 'sealer' | 'log'>, integration: EnabledIntegration, before?: EnabledIntegration): EnabledIntegration {
  const opened = openIntegration(options, integration, before?.statusReason);
  return 'unusable' in opened ? { ...integration, status: 'disabled', statusReason: opened.unusable } : opened.integration;
}

/** Opens the lane of an integration that `served` has looked at. */
export function openLane(facts: {
  options: OpenLaneOptions;
  integration: EnabledIntegration;
  calls: Calls;
  isErased: (work: Work) => boolean;
  wantMore: () => void;
  onAttempted: () => void;
}): Lane {
  const { options, integration, calls, isErased, wantMore } = facts;
  const { pool, log } = options;
  const provider = options.providerNamed(integration.provider);
  const onError = (error: unknown) => log.error({ integrationId: integration.id, err: error }, 'lane.failed');
  return createLane(
    {
      attempt: (current, works) => {
        if (!provider) throw new Error(`no provider named ${current.provider}`);
        return attempt({ provider, contextFor: (signal) => options.callContext(current, signal), log, calls, follow: options.followAttempt }, works);
      },
      reserveTurn: async (current) => {
        const waitMs = await reserveTurn(pool, quotasOf(provider, current));
        options.onTurn?.({ provider: current.provider, waitMs });
        return waitMs;
      },
      earlierUndispatched: ({ event, integrationId }) => earlierUndispatched(pool, { formId: event.formId, position: event.position, integrationId }),
      isErased,
      reportHealth: (current, status, reason) => {
        log.warn({ integrationId: current.id, status, reason }, `integration.${status}`);
        reportHealth(pool, { integration: current, status, reason }).catch(onError);
      },
      onAttempted: ({ work, integration: current, outcome, status, durationMs }) => {
        facts.onAttempted();
        options.onAttempted?.({ provider: current.provider, eventId: work.event.id, outcome, status, durationMs });
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
            error: 'error' in outcome ? outcome.error : undefined,
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
