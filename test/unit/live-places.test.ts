import { expect, test } from 'vitest';
import { createLivePlaces } from '../../src/api/live-places.ts';
import { newId } from '../../src/events/id.ts';
import type { Viewer } from '../../src/graphql/viewer.ts';
import { Count, placeLimits } from '../../src/live/counts.ts';

const somebody = (): Viewer => ({ userId: newId('usr'), organizationId: newId('org'), credential: { kind: 'session', id: newId('ses'), role: 'owner' } });

function places({ subscriptions = 100, callerSubscriptions = 100, addressSubscribers = 100 }) {
  const refused = new Count(placeLimits);
  return { ...createLivePlaces({ limits: { subscriptions, callerSubscriptions, addressSubscribers }, refused }), refusedBy: () => [...refused.entries].filter(([, count]) => count > 0) };
}

test('one address has so many connections, whatever others have; an IPv6 network counts as one', () => {
  const { takeConnection, refusedBy } = places({ addressSubscribers: 2 });
  const giveBack = takeConnection('2001:db8::1');
  takeConnection('2001:db8::2');
  expect(() => takeConnection('2001:db8::3')).toThrow('This address has 2 connections');
  takeConnection('2001:db8:0:1::1');
  giveBack();
  giveBack();
  takeConnection('2001:db8::3');
  expect(() => takeConnection('2001:db8::4')).toThrow('end some of them');
  expect(refusedBy()).toEqual([['address', 2]]);
});

test('one caller has so many subscriptions, and takes none of another\'s', () => {
  const { takeSubscription, refusedBy } = places({ callerSubscriptions: 1 });
  const [one, other] = [somebody(), somebody()];
  takeSubscription(one);
  expect(() => takeSubscription(one)).toThrow('You have 1 subscriptions');
  takeSubscription(other);
  expect(refusedBy()).toEqual([['caller', 1]]);
});

test('a process has so many of either, of all together', () => {
  const { takeConnection, takeSubscription, refusedBy } = places({ subscriptions: 1 });
  takeConnection('192.0.2.1');
  takeSubscription(somebody());
  expect(() => takeConnection('192.0.2.2')).toThrow('Too many subscriptions');
  expect(() => takeSubscription(somebody())).toThrow('Too many subscriptions');
  expect(refusedBy()).toEqual([['process', 2]]);
});
