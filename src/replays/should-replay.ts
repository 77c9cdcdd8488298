import { fateOf, type AcceptedEvent, type AccountedIntegration } from '../completeness/account.ts';
import type { ReplayTask } from './replay-task.ts';

/**
 * Whether a replay sends an event to an integration. Only what was due to it when it was accepted, by the dispatcher's
 * own rule; what came before an integration is for a backfill. Left out is what is on its way anyhow, what was
 * canceled, and what there is nothing to send of any more, since its response was erased.
 */
export function shouldReplay(event: AcceptedEvent, { integration, task }: { integration: AccountedIntegration; task: Pick<ReplayTask, 'eventTypes' | 'mode'> }): boolean {
  if (integration.isDeleted || !task.eventTypes.includes(event.type)) return false;
  if (event.isErased && event.type !== 'response.deleted') return false;
  switch (fateOf(event, integration)) {
    case 'dead':
    case 'missing':
      return true;
    case 'delivered':
      return task.mode === 'everything';
    case 'pending':
    case 'canceled':
    case 'queued':
    case 'filtered':
    case 'unknown':
      return false;
  }
}
