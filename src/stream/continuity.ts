/** A message did not arrive: it would come again only after `ack_wait`, and what must come after it waits as long. */
export class LostOnTheWayError extends Error {
  override name = 'LostOnTheWayError';
}

/** Watches the numbers that a consumer with one reader gives its deliveries, which are 1, 2, 3 and so on. */
export interface Continuity {
  /** Throws LostOnTheWayError where a number is not the next one: some were lost, or the consumer has fallen back. */
  follow(deliveryNumber: number): void;
  /** The same for what nothing follows: whether what had been given out at the last call is still not here. */
  lacks(counts: { givenOut: number; received: number }): boolean;
}

/**
 * While servers of a cluster come and go, a message may be given out to a reader whom no route leads to. NATS thinks it
 * is being worked on.
 */
export function createContinuity(): Continuity {
  let last = 0;
  let givenOutBefore = 0;
  return {
    follow: (deliveryNumber) => {
      if (deliveryNumber !== last + 1) throw new LostOnTheWayError(`delivery ${deliveryNumber} came after ${last}`);
      last = deliveryNumber;
    },
    lacks: ({ givenOut, received }) => {
      const isMissing = received < givenOutBefore;
      givenOutBefore = givenOut;
      return isMissing;
    },
  };
}
