import type { EventType } from '../events/event.ts';
import { UserError } from '../user-error.ts';
import type { Integration } from './integration.entity.ts';

/** Past it the row would grow without an end; nobody changes their mind as often. */
const maxPast = 100;

/**
 * Has an integration get other types of events, from the version on that this change makes of the organisation's
 * integrations. What it got before is kept: an event that was accepted earlier goes by that. Throws UserError.
 */
export function askFor(
  integration: Pick<Integration, 'events' | 'pastEvents'>,
  { events, version }: { events: EventType[]; version: number },
): void {
  if (events.join() === integration.events.join()) return;
  if (integration.pastEvents.length >= maxPast) {
    throw new UserError('TOO_MANY', `The events of an integration can be changed ${maxPast} times; connect another one in its place.`, ['events']);
  }
  integration.pastEvents = [...integration.pastEvents, { until: version, events: integration.events }];
  integration.events = events;
}
