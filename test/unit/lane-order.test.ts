import { expect, test } from 'vitest';
import type { DeliveryState } from '../../src/deliveries/record-outcomes.ts';
import { createLane } from '../../src/dispatcher/lane.ts';
import type { Work } from '../../src/dispatcher/work.ts';
import { newId } from '../../src/events/id.ts';
import type { EnabledIntegration } from '../../src/integrations/enabled-integrations.ts';

const integration: EnabledIntegration = {
  id: newId('intg'), organizationId: newId('org'), formId: null, provider: 'webhook', status: 'active', statusReason: null,
  events: ['response.created'], pastEvents: [], settings: {}, secrets: [], secretEnds: [], sinceVersion: 0, updatedAt: new Date(), isDeleted: false, hasPending: true,
};

test('an ordered lane that had to leave a claimed delivery out hands back those behind it', async () => {
  const tried: number[] = [];
  const states = new Map<number, DeliveryState>();
  const lane = createLane(
    {
      attempt: (_, works) => {
        tried.push(...works.map((work) => work.event.position));
        return Promise.resolve({ at: new Date(), durationMs: 1, outcomes: works.map(() => ({ status: 'delivered' })) });
      },
      reserveTurn: () => Promise.resolve(0),
      earlierUndispatched: () => Promise.resolve([]),
      isErased: () => false,
      reportHealth: () => undefined,
      onAttempted: () => undefined,
      wantMore: () => undefined,
      onError: (error) => {
        throw error;
      },
    },
    { integration, settings: { concurrency: 1, batchSize: 1, batchBytes: Infinity, batchWaitMs: 0, isShared: false, isOrdered: true, scheduleMs: [1_000], spillAfterMs: 1_000, breakerFailures: 5 } },
  );
  const claimed = (position: number): Work => ({
    kind: 'claimed', deliveryId: newId('dlv'), integrationId: integration.id, event: { position } as Work['event'], lease: { partition: 0, epoch: 1 },
    attempts: 0, scheduleStart: 0, since: 0,
    // the lease ran out and was had again between the second and the third
    isOurs: () => position !== 2,
    settle: (state) => states.set(position, state),
  });

  const request = lane.claimRequest();
  if (request) lane.offerClaimed([1, 2, 3, 4].map(claimed), { ...request, found: 4 });
  await expect.poll(() => states.size).toBe(4);

  expect(tried).toEqual([1]);
  expect([...states].map(([position, { status }]) => [position, status])).toEqual([[1, 'delivered'], [2, 'pending'], [3, 'pending'], [4, 'pending']]);
});
