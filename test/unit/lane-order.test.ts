import { expect, test } from 'vitest';
import type { Outcome } from '../../integrations/provider.ts';
import type { DeliveryState } from '../../src/deliveries/record-outcomes.ts';
import { createLane, type Lane, type LaneSettings } from '../../src/dispatcher/lane.ts';
import type { Work } from '../../src/dispatcher/work.ts';
import { newId } from '../../src/events/id.ts';
import type { EnabledIntegration } from '../../src/integrations/enabled-integrations.ts';

const integration: EnabledIntegration = {
  id: newId('intg'), organizationId: newId('org'), formId: null, provider: 'webhook', status: 'active', statusReason: null,
  events: ['response.created'], pastEvents: [], settings: {}, secrets: [], secretEnds: [], sinceVersion: 0, updatedAt: new Date(), isDeleted: false, hasPending: true,
};

const settings: LaneSettings = { concurrency: 1, batchSize: 1, batchBytes: Infinity, batchWaitMs: 0, isShared: false, isOrdered: true, scheduleMs: [1_000], spillAfterMs: 1_000, breakerFailures: 5 };

/** An ordered lane, what it has tried, and where each delivery stands, by positions. */
interface TestLane {
  lane: Lane;
  tried: number[];
  states: Map<number, DeliveryState>;
  /** A claimed delivery; it is recorded when `record` is called. */
  claimed(position: number, isOurs?: boolean): Work;
  record(position: number): void;
  /** How often it asked for more. */
  wanted(): number;
}

function openOrderedLane(outcomeOf: (position: number) => Outcome | Promise<Outcome> = () => ({ status: 'delivered' })): TestLane {
  const tried: number[] = [];
  const states = new Map<number, DeliveryState>();
  const recorded = new Map<number, (() => void) | undefined>();
  let wanted = 0;
  const lane = createLane(
    {
      attempt: async (_, works) => {
        tried.push(...works.map((work) => work.event.position));
        return { at: new Date(), durationMs: 1, outcomes: await Promise.all(works.map(async (work) => outcomeOf(work.event.position))) };
      },
      reserveTurn: () => Promise.resolve(0),
      earlierUndispatched: () => Promise.resolve([]),
      isErased: () => false,
      reportHealth: () => undefined,
      onAttempted: () => undefined,
      wantMore: () => {
        wanted += 1;
      },
      onError: (error) => {
        throw error;
      },
    },
    { integration, settings },
  );
  const claimed = (position: number, isOurs = true): Work => ({
    kind: 'claimed', deliveryId: newId('dlv'), integrationId: integration.id, event: { position } as Work['event'], lease: { partition: 0, epoch: 1 },
    attempts: 0, scheduleStart: 0, since: 0,
    isOurs: () => isOurs,
    settle: (state, onRecorded) => {
      states.set(position, state);
      recorded.set(position, onRecorded);
    },
  });
  return { lane, tried, states, claimed, record: (position) => recorded.get(position)?.(), wanted: () => wanted };
}

/** Asks as a round over pending deliveries does, and fails where the lane takes nothing now. */
function requestOf(lane: Lane) {
  const request = lane.claimRequest();
  if (!request) throw new Error('the lane takes nothing');
  return request;
}

const statusesOf = ({ states }: TestLane) => [...states].toSorted(([one], [other]) => one - other).map(([position, { status }]) => `${position} ${status}`);

test('an ordered lane that had to leave a claimed delivery out hands back those behind it', async () => {
  const { lane, claimed, tried, ...rest } = openOrderedLane();
  // the lease ran out and was had again between the second and the third
  lane.offerClaimed([claimed(1), claimed(2, false), claimed(3), claimed(4)], { ...requestOf(lane), found: 4 });
  await expect.poll(() => rest.states.size).toBe(4);

  expect(tried).toEqual([1]);
  expect(statusesOf({ lane, claimed, tried, ...rest })).toEqual(['1 delivered', '2 pending', '3 pending', '4 pending']);
});

test('what a claim brings goes back too where one before it failed meanwhile, and the next claim begins anew', async () => {
  const failing = Promise.withResolvers<Outcome>();
  const facts = openOrderedLane((position) => (position === 1 ? failing.promise : { status: 'delivered' }));
  const { lane, claimed, tried } = facts;
  const [first, second] = [claimed(1), claimed(2)];
  lane.offerClaimed([first, second], { ...requestOf(lane), found: 2 });
  const underWay = requestOf(lane);
  expect(underWay.held).toEqual([first.deliveryId, second.deliveryId]);

  failing.resolve({ status: 'retry', error: 'HTTP_STATUS', reason: 'The endpoint answered 503.' });
  await expect.poll(() => facts.states.size).toBe(2);
  lane.offerClaimed([claimed(3), claimed(4)], { ...underWay, found: 2 });
  await expect.poll(() => facts.states.size).toBe(4);
  expect(tried).toEqual([1]);
  expect(statusesOf(facts)).toEqual(['1 pending', '2 pending', '3 pending', '4 pending']);

  lane.offerClaimed([claimed(2)], { ...requestOf(lane), found: 1 });
  await expect.poll(() => tried).toEqual([1, 2]);
});

test('while those behind a failed one are at hand nothing is claimed, and they go back', async () => {
  const facts = openOrderedLane((position) => (position === 1 ? { status: 'retry', error: 'HTTP_STATUS', reason: 'The endpoint answered 503.' } : { status: 'delivered' }));
  const { lane, claimed, tried } = facts;
  const first = claimed(1);
  const requests: unknown[] = [];
  const settle = first.settle;
  first.settle = (...outcome) => {
    settle(...outcome);
    requests.push(lane.claimRequest());
  };
  lane.offerClaimed([first, claimed(2), claimed(3)], { ...requestOf(lane), found: 3 });
  await expect.poll(() => facts.states.size).toBe(3);
  expect(requests).toEqual([undefined]);
  expect(tried).toEqual([1]);
});

test('what was sent is held until it is recorded, and then the lane asks for more', async () => {
  const { lane, claimed, states, record, wanted } = openOrderedLane();
  const [first, second] = [claimed(1), claimed(2)];
  lane.offerClaimed([first, second], { ...requestOf(lane), found: 2 });
  await expect.poll(() => states.size).toBe(2);
  expect(requestOf(lane).held).toEqual([first.deliveryId, second.deliveryId]);

  const before = wanted();
  record(1);
  expect(requestOf(lane).held).toEqual([second.deliveryId]);
  expect(wanted()).toBe(before + 1);
});

test('while a call lasts that nothing can come before, no claim follows the one that found nothing', async () => {
  const never = new Promise<Outcome>(() => undefined);
  const { lane, claimed, tried, wanted } = openOrderedLane(() => never);
  lane.offerClaimed([claimed(1)], { ...requestOf(lane), found: 1 });
  await expect.poll(() => tried).toEqual([1]);
  const before = wanted();
  lane.offerClaimed([], { ...requestOf(lane), found: 0 });
  lane.offerClaimed([], { ...requestOf(lane), limit: 1, found: 0 });
  expect(wanted()).toBe(before);
});

test('what a claim brings goes back too where a pause that is over has given back those before it', async () => {
  const lasting = Promise.withResolvers<Outcome>();
  const facts = openOrderedLane((position) => (position === 1 ? lasting.promise : { status: 'delivered' }));
  const { lane, claimed, tried } = facts;
  lane.offerClaimed([claimed(1), claimed(2)], { ...requestOf(lane), found: 2 });
  const underWay = requestOf(lane);
  lane.update({ ...integration, status: 'paused', updatedAt: new Date(1) }, settings);
  lane.update({ ...integration, updatedAt: new Date(2) }, settings);
  lane.offerClaimed([claimed(3)], { ...underWay, found: 1 });

  lasting.resolve({ status: 'delivered' });
  await expect.poll(() => facts.states.size).toBe(3);
  expect(tried).toEqual([1]);
  expect(statusesOf(facts)).toEqual(['1 delivered', '2 pending', '3 pending']);
});

test('a lane that becomes ordered hands back what it has claimed in any order, and what a claim under way brings', async () => {
  const lasting = Promise.withResolvers<Outcome>();
  const facts = openOrderedLane((position) => (position === 7 ? lasting.promise : { status: 'delivered' }));
  const { lane, claimed, tried } = facts;
  lane.update(integration, { ...settings, isOrdered: false });
  lane.offerClaimed([claimed(7), claimed(9)], { ...requestOf(lane), found: 2 });
  const underWay = requestOf(lane);
  lane.update(integration, settings);
  lane.offerClaimed([claimed(4), claimed(6)], { ...underWay, found: 2 });
  lasting.resolve({ status: 'delivered' });
  await expect.poll(() => facts.states.size).toBe(4);
  expect(tried).toEqual([7]);
  expect(statusesOf(facts)).toEqual(['4 pending', '6 pending', '7 delivered', '9 pending']);

  lane.offerClaimed([claimed(3), claimed(4)], { ...requestOf(lane), found: 2 });
  await expect.poll(() => tried).toEqual([7, 3, 4]);
});
