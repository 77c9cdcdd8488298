import { describe, expect, test } from 'vitest';
import { whereabouts } from '../../src/outbox/whereabouts.ts';
import { ackedUpTo, startOf } from '../../src/dispatcher/takeover.ts';
import { fairShare } from '../../src/deliveries/partition-leases.ts';

const stream = { firstSequence: 100, lastSequence: 900, ackFloor: 500 };

describe('the message of an outbox row', () => {
  test('is lost where it was never known to be in the stream', () => {
    expect(whereabouts(null, stream)).toBe('lost');
  });
  test('is on its way in the backlog behind the ack floor', () => {
    expect(whereabouts(501, stream)).toBe('on its way');
    expect(whereabouts(900, stream)).toBe('on its way');
  });
  test('is lost behind the end of a stream that was rolled back or made anew', () => {
    expect(whereabouts(901, stream)).toBe('lost');
  });
  test('is lost where the stream has let go of it', () => {
    expect(whereabouts(99, { ...stream, ackFloor: 0 })).toBe('lost');
  });
  test('is lost at or below the ack floor: what was acked was recorded, and its row would be gone', () => {
    expect(whereabouts(500, stream)).toBe('lost');
  });
});

describe('the consumer of a partition that is taken over', () => {
  const facts = { firstSequence: 1, lastSequence: 900, oldestUndispatched: undefined };
  test('begins behind what its predecessor has acked', () => {
    expect(startOf({ ...facts, ackFloor: 500 })).toEqual({ sequence: 501 });
  });
  test('begins at the stream’s beginning where that has moved past the ack floor', () => {
    expect(startOf({ ...facts, firstSequence: 700, ackFloor: 500 })).toEqual({ sequence: 700 });
  });
  test('begins a minute before the oldest undispatched event where the predecessor acked more than there is', () => {
    const oldestUndispatched = new Date('2026-11-21T02:15:00Z');
    expect(startOf({ ...facts, ackFloor: 901, oldestUndispatched })).toEqual({ since: new Date('2026-11-21T02:14:00Z') });
    expect(startOf({ ...facts, ackFloor: undefined, oldestUndispatched })).toEqual({ since: new Date('2026-11-21T02:14:00Z') });
  });
  test('begins behind the end where nothing is undispatched', () => {
    expect(startOf({ ...facts, ackFloor: undefined })).toEqual({ sequence: 901 });
  });
});

test.each([
  [1, 16],
  [2, 8],
  [3, 6],
  [16, 1],
  [40, 1],
  [0, 16],
])('of %i dispatchers each may own %i partitions', (dispatchers, share) => {
  expect(fairShare(dispatchers)).toBe(share);
});

describe('what a consumer has acked', () => {
  const acked = (stream_seq: number, opt_start_seq?: number) => ackedUpTo({ ack_floor: { stream_seq }, config: opt_start_seq === undefined ? {} : { opt_start_seq } });

  test('is its floor, once it has one', () => expect([acked(700, 501), acked(700)]).toEqual([700, 700]));
  test('is all before its beginning, where nothing has come since', () => expect([acked(0, 501), acked(0, 1)]).toEqual([500, 0]));
  test('is not known of one that began at a time and got nothing', () => expect(acked(0)).toBeUndefined());
});
