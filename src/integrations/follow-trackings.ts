import type { Pool } from 'pg';
import type { CallContext, Provider, Tracking } from '../../integrations/provider.ts';
import { claimTrackings, endTrackings, neverTold, stopFollowing, type FollowedTracking } from '../deliveries/claim-trackings.ts';
import { quotasOf } from '../quotas/quotas-of.ts';
import { reserveTurn } from '../quotas/reserve-turn.ts';
import { pause, repeat, type Runnable } from '../run.ts';
import { integrationsById, type EnabledIntegration } from './enabled-integrations.ts';
import { openIntegration, type OpeningDeps } from './open-integration.ts';

export interface FollowerDeps extends OpeningDeps {
  pool: Pool;
  callContext: (integration: EnabledIntegration, signal: AbortSignal) => CallContext<unknown>;
  everyMs: number;
}

export interface Follower extends Runnable {
  /** Follows what is due, some hundreds at most; answers how many. */
  follow(signal: AbortSignal): Promise<number>;
}

const batchSize = 200;
/** The longest wait for a turn. Whoever has a late one is asked by the schedule, and holds up nobody else's. */
const turnMs = 5_000;

/**
 * Asks outside services what became of deliveries that they took, where no callback has told the end: after a minute, and
 * then ever more rarely for three days.
 */
export function createFollower(deps: FollowerDeps): Follower {
  const { pool, log, everyMs } = deps;

  const followOf = async (integration: EnabledIntegration, due: readonly FollowedTracking[], signal: AbortSignal): Promise<void> => {
    const opened = integration.isDeleted ? undefined : openIntegration(deps, integration);
    if (!opened || 'unusable' in opened) return integration.isDeleted ? stopFollowing(pool, due) : undefined;
    if (!opened.provider.follow) return stopFollowing(pool, due);
    const follow = opened.provider.follow.bind(opened.provider);
    await call(deps, { provider: opened.provider, integration: opened.integration }, { signal, of: (context) => follow(due.map(trackingOf), context) });
    if (!signal.aborted) await endTrackings(pool, due.filter(({ isLast }) => isLast), neverTold);
    return undefined;
  };

  const follow = async (signal: AbortSignal): Promise<number> => {
    const due = await claimTrackings(pool, batchSize);
    const byIntegration = Map.groupBy(due, ({ integrationId }) => integrationId);
    const integrations = await integrationsById(pool, [...byIntegration.keys()]);
    await Promise.all(integrations.map((integration) => followOf(integration, byIntegration.get(integration.id) ?? [], signal)));
    return due.length;
  };

  return {
    name: 'follower',
    follow,
    run: (signal) =>
      repeat({ step: async () => void (await follow(signal)), everyMs, onError: (error) => log.warn({ err: error }, 'trackings.follow_failed'), signal }),
  };
}

/** One call, after its turn and within its time. What goes wrong is logged: the service is asked again by the schedule. */
async function call(
  { pool, callContext, log }: FollowerDeps,
  { provider, integration }: { provider: Provider; integration: EnabledIntegration },
  { signal, of }: { signal: AbortSignal; of: (context: CallContext<unknown>) => Promise<void> },
): Promise<void> {
  try {
    const waitMs = await reserveTurn(pool, quotasOf(provider, integration));
    if (waitMs > turnMs) return;
    await pause(waitMs, signal);
    await of(callContext(integration, AbortSignal.any([signal, AbortSignal.timeout(provider.limits.timeoutMs)])));
  } catch (error) {
    log.warn({ integrationId: integration.id, provider: provider.name, err: error }, 'trackings.follow_failed');
  }
}

const trackingOf = ({ eventId, reference, status, rank, isFinal, detail }: FollowedTracking): Tracking =>
  ({ eventId, reference, status, rank, isFinal, ...(detail !== null && { detail }) });
