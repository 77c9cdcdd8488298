import type { Pool } from 'pg';
import type { CallbackRequest, CallContext } from '../../integrations/provider.ts';
import { wakeDeliveries } from '../deliveries/wake-deliveries.ts';
import { isId } from '../events/id.ts';
import { integrationsById, type EnabledIntegration } from './enabled-integrations.ts';
import { openIntegration, type OpeningDeps } from './open-integration.ts';

export interface CallbackDeps extends OpeningDeps {
  pool: Pool;
  callContext: (integration: EnabledIntegration, signal: AbortSignal) => CallContext<unknown>;
  /** As in `CallContextDeps`: nobody can have been told to call back where it is undefined. */
  publicUrl: string | undefined;
  /** Pending deliveries are due now; must not wait or throw. */
  onDue: () => void;
}

/**
 * Answers what outside services call back with, also for integrations that are paused or disabled: what they tell is of
 * what they took before. Everything that is no integration with callbacks is the same 404.
 */
export function createCallbacks(deps: CallbackDeps) {
  const { pool, callContext, publicUrl, onDue } = deps;

  /** `url`: path and query, as this process was called; what stands before them outside is the public URL. */
  return async (id: string, request: CallbackRequest, signal: AbortSignal): Promise<number> => {
    if (publicUrl === undefined || !isId('intg', id)) return 404;
    const [stored] = await integrationsById(pool, [id]);
    const opened = stored && !stored.isDeleted ? openIntegration(deps, stored) : undefined;
    if (!opened || 'unusable' in opened || !opened.provider.callback) return 404;
    const { httpStatus, wake = [] } = await opened.provider.callback({ ...request, url: `${publicUrl}${request.url}` }, callContext(opened.integration, signal));
    if ((await wakeDeliveries(pool, { integrationId: id, eventIds: wake })) > 0) onDue();
    return httpStatus;
  };
}
