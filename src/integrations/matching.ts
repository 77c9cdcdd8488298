import type { Event } from '../events/event.ts';
import type { EnabledIntegration } from './enabled-integrations.ts';

/**
 * Whether an integration gets an event: it existed when the event was accepted, belongs to the form or to all forms of
 * the organisation, and asks for this type. A paused one gets it too, as pending.
 */
export function matchesEvent(integration: Pick<EnabledIntegration, 'organizationId' | 'formId' | 'sinceVersion' | 'events'>, event: Event): boolean {
  return (
    integration.organizationId === event.organizationId &&
    (integration.formId === null || integration.formId === event.formId) &&
    integration.sinceVersion <= event.integrationsVersion &&
    integration.events.includes(event.type)
  );
}
