import type { ConsumerInfo } from '@nats-io/jetstream';
import type { ConsumerStart } from '../stream/topology.ts';

/** Clocks of the database and of NATS may differ by this much before an event is missed (the sweeper finds it then). */
const clockToleranceMs = 60_000;

/**
 * Up to where a consumer has acked everything. One that got no ack yet says 0, however far behind its partition's past it
 * began: whoever believed that would read all that the stream keeps once more, for as long as that takes, before
 * anything new. Undefined: it began at a time, and no more is known.
 */
export function ackedUpTo({ ack_floor: floor, config }: { ack_floor: Pick<ConsumerInfo['ack_floor'], 'stream_seq'>; config: Pick<ConsumerInfo['config'], 'opt_start_seq'> }): number | undefined {
  if (config.opt_start_seq !== undefined) return Math.max(floor.stream_seq, config.opt_start_seq - 1);
  return floor.stream_seq === 0 ? undefined : floor.stream_seq;
}

/**
 * Where a partition's new consumer begins.
 *
 * - The predecessor's ack floor says what is recorded: begin behind it.
 * - No predecessor or one that knows no floor, or one that has acked more than the stream holds (it was rolled back, and its count means nothing
 *   any more): whatever is not dispatched still has its outbox row, so begin at the time of the oldest of these. With
 *   none, begin behind the stream's end.
 */
export function startOf(facts: {
  ackFloor: number | undefined;
  firstSequence: number;
  lastSequence: number;
  oldestUndispatched: Date | undefined;
}): ConsumerStart {
  const { ackFloor, firstSequence, lastSequence, oldestUndispatched } = facts;
  if (ackFloor !== undefined && ackFloor <= lastSequence) return { sequence: Math.max(ackFloor + 1, firstSequence) };
  if (oldestUndispatched) return { since: new Date(oldestUndispatched.getTime() - clockToleranceMs) };
  return { sequence: lastSequence + 1 };
}

/**
 * How long to wait for an answer of NATS, in milliseconds, after so many failures in a row. While a cluster elects a
 * leader a request is heard by nobody: the next one a second later finds it. One that is slow gets its time all the same.
 */
export const patienceMs = (failures: number): number => Math.min(8_000, 1_000 * 2 ** failures);

/** How long to rest after so many failures in a row, in milliseconds: sixteen partitions that ask again hold up an election. */
export const restMs = (failures: number): number => Math.min(2_000, 250 * 2 ** failures);

/** Of failures in a row each is told that doubles their number, so that an outage is not a flood of lines. */
export const isWorthSaying = (failures: number): boolean => Number.isInteger(Math.log2(failures));

/**
 * Whether a consumer that nobody leads is given up on after so many failures in a row, some five seconds. An election is
 * over sooner; but one that was made while servers went away may stay without a leader for ever, and only a new one helps.
 */
export const isGivenUp = (failures: number): boolean => failures >= 4;
