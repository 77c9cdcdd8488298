import type { Count, PlaceLimit } from '../live/counts.ts';
import { networkOf } from '../rate-limits/network-of.ts';
import type { Viewer } from '../graphql/viewer.ts';
import { UnavailableError } from '../user-error.ts';
import { createHeldTexts, textOf } from './held-texts.ts';
import type { ApiLimits } from './limits.ts';
import type { ReadyOperation } from './prepare.ts';

/** How many may subscribe at a time. What is taken is given back by the function that taking it answers. */
export interface LivePlaces {
  /** A connection, of whoever. Throws UnavailableError. */
  takeConnection(address: string): () => void;
  /** A subscription on it. Throws UnavailableError. */
  takeSubscription(viewer: Viewer | undefined, asked: Pick<ReadyOperation, 'document' | 'params'>): () => void;
}

type Places = Pick<ApiLimits, 'subscriptions' | 'callerSubscriptions' | 'addressSubscribers' | 'callerSubscriptionChars' | 'processSubscriptionChars'>;

/** `refused`: counts whom there was no place for. */
export function createLivePlaces({ limits, refused }: { limits: Places; refused: Count<PlaceLimit> }): LivePlaces {
  const connections = createCounts();
  const subscriptions = createCounts();
  const texts = createHeldTexts();
  const callerTexts = createHeldTexts();
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
    takeSubscription: (viewer, asked) => {
      const caller = viewer?.credential.kind === 'key' ? viewer.credential.id : (viewer?.userId ?? 'nobody');
      if (subscriptions.total() >= limits.subscriptions) refuse('process', full());
      if (subscriptions.of(caller) >= limits.callerSubscriptions) refuse('caller', tooMany(`You have ${limits.callerSubscriptions} subscriptions`));
      const text = textOf(asked);
      if (callerTexts.charsWith(caller, text) > limits.callerSubscriptionChars) refuse('caller', tooLong(limits.callerSubscriptionChars));
      if (texts.charsWith('all', text) > limits.processSubscriptionChars) refuse('process', full());
      return once([subscriptions.take(caller), callerTexts.take(caller, text), texts.take('all', text)]);
    },
  };
}

const retryAfterMs = 5_000;
const full = (): UnavailableError => new UnavailableError('OVERLOADED', 'Too many subscriptions are under way; try again.', retryAfterMs);
const tooMany = (what: string): UnavailableError => new UnavailableError('TOO_MANY_SUBSCRIPTIONS', `${what}, which is the most: end some of them.`, retryAfterMs);
const tooLong = (most: number): UnavailableError =>
  new UnavailableError('TOO_MANY_SUBSCRIPTIONS', `Your subscriptions would have more than ${most} characters of queries and variables: end some of them, or give all the same query and each its variables.`, retryAfterMs);

function once(steps: readonly (() => void)[]): () => void {
  let isDone = false;
  return () => {
    if (!isDone) for (const step of steps) step();
    isDone = true;
  };
}

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
      add(key, 1);
      return once([() => add(key, -1)]);
    },
  };
}
