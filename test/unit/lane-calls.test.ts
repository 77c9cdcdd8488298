import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { Outcome } from '../../integrations/provider.ts';
import type { DeliveryState } from '../../src/deliveries/record-outcomes.ts';
import { createLane, type LaneSettings } from '../../src/dispatcher/lane.ts';
import type { Work } from '../../src/dispatcher/work.ts';
import { newId } from '../../src/events/id.ts';
import type { EnabledIntegration } from '../../src/integrations/enabled-integrations.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const integration: EnabledIntegration = {
  id: newId('intg'), organizationId: newId('org'), formId: null, provider: 'sheet', status: 'active', statusReason: null,
  events: ['response.created'], pastEvents: [], settings: {}, secrets: [], secretEnds: [], sinceVersion: 0, updatedAt: new Date(), isDeleted: false, hasPending: false,
};
const batching: LaneSettings = {
  concurrency: 1, batchSize: 3, batchBytes: Infinity, batchWaitMs: 1_000, isShared: false, isOrdered: false,
  scheduleMs: [1_000], spillAfterMs: 5_000, breakerFailures: 10,
};

/** A lane whose calls are told, each with the positions it took along, and answered by `answer`. */
function begin(options: { settings?: Partial<LaneSettings>; answer?: (position: number) => Outcome; turnInMs?: () => number }) {
  const { settings, answer = () => ({ status: 'delivered' }), turnInMs = () => 0 } = options;
  const calls: number[][] = [];
  const states = new Map<number, DeliveryState>();
  const health: string[] = [];
  const lane = createLane(
    {
      attempt: (_, works) => {
        calls.push(works.map((work) => work.event.position));
        return Promise.resolve({ at: new Date(), durationMs: 1, outcomes: works.map((work) => answer(work.event.position)) });
      },
      reserveTurn: () => Promise.resolve(turnInMs()),
      earlierUndispatched: () => Promise.resolve([]),
      isErased: () => false,
      reportHealth: (_, status, reason) => health.push(`${status}: ${reason ?? ''}`),
      onAttempted: () => undefined,
      wantMore: () => undefined,
      onError: (error) => {
        throw error;
      },
    },
    { integration, settings: { ...batching, ...settings } },
  );
  const work = (kind: Work['kind'], position: number): Work => ({
    kind, deliveryId: newId('dlv'), integrationId: integration.id, event: { position, body: Buffer.alloc(10) } as unknown as Work['event'],
    lease: { partition: 0, epoch: 1 }, attempts: 0, scheduleStart: 0, since: performance.now(), isOurs: () => true,
    settle: (state, onRecorded) => {
      states.set(position, state);
      onRecorded?.();
    },
  });
  const offer = (...positions: number[]) => positions.forEach((position) => lane.offer(work('first', position)));
  const offerClaimed = (...positions: number[]) => {
    const request = lane.claimRequest();
    if (request) lane.offerClaimed(positions.map((position) => work('claimed', position)), { ...request, found: positions.length });
    return request;
  };
  return { lane, calls, states, health, offer, offerClaimed };
}

test('a lane that gathers sends what has come within its wait, and the rest in further calls', async () => {
  const { offer, calls } = begin({});
  offer(1);
  await vi.advanceTimersByTimeAsync(500);
  offer(2, 3, 4);
  expect(calls).toEqual([]);
  await vi.advanceTimersByTimeAsync(600);
  expect(calls).toEqual([[1, 2, 3]]);
  await vi.advanceTimersByTimeAsync(1_100);
  expect(calls).toEqual([[1, 2, 3], [4]]);
});

test('at a shared quota the batch is made when the turn has come', async () => {
  const { offer, calls } = begin({ settings: { isShared: true }, turnInMs: () => 3_000 });
  offer(1);
  await vi.advanceTimersByTimeAsync(2_900);
  offer(2);
  await vi.advanceTimersByTimeAsync(200);
  expect(calls).toEqual([[1, 2]]);
});

test('what was claimed goes back where the turn is far away, until then, and no more is claimed', async () => {
  const { offerClaimed, lane, calls, states } = begin({ settings: { isShared: true }, turnInMs: () => 120_000 });
  offerClaimed(1, 2);
  await vi.advanceTimersByTimeAsync(10);
  expect([...states.values()].map(({ status, attempts }) => ({ status, attempts }))).toEqual([{ status: 'pending', attempts: 0 }, { status: 'pending', attempts: 0 }]);
  expect(states.get(1)?.nextAttemptAt?.getTime()).toBeGreaterThan(Date.now() + 100_000);
  expect(lane.claimRequest()).toBeUndefined();
  await vi.advanceTimersByTimeAsync(119_500);
  offerClaimed(1, 2);
  await vi.advanceTimersByTimeAsync(1_000);
  expect(calls).toEqual([[1, 2]]);
});

test('a throttled call costs no attempt, and nothing is sent for as long as the service asks', async () => {
  let isThrottling = true;
  const answer = (): Outcome => (isThrottling ? { status: 'throttled', reason: 'Too many calls.', afterMs: 3_000 } : { status: 'delivered' });
  const { offer, calls, states, lane, health } = begin({ answer, settings: { batchWaitMs: 0, batchSize: 1, concurrency: 2 } });
  offer(1);
  await vi.advanceTimersByTimeAsync(1);
  expect(states.get(1)).toMatchObject({ status: 'pending', attempts: 0, attempt: undefined, reason: 'Too many calls.' });
  isThrottling = false;
  offer(2, 3);
  await vi.advanceTimersByTimeAsync(2_900);
  expect(calls).toEqual([[1]]);
  expect(lane.claimRequest()).toBeUndefined();
  await vi.advanceTimersByTimeAsync(200);
  expect(calls).toEqual([[1], [2], [3]]);
  expect(health).toEqual([]);
});

test('a delivery that is deferred waits by itself, costs no attempt, and holds nobody up', async () => {
  const answer = (position: number): Outcome => (position === 1 ? { status: 'deferred', reason: 'Nobody knows yet.', afterMs: 60_000 } : { status: 'delivered' });
  const { offer, states, health } = begin({ answer });
  offer(1, 2);
  await vi.advanceTimersByTimeAsync(1_100);
  expect(states.get(1)).toMatchObject({ status: 'pending', attempts: 0, attempt: undefined, reason: 'Nobody knows yet.' });
  expect(states.get(1)?.nextAttemptAt?.getTime()).toBeGreaterThan(Date.now() + 50_000);
  expect(states.get(2)?.status).toBe('delivered');
  offer(3);
  await vi.advanceTimersByTimeAsync(1_100);
  expect(states.get(3)?.status).toBe('delivered');
  expect(health).toEqual([]);
});

test('a delivery for which there is nothing to send is canceled, with the reason and without an attempt', async () => {
  const { offer, states } = begin({ answer: () => ({ status: 'skipped', reason: 'The response is flagged.' }) });
  offer(1);
  await vi.advanceTimersByTimeAsync(1_100);
  expect(states.get(1)).toMatchObject({ status: 'canceled', attempts: 0, attempt: undefined, reason: 'The response is flagged.' });
});

test('a blocked integration fails at once with its reason, keeps everything pending, and is only probed', async () => {
  let isBlocked = true;
  const reason = 'The sheet is not shared any more.';
  const { offer, offerClaimed, calls, states, lane, health } = begin({ answer: () => (isBlocked ? { status: 'blocked', reason } : { status: 'delivered' }), settings: { batchWaitMs: 0, batchSize: 1 } });
  offer(1, 2);
  await vi.advanceTimersByTimeAsync(10);
  offer(3);
  expect(calls).toEqual([[1]]);
  expect(health).toEqual([`failing: ${reason}`]);
  expect([1, 2, 3].map((position) => states.get(position)?.attempts)).toEqual([0, 0, 0]);
  expect(states.get(3)?.reason).toContain(reason);

  expect(offerClaimed(1)?.mode).toBe('probe');
  await vi.advanceTimersByTimeAsync(10);
  isBlocked = false;
  offerClaimed(1);
  await vi.advanceTimersByTimeAsync(10);
  expect(health).toEqual([`failing: ${reason}`, 'active: ']);
  expect(lane.claimRequest()?.mode).toBe('drain');
});

test('a call of many deliveries that fails as a whole is one failure to the breaker', async () => {
  const { offer, health, states } = begin({ answer: () => ({ status: 'retry', error: 'TIMEOUT', reason: 'No answer.' }), settings: { breakerFailures: 2 } });
  offer(1, 2, 3);
  await vi.advanceTimersByTimeAsync(1_100);
  expect(states.size).toBe(3);
  expect(health).toEqual([]);
  offer(4, 5, 6);
  await vi.advanceTimersByTimeAsync(1_100);
  expect(health).toEqual(['failing: No answer.']);
});

test('of a burst a few calls begin at once, and the others when the process has seen to what else there is', () => {
  const { offerClaimed, calls } = begin({ settings: { concurrency: 64, batchSize: 1, batchWaitMs: 0 } });
  offerClaimed(...Array.from({ length: 10 }, (_, index) => index + 1));
  expect(calls).toHaveLength(4);
  vi.runOnlyPendingTimers(); // one turn of the event loop, in which calls have no time to end
  expect(calls).toHaveLength(8);
  vi.runOnlyPendingTimers();
  expect(calls.flat()).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
});
