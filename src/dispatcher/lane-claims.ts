import type { ClaimRequest } from '../deliveries/claim-due.ts';
import type { Id } from '../events/id.ts';

/** What a lane asks for of its pending deliveries in PostgreSQL, and whether there may be more than it got. */
export interface LaneClaims {
  /** Everything pending is worth a try, whatever time it waits for. Without `recoveredAt`: what waits for no certain time. */
  catchUp(recoveredAt?: Date): void;
  /** What may be claimed now, if anything. */
  request(facts: ClaimFacts): ClaimRequest | undefined;
  /** What came of a request. */
  note(request: Pick<ClaimRequest, 'mode' | 'limit' | 'held'> & { found: number }): void;
  /** Whether to ask again, with so many claimed deliveries waiting: true once for each request after which there may be more. */
  takeMore(waiting: number, lane: Pick<ClaimFacts, 'places' | 'isOrdered'>): boolean;
}

/** How the lane stands. */
export interface ClaimFacts {
  integrationId: Id<'intg'>;
  isOpen: boolean;
  isOrdered: boolean;
  places: number;
  batchSize: number;
  running: number;
  /** Claimed deliveries that wait or are tried. */
  atHand: number;
  /** Something was handed to the recorder as pending and is not committed: a claim would not see it. */
  hasUncommitted: boolean;
  /** Of an ordered lane: see `ClaimRequest`. */
  held: readonly Id<'dlv'>[];
  /** Of an ordered lane: one failed, and those behind it that are at hand go back. */
  isBrokenOff: boolean;
}

/** Deliveries of an ordered lane that are claimed and not recorded, at most: where one fails, all behind it go back. */
const maxInOrder = 64;
/** With so many left an ordered lane asks for more: they last until it has them, however quick its receiver is. */
const fewInOrder = 16;
/** Claimed deliveries kept at hand for each place that runs, so that a drain does not wait for the database. */
const perPlace = 4;

export function createLaneClaims(): LaneClaims {
  /** While set, everything pending is worth a try: the receiver is back, or this dispatcher is new to it. */
  let catchingUp: { recoveredAt: Date | undefined } | undefined = { recoveredAt: undefined };
  /** What the last claim was to catch up with. Undefined where it would not see everything. */
  let claimedFor: { recoveredAt: Date | undefined } | undefined;
  /** The last claim was as large as it could be: there may be more. */
  let mayHaveMore = false;

  return {
    catchUp: (recoveredAt) => {
      catchingUp = { recoveredAt: recoveredAt ?? catchingUp?.recoveredAt };
    },
    request: ({ integrationId, isOpen, isOrdered, places, batchSize, running, atHand, hasUncommitted, held, isBrokenOff }) => {
      claimedFor = hasUncommitted ? undefined : catchingUp;
      const request = { integrationId, recoveredAt: catchingUp?.recoveredAt, held };
      if (isOpen) return running + atHand > 0 ? undefined : { ...request, limit: 1, mode: 'probe' };
      if (isOrdered) return isBrokenOff || atHand > fewInOrder ? undefined : { ...request, limit: maxInOrder, mode: 'in order' };
      const room = places * Math.max(perPlace, batchSize) - atHand;
      return room > 0 ? { ...request, limit: room, mode: catchingUp ? 'drain' : 'due' } : undefined;
    },
    note: ({ mode, limit, found, held }) => {
      const sawAll = found + held.length < limit; // what is held takes the place of others
      mayHaveMore = found > 0 && !sawAll; // where it found nothing, the same comes of the next until a held one is recorded
      const isExhausted = sawAll && mode !== 'probe';
      if (isExhausted && catchingUp === claimedFor) catchingUp = undefined;
    },
    takeMore: (waiting, { places, isOrdered }) => {
      if (waiting > (isOrdered ? fewInOrder : places)) return false;
      const wasMore = mayHaveMore;
      mayHaveMore = false;
      return wasMore;
    },
  };
}
