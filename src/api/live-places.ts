import type { Count, PlaceLimit } from '../live/counts.ts';
import { networkOf } from '../rate-limits/network-of.ts';
import type { Viewer } from '../graphql/viewer.ts';
import { UnavailableError } from '../user-error.ts';
import type { ApiLimits } from './limits.ts';

/** How many may subscribe at a time. What is taken is given back by the function that taking it answers. */
export interface LivePlaces {
  /** A connection, of whoever. Throws UnavailableError. */
  takeConnection(address: string): () => void;
  /** A subscription on it. Throws UnavailableError. */
  takeSubscription(viewer: Viewer | undefined): () => void;
}

type Places = Pick<ApiLimits, 'subscriptions' | 'callerSubscriptions' | 'addressSubscribers'>;

/** `refused`: counts whom there was no place for. */
export function createLivePlaces({ limits, refused }: { limits: Places; refused: Count<PlaceLimit> }): LivePlaces {
  const connections = createCounts();
  const subscriptions = createCounts();
  const refuse = (by: PlaceLimit, error: UnavailableError): never => {
    refused.add(by);
    throw error;
  };
  return {
    takeConnection: (address) => {
      const network = networkOf(address);
      if (connections.total() >= limits.subscriptions) refuse('process', full());
      if (connections.of(network) >= limits.addressSubscribers) refuse('address', tooMany(`This address has ${limits.addressSubscribers} connections for subscriptions`));
      return connections.take(network);
    },
    takeSubscription: (viewer) => {
      const caller = viewer?.credential.kind === 'key' ? viewer.credential.id : (viewer?.userId ?? 'nobody');
      if (subscriptions.total() >= limits.subscriptions) refuse('process', full());
      if (subscriptions.of(caller) >= limits.callerSubscriptions) refuse('caller', tooMany(`You have ${limits.callerSubscriptions} subscriptions`));
      return subscriptions.take(caller);
    },
  };
}

const retryAfterMs = 5_000;
const full = (): UnavailableError => new UnavailableError('OVERLOADED', 'Too many subscriptions are under way; try again.', retryAfterMs);
const tooMany = (what: string): UnavailableError => new UnavailableError('TOO_MANY_SUBSCRIPTIONS', `${what}, which is the most: end some of them.`, retryAfterMs);

function createCounts() {
  const counts = new Map<string, number>();
  let total = 0;
  const add = (key: string, by: 1 | -1): void => {
    const count = (counts.get(key) ?? 0) + by;
    if (count === 0) counts.delete(key);
    else counts.set(key, count);
    total += by;
  };
  return {
    total: () => total,
    of: (key: string) => counts.get(key) ?? 0,
    take: (key: string) => {
      let isTaken = true;
      add(key, 1);
      return () => {
        if (isTaken) add(key, -1);
        isTaken = false;
      };
    },
  };
}
