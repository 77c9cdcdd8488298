import type { DeliveryStatus } from '../deliveries/delivery.entity.ts';
import type { EventType } from '../events/event.ts';
import type { Id } from '../events/id.ts';
import { matchesEvent, type Subscriber } from '../integrations/matching.ts';

/** An event that was accepted, and what is recorded of it. */
export interface AcceptedEvent {
  id: Id<'evt'>;
  type: EventType;
  organizationId: Id<'org'>;
  formId: Id<'form'>;
  responseId: Id<'resp'>;
  position: number;
  /** null: it is from before this was kept. */
  integrationsVersion: number | null;
  acceptedAt: Date;
  /** Whether its response was erased: then there is nothing to send of it, but that it was. */
  isErased: boolean;
  /** Whether it is in the outbox: not every outcome is recorded. */
  isQueued: boolean;
  recorded: { integrationId: Id<'intg'>; status: DeliveryStatus }[];
}

export interface AccountedIntegration extends Subscriber {
  id: Id<'intg'>;
  isDeleted: boolean;
}

/**
 * What became of an event at an integration. queued: on its way to the dispatcher · filtered: not for this integration ·
 * unknown: from before it was kept to whom it was due, and never recorded · missing: due, and nowhere
 */
export const fates = ['delivered', 'pending', 'dead', 'canceled', 'queued', 'filtered', 'unknown', 'missing'] as const;
export type Fate = (typeof fates)[number];

/**
 * The first that applies: what is recorded is what counts. Nothing is owed to who is gone, nor of a response that was
 * erased. Everything else that the dispatcher would have sent must be recorded, or still be in the outbox.
 */
export function fateOf(event: AcceptedEvent, integration: AccountedIntegration): Fate {
  const recorded = event.recorded.find(({ integrationId }) => integrationId === integration.id);
  if (recorded) return recorded.status;
  const { integrationsVersion } = event;
  if (integrationsVersion === null) return 'unknown';
  if (integration.isDeleted || !matchesEvent(integration, { ...event, integrationsVersion })) return 'filtered';
  if (event.isQueued) return 'queued';
  return event.isErased && event.type !== 'response.deleted' ? 'canceled' : 'missing';
}
