import { expect, test } from 'vitest';
import { newId } from '../../src/events/id.ts';
import type { EventType } from '../../src/events/event.ts';
import { askFor } from '../../src/integrations/ask-for.ts';
import { matchesEvent, type Subscriber } from '../../src/integrations/matching.ts';

const [organizationId, formId] = [newId('org'), newId('form')];
const subscriber: Subscriber = { organizationId, formId, sinceVersion: 3, events: ['response.created'], pastEvents: [] };
const event = (version: number, type: EventType = 'response.created') => ({ organizationId, formId, type, integrationsVersion: version });

test('an integration gets what was accepted since it exists, of its form or of every form', () => {
  expect([2, 3, 4].map((version) => matchesEvent(subscriber, event(version)))).toEqual([false, true, true]);
  expect(matchesEvent({ ...subscriber, formId: newId('form') }, event(3))).toBe(false);
  expect(matchesEvent({ ...subscriber, formId: null }, event(3))).toBe(true);
  expect(matchesEvent({ ...subscriber, formId: null, organizationId: newId('org') }, event(3))).toBe(false);
});

test('what it asks for later says nothing about what was accepted before', () => {
  const changed = { ...subscriber };
  askFor(changed, { events: ['response.amended'], version: 5 });
  askFor(changed, { events: ['response.created', 'response.amended'], version: 8 });
  const got = (type: EventType) => [3, 4, 5, 7, 8, 9].filter((version) => matchesEvent(changed, event(version, type)));
  expect(got('response.created')).toEqual([3, 4, 8, 9]);
  expect(got('response.amended')).toEqual([5, 7, 8, 9]);
});

test('asking for the same again is no change, and there is an end to changes', () => {
  const changed = { ...subscriber };
  askFor(changed, { events: ['response.created'], version: 4 });
  expect(changed.pastEvents).toEqual([]);
  const ask = (version: number) => askFor(changed, { events: version % 2 ? ['response.created'] : ['response.amended'], version });
  for (let version = 4; version < 104; version += 1) ask(version);
  expect(() => ask(104)).toThrow('can be changed 100 times');
});
