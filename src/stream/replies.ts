import { createInbox, type Msg, type NatsConnection } from '@nats-io/transport-node';

/** Answers to what was published over a connection. */
export interface Replies {
  /** Publishes by `send`, which is told where the answer is to go, and waits for it. Rejects when none came in time. */
  to(send: (replySubject: string) => void): Promise<Msg>;
}

interface Waiting {
  resolve: (message: Msg) => void;
  reject: (error: Error) => void;
  until: number;
}

const lookEveryMs = 250;

/**
 * One subscription for all answers and one timer for all that wait. The client's own `request` makes a timer, three
 * promises and an error with its stack for each, which cost more than publishing does.
 */
export function openReplies(connection: NatsConnection, timeoutMs: number): Replies {
  const inbox = createInbox();
  const waiting = new Map<string, Waiting>();
  let count = 0;
  let timer: NodeJS.Timeout | undefined;

  connection.subscribe(`${inbox}.*`, {
    callback: (error, message) => {
      if (error) {
        for (const { reject } of waiting.values()) reject(error);
        waiting.clear();
        return;
      }
      const one = waiting.get(message.subject);
      waiting.delete(message.subject);
      one?.resolve(message);
    },
  });

  /** All wait equally long, so the oldest come first. */
  const dropOverdue = (): void => {
    for (const [subject, { reject, until }] of waiting) {
      if (until > performance.now()) return;
      waiting.delete(subject);
      reject(new Error(`no answer from NATS within ${timeoutMs} ms`));
    }
    clearInterval(timer);
    timer = undefined;
  };

  return {
    to: (send) => {
      const subject = `${inbox}.${(count += 1)}`;
      send(subject);
      timer ??= setInterval(dropOverdue, lookEveryMs).unref();
      const { promise, resolve, reject } = Promise.withResolvers<Msg>();
      waiting.set(subject, { resolve, reject, until: performance.now() + timeoutMs });
      return promise;
    },
  };
}
