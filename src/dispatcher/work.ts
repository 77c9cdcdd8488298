import type { DeliveryState, Lease } from '../deliveries/record-outcomes.ts';
import type { Event } from '../events/event.ts';
import type { Id } from '../events/id.ts';

/** One delivery in a lane. */
export interface Work {
  /** first: straight from the stream, nothing is recorded of it yet · claimed: a pending one, taken from PostgreSQL */
  kind: 'first' | 'claimed';
  deliveryId: Id<'dlv'>;
  integrationId: Id<'intg'>;
  event: Event;
  lease: Lease;
  /** Attempts made so far. */
  attempts: number;
  /** Attempts that had been made when the retry schedule began anew. */
  scheduleStart: number;
  /** The replay that sends it. */
  replayId?: Id<'rpl'> | undefined;
  /** When it came into the lane, in milliseconds of the monotonic clock. */
  since: number;
  /** Whether the lease and the claim still hold: an attempt after that could be another dispatcher's. */
  isOurs(): boolean;
  /** Hands its state to the recorder; `onRecorded` is called after the commit. */
  settle(state: DeliveryState, onRecorded?: () => void): void;
}

/** A delivery that waits without having been tried now. `nextAttemptAt` null: until its receiver is back. */
export function spilled(work: Work, reason: string, nextAttemptAt: Date | null): DeliveryState {
  return { status: 'pending', reason: storable(reason), attempts: work.attempts, nextAttemptAt, finishedAt: null, attempt: undefined };
}

/** A delivery whose integration was deleted, or whose response was erased, before its turn came. */
export function canceled({ attempts }: Pick<Work, 'attempts'>, reason: string): DeliveryState {
  return { status: 'canceled', reason, attempts, nextAttemptAt: null, finishedAt: new Date(), attempt: undefined };
}

/** PostgreSQL keeps neither NUL nor half a surrogate pair, and receivers send both. */
export function storable(text: string | null | undefined): string | null {
  return text === null || text === undefined ? null : text.toWellFormed().replaceAll('\0', '\uFFFD');
}
