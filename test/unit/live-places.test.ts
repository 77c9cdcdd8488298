import { parse } from 'graphql';
import { expect, test } from 'vitest';
import { createLivePlaces } from '../../src/api/live-places.ts';
import { newId } from '../../src/events/id.ts';
import type { Viewer } from '../../src/graphql/viewer.ts';
import { Count, placeLimits } from '../../src/live/counts.ts';

const somebody = (): Viewer => ({ userId: newId('usr'), organizationId: newId('org'), credential: { kind: 'session', id: newId('ses'), role: 'owner' } });

const asking = (query = 'subscription { a }', variables?: Record<string, unknown>) => ({ document: parse(query), params: { query, variables, operationName: undefined } });

function places({ subscriptions = 100, callerSubscriptions = 100, addressSubscribers = 100, callerSubscriptionChars = 10_000, processSubscriptionChars = 10_000 }) {
  const refused = new Count(placeLimits);
  return { ...createLivePlaces({ limits: { subscriptions, callerSubscriptions, addressSubscribers, callerSubscriptionChars, processSubscriptionChars }, refused }), refusedBy: () => [...refused.entries].filter(([, count]) => count > 0) };
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
  takeSubscription(one, asking());
  expect(() => takeSubscription(one, asking())).toThrow('You have 1 subscriptions');
  takeSubscription(other, asking());
  expect(refusedBy()).toEqual([['caller', 1]]);
});

test('a process has so many of either, of all together', () => {
  const { takeConnection, takeSubscription, refusedBy } = places({ subscriptions: 1 });
  takeConnection('192.0.2.1');
  takeSubscription(somebody(), asking());
  expect(() => takeConnection('192.0.2.2')).toThrow('Too many subscriptions');
  expect(() => takeSubscription(somebody(), asking())).toThrow('Too many subscriptions');
  expect(refusedBy()).toEqual([['process', 2]]);
});

test('the different queries and the variables of one caller have so many characters, which is given back once', () => {
  const { takeSubscription, refusedBy } = places({ callerSubscriptionChars: 50 });
  const one = somebody();
  const shared = asking(`subscription { a${'b'.repeat(13)} }`);
  const giveBack = takeSubscription(one, shared);
  for (let more = 0; more < 5; more += 1) takeSubscription(one, shared);
  expect(() => takeSubscription(one, asking(`subscription { c${'d'.repeat(3)} }`))).toThrow('more than 50 characters of queries and variables');
  expect(() => takeSubscription(one, { ...shared, params: { ...shared.params, variables: { id: 'x'.repeat(20) } } })).toThrow('more than 50 characters');
  takeSubscription(somebody(), asking());
  giveBack();
  giveBack();
  expect(() => takeSubscription(one, asking(`subscription { c${'d'.repeat(3)} }`))).toThrow('more than 50 characters');
  expect(refusedBy()).toEqual([['caller', 3]]);
});

test('those of all callers of a process together have so many, the same query once', () => {
  const { takeSubscription, refusedBy } = places({ processSubscriptionChars: 40 });
  const shared = asking();
  const giveBack = [somebody(), somebody(), somebody()].map((viewer) => takeSubscription(viewer, shared));
  takeSubscription(somebody(), asking('subscription { b }'));
  expect(() => takeSubscription(somebody(), asking('subscription { c }'))).toThrow('Too many subscriptions');
  giveBack.forEach((back) => back());
  takeSubscription(somebody(), asking('subscription { c }'));
  expect(refusedBy()).toEqual([['process', 1]]);
});
