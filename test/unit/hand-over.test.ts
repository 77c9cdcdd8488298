import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { handOver, type HandOver } from '../../src/dispatcher/hand-over.ts';

const never = new Promise<void>(() => undefined);

/** Hands partitions over, and tells what was released together, and how often the leases were renewed. */
function begin(options: Pick<HandOver, 'drained'> & Partial<HandOver>) {
  const released: (readonly number[])[] = [];
  let kept = 0;
  const left = handOver({
    boundMs: 60_000,
    keepEveryMs: 60_000,
    keep: async () => void (kept += 1),
    release: async (partitions) => void released.push(partitions),
    ...options,
  });
  return { released, kept: () => kept, left };
}

test('a partition is released when it is drained, whatever keeps another', async () => {
  const slow = Promise.withResolvers<void>();
  const { released, left } = begin({ drained: new Map([[3, Promise.resolve()], [4, slow.promise]]) });
  await expect.poll(() => released).toEqual([[3]]);
  slow.resolve();
  expect(await left).toEqual([]);
  expect(released).toEqual([[3], [4]]);
});

test('those that are drained at the same time are released at once', async () => {
  const { released, left } = begin({ drained: new Map([[0, Promise.resolve()], [1, Promise.resolve()], [2, Promise.resolve()]]) });
  expect(await left).toEqual([]);
  expect(released).toEqual([[0, 1, 2]]);
});

test('one that drains while another is being released is released next', async () => {
  const second = Promise.withResolvers<void>();
  const released: (readonly number[])[] = [];
  const release = async (partitions: readonly number[]): Promise<void> => {
    released.push(partitions);
    second.resolve();
    await sleep(5); // as long as a statement takes
  };
  const { left } = begin({ drained: new Map([[0, Promise.resolve()], [1, second.promise]]), release });
  expect(await left).toEqual([]);
  expect(released).toEqual([[0], [1]]);
});

test('what is not drained within the bound is told, and not released', async () => {
  const { released, left } = begin({ drained: new Map([[5, never], [6, Promise.resolve()], [7, never]]), boundMs: 30 });
  expect(await left).toEqual([5, 7]);
  expect(released).toEqual([[6]]);
});

test('leases are renewed as long as anything is waited for, also while others are released', async () => {
  const drained = new Map(Array.from({ length: 8 }, (_, index): [number, Promise<void>] => [index, sleep(10 * index)]));
  const { kept, left } = begin({ drained, keepEveryMs: 20 });
  await left;
  expect(kept()).toBeGreaterThan(0);
  const { kept: notKept, left: none } = begin({ drained: new Map([[0, Promise.resolve()]]), keepEveryMs: 20 });
  await none;
  expect(notKept()).toBe(0);
});

test('with a bound of nothing, nothing is waited for', async () => {
  const { released, left } = begin({ drained: new Map([[0, never]]), boundMs: 0 });
  expect(await left).toEqual([0]);
  expect(released).toEqual([]);
});
