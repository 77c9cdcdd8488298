import { performance } from 'node:perf_hooks';
import { expect, test } from 'vitest';
import { createLaneQueue, type LaneQueue } from '../../src/dispatcher/lane-queue.ts';
import type { Work } from '../../src/dispatcher/work.ts';
import { newId } from '../../src/events/id.ts';

const crowd = 250;
const formId = newId('form');
const work: Work = {
  kind: 'first',
  deliveryId: newId('dlv'),
  integrationId: newId('intg'),
  event: {
    id: newId('evt'), type: 'response.created', organizationId: newId('org'), formId, responseId: newId('resp'), position: 1, integrationsVersion: 1,
    body: Buffer.alloc(10),
  },
  lease: { partition: 0, epoch: 1 },
  attempts: 0,
  scheduleStart: 0,
  since: 0,
  isOurs: () => true,
  settle: () => undefined,
};

function fill(queue: LaneQueue, count: number): void {
  for (let index = 0; index < count; index += 1) queue.addFirst({ ...work, since: performance.now() });
}

const takeOne = (queue: LaneQueue): Work[] => queue.take({ most: 1, places: 64, runningClaimed: 0 });

test('a queue with room is not waited for', () => {
  const queue = createLaneQueue();
  fill(queue, crowd - 1);
  expect(queue.room()).toBeUndefined();
});

test('a crowded queue that moves is waited for until there is room', async () => {
  const queue = createLaneQueue();
  fill(queue, crowd + 1);
  let hasRoom = false;
  const room = queue.room()?.then(() => (hasRoom = true));
  expect(room).toBeDefined();
  takeOne(queue);
  await Promise.resolve();
  expect(hasRoom).toBe(false);
  takeOne(queue);
  await room;
  expect(queue.room()).toBeUndefined();
});

test('a crowded queue that does not move is waited for once, and again only after it has moved', async () => {
  const queue = createLaneQueue();
  fill(queue, crowd);
  const before = performance.now();
  await queue.room();
  expect(performance.now() - before).toBeGreaterThan(200);
  expect(queue.room()).toBeUndefined();
  queue.takeAll(); // spilled, not tried: says nothing about the receiver
  fill(queue, crowd);
  expect(queue.room()).toBeUndefined();
  takeOne(queue); // had not waited long
  fill(queue, 1);
  expect(queue.room()).toBeDefined();
});
