import type { AcceptedEvent } from '../completeness/account.ts';

/** Events of a range in their order: some to be sent again, and how far was looked for them. */
export interface NextEvents {
  /** To be sent again. */
  events: AcceptedEvent[];
  /** Of those looked at. */
  last: AcceptedEvent | undefined;
  looked: number;
  /** Nothing comes after them. */
  isEnd: boolean;
}

/** Events looked at in a step: one in which nothing is to be sent again takes some ten milliseconds. */
export const mostLooked = 1_000;

/**
 * The next events that are wanted, `limit` at most. Where each one is, as in most replays, it reads not many more than
 * these: to read a thousand for fifty, ten times a second, took what is live as long as the sending.
 */
export async function findNext(options: {
  /** The events after a position, `limit` at most; fewer: there are no more. */
  read: (page: { after: number; limit: number }) => Promise<AcceptedEvent[]>;
  isWanted: (event: AcceptedEvent) => boolean;
  after: number;
  limit: number;
}): Promise<NextEvents> {
  const { read, isWanted, after, limit } = options;
  const next: NextEvents = { events: [], last: undefined, looked: 0, isEnd: false };
  for (let size = Math.min(2 * limit, mostLooked); size > 0; size = mostLooked - next.looked) {
    const page = await read({ after: next.last?.position ?? after, limit: size });
    for (const event of page) {
      if (next.events.length === limit) return next;
      if (isWanted(event)) next.events.push(event);
      next.last = event;
      next.looked += 1;
    }
    next.isEnd = page.length < size;
    if (next.isEnd || next.events.length === limit) break;
  }
  return next;
}
