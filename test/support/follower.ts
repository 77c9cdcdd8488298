import { setTimeout as sleep } from 'node:timers/promises';
import type { TestProduct } from './product.ts';
import { subscribeOverSse, type SseSubscriber } from './subscriber.ts';

/** Comes back with the last cursor whenever the connection breaks, and keeps all it is told. */
export interface Follower<T> {
  told: { cursor: string; item: T }[];
  /** Breaks the connection, if there is one. */
  disconnect(): void;
  stop(): Promise<void>;
}

/** Follows a subscription of one field from a cursor on. */
export function follow<T>(
  { url, token }: Pick<TestProduct, 'url' | 'token'>,
  { query, variables, after }: { query: string; variables: Record<string, unknown>; after: string },
): Follower<T> {
  const told: Follower<T>['told'] = [];
  let cursor = after;
  let current: SseSubscriber | undefined;
  let isStopped = false;
  const connectOnce = async (): Promise<void> => {
    current = await subscribeOverSse(url, { query, variables, token, lastEventId: cursor });
    let taken = 0;
    while (!isStopped) {
      for (const { id, result } of current.told.slice(taken)) {
        taken += 1;
        if (id === undefined) continue; // why it was ended
        told.push({ cursor: id, item: Object.values(result.data)[0] as T });
        cursor = id;
      }
      if (current.isClosed()) return;
      await sleep(2);
    }
  };
  const running = (async () => {
    while (!isStopped) await connectOnce().catch(() => sleep(5)); // nobody listens there at the moment
  })();
  return {
    told,
    disconnect: () => current?.disconnect(),
    stop: async () => {
      isStopped = true;
      current?.disconnect();
      await running;
    },
  };
}
