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

const takeOne = (queue: LaneQueue): Work | undefined => queue.take({ places: 64, runningClaimed: 0 });

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

const sized = (bytes: number, position = 1): Work => ({ ...work, since: performance.now(), event: { ...work.event, position, body: Buffer.alloc(bytes) } });
const batchOf = (queue: LaneQueue, most: number, mostBytes = Infinity): number[] => queue.takeBatch({ most, mostBytes }).map(({ event }) => event.position);

test('a batch takes what waits, up to its size, in order', () => {
  const queue = createLaneQueue();
  for (let position = 1; position <= 5; position += 1) queue.addFirst(sized(10, position));
  expect(batchOf(queue, 3)).toEqual([1, 2, 3]);
  expect(batchOf(queue, 3)).toEqual([4, 5]);
  expect(batchOf(queue, 3)).toEqual([]);
});

test('a batch takes claimed ones too, and half of it where both kinds wait', () => {
  const queue = createLaneQueue();
  queue.addClaimed([11, 12, 13, 14].map((position) => sized(10, position)));
  for (let position = 1; position <= 4; position += 1) queue.addFirst(sized(10, position));
  expect(batchOf(queue, 4)).toEqual([11, 12, 1, 2]);
  expect(batchOf(queue, 6)).toEqual([13, 14, 3, 4]);
});

test('a batch ends before its bytes are exceeded, but takes one however large', () => {
  const queue = createLaneQueue();
  for (const [index, bytes] of [60, 50, 200, 10].entries()) queue.addFirst(sized(bytes, index + 1));
  expect(batchOf(queue, 10, 100)).toEqual([1]);
  expect(batchOf(queue, 10, 100)).toEqual([2]);
  expect(batchOf(queue, 10, 100)).toEqual([3]);
  expect(batchOf(queue, 10, 100)).toEqual([4]);
});

test('one by one, those from the stream and claimed ones come in turn, and claimed ones have half of the places', () => {
  const queue = createLaneQueue();
  queue.addClaimed(Array.from({ length: 5 }, () => ({ ...work, kind: 'claimed' as const })));
  fill(queue, 6);
  const kinds = (runningClaimed: number): (string | undefined)[] => Array.from({ length: 4 }, () => queue.take({ places: 8, runningClaimed })?.kind);
  expect(kinds(0)).toEqual(['claimed', 'first', 'claimed', 'first']);
  expect(kinds(4)).toEqual(['first', 'first', 'first', 'first']);
  expect(kinds(4)).toEqual(['claimed', 'claimed', 'claimed', undefined]);
});
