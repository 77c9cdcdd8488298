import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { createTurns, type TurnsDeps } from '../../src/dispatcher/turns.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function begin(changes: Partial<TurnsDeps>) {
  const told: string[] = [];
  const turns = createTurns({
    reserve: () => Promise.resolve(0),
    leastMs: () => 0,
    onFar: () => told.push('far'),
    onNear: () => told.push('near'),
    onError: () => told.push('error'),
    ...changes,
  });
  return { turns, told, take: () => turns.take(() => told.push('turn')) };
}

test('a turn comes when the quota says, and not before', async () => {
  const { take, told, turns } = begin({ reserve: () => Promise.resolve(2_000) });
  take();
  expect(turns.waiting()).toBe(1);
  await vi.advanceTimersByTimeAsync(1_990);
  expect(told).toEqual([]);
  await vi.advanceTimersByTimeAsync(20);
  expect(told).toEqual(['turn']);
  expect(turns.waiting()).toBe(0);
});

test('a turn that may come at once still waits for more to come along', async () => {
  const { take, told } = begin({ leastMs: () => 1_000 });
  take();
  await vi.advanceTimersByTimeAsync(990);
  expect(told).toEqual([]);
  await vi.advanceTimersByTimeAsync(20);
  expect(told).toEqual(['turn']);
});

test('a turn far away says so, and again when it is near', async () => {
  const { take, told, turns } = begin({ reserve: () => Promise.resolve(60_000) });
  take();
  await vi.advanceTimersByTimeAsync(10);
  expect(told).toEqual(['far']);
  expect(turns.farAway()?.getTime()).toBeCloseTo(Date.now() + 59_990, -2);
  await vi.advanceTimersByTimeAsync(59_000);
  expect(told).toEqual(['far', 'near']);
  expect(turns.farAway()).toBeUndefined();
  await vi.advanceTimersByTimeAsync(1_000);
  expect(told).toEqual(['far', 'near', 'turn']);
});

test('while nobody can be asked for a turn, none comes', async () => {
  let isAway = true;
  const { take, told } = begin({ reserve: () => (isAway ? Promise.reject(new Error('away')) : Promise.resolve(0)) });
  take();
  await vi.advanceTimersByTimeAsync(1_500);
  expect(told).toEqual(['error', 'error']);
  isAway = false;
  await vi.advanceTimersByTimeAsync(1_000);
  expect(told).toEqual(['error', 'error', 'turn']);
});
