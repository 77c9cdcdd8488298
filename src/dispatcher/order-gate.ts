import type { Work } from './work.ts';

/**
 * Keeps the first deliveries of an ordered lane in the order of their events. Straight from the stream goes only what
 * has nothing before it: nothing pending (then the lane works through PostgreSQL, oldest first), and no earlier event
 * of its form that has not come by before it.
 */
export interface OrderGate {
  /** Everything goes through PostgreSQL until `release`. */
  block(): void;
  isBlocked(): boolean;
  /** An event came by, in the stream's order. */
  pass(position: number): void;
  /** Whether a first delivery may be tried now. */
  allows(work: Work): Promise<boolean>;
  /** A delivery was handed to the recorder as pending; call the result once that is committed. */
  notePending(): () => void;
  hasUncommitted(): boolean;
  /** A mark to hold against a later look at the database; undefined while something is not committed. */
  mark(): number | undefined;
  /** Nothing was pending at the time of `mark`; opens the gate if nothing came since. */
  release(mark: number | undefined): void;
}

/** Positions remembered at most; forgetting one only sends a delivery the way through PostgreSQL. */
const maxRemembered = 20_000;

export function createOrderGate(options: {
  isBlocked: boolean;
  /** Positions of earlier events of the form for which nothing is recorded for this integration. */
  earlierUndispatched: (work: Work) => Promise<readonly number[]>;
}): OrderGate {
  let { isBlocked } = options;
  let pendings = 0;
  let uncommitted = 0;
  /** When each position came by first. */
  const passed = new Map<number, number>();
  let passes = 0;

  return {
    block: () => {
      isBlocked = true;
      pendings += 1; // what another has left pending: a look at the database before now did not see all of it
      passed.clear(); // what came by under a lease that ran out may have been dropped
    },
    isBlocked: () => isBlocked,
    pass: (position) => {
      if (!passed.has(position)) passed.set(position, (passes += 1));
      if (passed.size <= maxRemembered) return;
      for (const oldest of [...passed.keys()].slice(0, maxRemembered / 2)) passed.delete(oldest);
    },
    allows: async (work) => {
      if (isBlocked) return false;
      const missing = await options.earlierUndispatched(work);
      // one that was published late may have come by while this one waited: then it waits behind it
      const own = passed.get(work.event.position) ?? 0;
      return !isBlocked && missing.every((position) => (passed.get(position) ?? Infinity) < own);
    },
    notePending: () => {
      isBlocked = true;
      pendings += 1;
      uncommitted += 1;
      return () => {
        uncommitted -= 1;
      };
    },
    hasUncommitted: () => uncommitted > 0,
    mark: () => (isBlocked && uncommitted === 0 ? pendings : undefined),
    release: (mark) => {
      if (mark !== undefined && mark === pendings) isBlocked = false;
    },
  };
}
