import { expect, test } from 'vitest';
import { fateOf, type AcceptedEvent, type AccountedIntegration } from '../../src/completeness/account.ts';
import { firstIdAt, newId } from '../../src/events/id.ts';

const integration: AccountedIntegration = {
  id: newId('intg'), organizationId: newId('org'), formId: null, sinceVersion: 2, events: ['response.created'], pastEvents: [], isDeleted: false,
};
const event: AcceptedEvent = {
  id: newId('evt'), type: 'response.created', organizationId: integration.organizationId, formId: newId('form'), responseId: newId('resp'),
  position: 1, integrationsVersion: 2, acceptedAt: new Date(0), isErased: false, isQueued: false, recorded: [],
};
const recorded = (status: 'delivered' | 'pending' | 'dead' | 'canceled') => ({ ...event, recorded: [{ integrationId: newId('intg'), status: 'pending' as const }, { integrationId: integration.id, status }] });

test('what is recorded is what counts, whatever else holds', () => {
  for (const status of ['delivered', 'pending', 'dead', 'canceled'] as const) {
    expect(fateOf(recorded(status), integration)).toBe(status);
    expect(fateOf({ ...recorded(status), integrationsVersion: null, isQueued: true, isErased: true }, { ...integration, isDeleted: true, sinceVersion: 9 })).toBe(status);
  }
});

test('an event that was due and is nowhere is missing', () => {
  expect(fateOf(event, integration)).toBe('missing');
  expect(fateOf({ ...event, recorded: [{ integrationId: newId('intg'), status: 'delivered' }] }, integration)).toBe('missing');
});

test('it is not, while the outbox has it, or where nothing was due', () => {
  expect(fateOf({ ...event, isQueued: true }, integration)).toBe('queued');
  expect(fateOf({ ...event, integrationsVersion: 1 }, integration)).toBe('filtered');
  expect(fateOf({ ...event, type: 'response.amended' }, integration)).toBe('filtered');
  expect(fateOf(event, { ...integration, isDeleted: true })).toBe('filtered');
  expect(fateOf({ ...event, integrationsVersion: null }, integration)).toBe('unknown');
});

test('of an erased response there is nothing to send, but that it was erased', () => {
  expect(fateOf({ ...event, isErased: true }, integration)).toBe('canceled');
  expect(fateOf({ ...event, type: 'response.deleted', isErased: true }, { ...integration, events: ['response.deleted'] })).toBe('missing');
});

test('ids made at a time are between the lowest of it and of the next millisecond', () => {
  const before = Date.now();
  const id = newId('resp');
  expect(firstIdAt('resp', before) < id).toBe(true);
  expect(id < firstIdAt('resp', Date.now() + 1_000)).toBe(true);
  expect(firstIdAt('resp', 0)).toBe('resp_00000000000000000000000000');
});
