import type { Event, EventType } from '../events/event.ts';
import type { EnabledIntegration } from './enabled-integrations.ts';

/** What decides whether an integration gets an event. */
export type Subscriber = Pick<EnabledIntegration, 'organizationId' | 'formId' | 'sinceVersion' | 'events' | 'pastEvents'>;
export type MatchedEvent = Pick<Event, 'organizationId' | 'formId' | 'type' | 'integrationsVersion'>;

/**
 * Whether an integration gets an event: it existed when the event was accepted, belongs to the form or to all forms of
 * the organisation, and asked for this type then. A paused one gets it too, as pending. What is asked for later changes
 * nothing about it, so that the answer is the same whenever the question comes.
 */
export function matchesEvent(integration: Subscriber, event: MatchedEvent): boolean {
  return (
    integration.organizationId === event.organizationId &&
    (integration.formId === null || integration.formId === event.formId) &&
    integration.sinceVersion <= event.integrationsVersion &&
    eventsAt(integration, event.integrationsVersion).includes(event.type)
  );
}

/** The types of events that an integration asked for when the organisation's integrations had this version. */
function eventsAt({ events, pastEvents }: Pick<Subscriber, 'events' | 'pastEvents'>, version: number): readonly EventType[] {
  return pastEvents.find(({ until }) => version < until)?.events ?? events;
}
