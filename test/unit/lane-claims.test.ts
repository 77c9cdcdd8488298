import { describe, expect, test } from 'vitest';
import { createLaneClaims, type ClaimFacts } from '../../src/dispatcher/lane-claims.ts';
import { newId } from '../../src/events/id.ts';

const idle: ClaimFacts = { integrationId: newId('intg'), isOpen: false, isOrdered: false, places: 8, batchSize: 1, running: 0, atHand: 0, hasUncommitted: false, held: [], isBrokenOff: false };
const wantAfter = (facts: Partial<ClaimFacts>) => createLaneClaims().request({ ...idle, ...facts });

test('a lane claims four for each call that may run, less what it has at hand', () => {
  expect(wantAfter({})).toMatchObject({ limit: 32 });
  expect(wantAfter({ atHand: 30 })).toMatchObject({ limit: 2 });
  expect(wantAfter({ atHand: 32 })).toBeUndefined();
});

test('a lane that gathers claims as much as its calls take along', () => {
  expect(wantAfter({ places: 2, batchSize: 500 })).toMatchObject({ limit: 1_000 });
});

describe('an ordered lane', () => {
  const held = [newId('dlv')];

  test('claims some, and more before none of them is left', () => {
    expect(wantAfter({ isOrdered: true })).toMatchObject({ mode: 'in order', limit: 64, held: [] });
    expect(wantAfter({ isOrdered: true, atHand: 16, held })).toMatchObject({ mode: 'in order', limit: 64, held });
    expect(wantAfter({ isOrdered: true, atHand: 17, held })).toBeUndefined();
  });

  test('claims nothing behind one that failed, until all behind it have gone back', () => {
    expect(wantAfter({ isOrdered: true, atHand: 1, isBrokenOff: true })).toBeUndefined();
  });

  test('asks again after a claim that found something and saw no end, since what is held took the place of others', () => {
    const asksAgain = ({ found, limit }: { found: number; limit: number }): boolean => {
      const claims = createLaneClaims();
      claims.note({ mode: 'in order', limit, found, held });
      return claims.takeMore(16, { places: 1, isOrdered: true });
    };
    expect(asksAgain({ limit: 64, found: 63 })).toBe(true);
    expect(asksAgain({ limit: 64, found: 62 })).toBe(false);
    expect(asksAgain({ limit: 1, found: 0 })).toBe(false);
  });

  test('does not ask while it has enough, and then does', () => {
    const claims = createLaneClaims();
    claims.note({ mode: 'in order', limit: 64, found: 64, held: [] });
    expect([17, 16, 16].map((waiting) => claims.takeMore(waiting, { places: 1, isOrdered: true }))).toEqual([false, true, false]);
  });
});

test('while its receiver is down a lane claims one to probe it with, if nothing runs', () => {
  expect(wantAfter({ isOpen: true })).toMatchObject({ mode: 'probe', limit: 1 });
  expect(wantAfter({ isOpen: true, running: 1 })).toBeUndefined();
});

test('a new lane drains what is pending, and claims what is due once there is no more of it', () => {
  const claims = createLaneClaims();
  expect(claims.request(idle)).toMatchObject({ mode: 'drain', recoveredAt: undefined });
  claims.note({ mode: 'drain', limit: 32, found: 32, held: [] });
  expect(claims.request(idle)).toMatchObject({ mode: 'drain' });
  claims.note({ mode: 'drain', limit: 32, found: 31, held: [] });
  expect(claims.request(idle)).toMatchObject({ mode: 'due' });
});

test('a receiver that is back has everything due again that was tried before', () => {
  const claims = createLaneClaims();
  const recoveredAt = new Date(0);
  claims.catchUp(recoveredAt);
  claims.catchUp(); // partitions were taken over meanwhile
  expect(claims.request(idle)).toMatchObject({ mode: 'drain', recoveredAt });
});

test('it drains on where a claim may not have seen everything', () => {
  const claims = createLaneClaims();
  claims.request({ ...idle, hasUncommitted: true });
  claims.note({ mode: 'drain', limit: 32, found: 0, held: [] });
  expect(claims.request(idle)).toMatchObject({ mode: 'drain' });
  claims.catchUp(new Date(0)); // came between the claim and its answer
  claims.note({ mode: 'drain', limit: 32, found: 0, held: [] });
  expect(claims.request(idle)).toMatchObject({ mode: 'drain' });
});

test('a claim that was filled is followed by another, once', () => {
  const claims = createLaneClaims();
  claims.note({ mode: 'due', limit: 5, found: 5, held: [] });
  const takeMore = (waiting: number): boolean => claims.takeMore(waiting, { places: 2, isOrdered: false });
  expect([takeMore(3), takeMore(2), takeMore(0)]).toEqual([false, true, false]);
  claims.note({ mode: 'due', limit: 5, found: 4, held: [] });
  expect(takeMore(0)).toBe(false);
});
