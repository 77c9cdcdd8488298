import { expect, test } from 'vitest';
import { createLane, type LaneDeps, type LaneSettings } from '../../src/dispatcher/lane.ts';
import { newId } from '../../src/events/id.ts';
import type { EnabledIntegration } from '../../src/integrations/enabled-integrations.ts';

const deps: LaneDeps = {
  attempt: () => Promise.reject(new Error('nothing is tried here')),
  reserveTurn: () => Promise.resolve(0),
  earlierUndispatched: () => Promise.resolve([]),
  isErased: () => false,
  reportHealth: () => undefined,
  onAttempted: () => undefined,
  wantMore: () => undefined,
  onError: () => undefined,
};
const settings: LaneSettings = { concurrency: 4, batchSize: 1, batchBytes: Infinity, batchWaitMs: 0, isShared: false, isOrdered: false, scheduleMs: [1_000], spillAfterMs: 1_000, breakerFailures: 5 };
const integration: EnabledIntegration = {
  id: newId('intg'), organizationId: newId('org'), formId: null, provider: 'webhook', status: 'active', statusReason: null,
  events: ['response.created'], pastEvents: [], settings: {}, secrets: [], secretEnds: [], sinceVersion: 0, updatedAt: new Date(), isDeleted: false, hasPending: false,
};

test('a lane that has caught up waits for what is due', () => {
  const lane = createLane(deps, { integration, settings });
  const request = lane.claimRequest();
  expect(request?.mode).toBe('drain');
  if (request) lane.offerClaimed([], { ...request, found: 0 });
  expect(lane.claimRequest()?.mode).toBe('due');
});

test('a lane catches up with a partition gained while a claim for the others is under way', () => {
  const lane = createLane(deps, { integration, settings });
  const request = lane.claimRequest();
  lane.catchUp();
  if (request) lane.offerClaimed([], { ...request, found: 0 });
  expect(lane.claimRequest()?.mode).toBe('drain');
});

test('a lane goes on catching up when all it could claim at once turned out to be of erased responses', () => {
  const lane = createLane(deps, { integration, settings });
  const request = lane.claimRequest();
  if (request) lane.offerClaimed([], { ...request, found: request.limit });
  expect(lane.claimRequest()?.mode).toBe('drain');
});
