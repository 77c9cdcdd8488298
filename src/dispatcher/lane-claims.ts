import type { ClaimRequest } from '../deliveries/claim-due.ts';
import type { Id } from '../events/id.ts';

/** What a lane asks for of its pending deliveries in PostgreSQL, and whether there may be more than it got. */
export interface LaneClaims {
  /** Everything pending is worth a try, whatever time it waits for. Without `recoveredAt`: what waits for no certain time. */
  catchUp(recoveredAt?: Date): void;
  /** What may be claimed now, if anything. */
  request(facts: ClaimFacts): ClaimRequest | undefined;
  /** What came of a request. */
  note(request: Pick<ClaimRequest, 'mode' | 'limit'> & { found: number }): void;
  /** Whether to ask again now that the lane has little at hand; true once for each request that was filled. */
  takeMore(): boolean;
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
}

const maxInOrder = 16;
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
    request: ({ integrationId, isOpen, isOrdered, places, batchSize, running, atHand, hasUncommitted }) => {
      claimedFor = hasUncommitted ? undefined : catchingUp;
      const request = { integrationId, recoveredAt: catchingUp?.recoveredAt };
      if (isOpen) return running + atHand > 0 ? undefined : { ...request, limit: 1, mode: 'probe' };
      if (isOrdered) return atHand > 0 ? undefined : { ...request, limit: maxInOrder, mode: 'in order' };
      const room = places * Math.max(perPlace, batchSize) - atHand;
      return room > 0 ? { ...request, limit: room, mode: catchingUp ? 'drain' : 'due' } : undefined;
    },
    note: ({ mode, limit, found }) => {
      mayHaveMore = found >= limit;
      const isExhausted = !mayHaveMore && mode !== 'probe';
      if (isExhausted && catchingUp === claimedFor) catchingUp = undefined;
    },
    takeMore: () => {
      const wasMore = mayHaveMore;
      mayHaveMore = false;
      return wasMore;
    },
  };
}
