import type { Work } from './work.ts';

/** What waits in a lane: deliveries from the stream, bounded in number and bytes, and those claimed from PostgreSQL. */
export interface LaneQueue {
  /** False when it is full. */
  addFirst(work: Work): boolean;
  addClaimed(works: readonly Work[]): void;
  /** The next ones, of one kind. Claimed ones get half of `places`, so that neither kind starves the other. */
  take(options: { most: number; places: number; runningClaimed: number }): Work[];
  /** Those from the stream that came before a time. */
  takeOlder(than: number): Work[];
  takeAll(): Work[];
  claimed(): number;
  size(): number;
}

const maxFirst = 1_000;
const maxFirstBytes = 8 * 1024 * 1024;

export function createLaneQueue(): LaneQueue {
  const first: Work[] = [];
  const claimed: Work[] = [];
  let firstBytes = 0;
  let wasClaimedLast = false;

  const takeFirst = (count: number): Work[] => {
    const taken = first.splice(0, count);
    for (const work of taken) firstBytes -= work.event.body.byteLength;
    return taken;
  };

  return {
    addFirst: (work) => {
      if (first.length >= maxFirst || firstBytes >= maxFirstBytes) return false;
      first.push(work);
      firstBytes += work.event.body.byteLength;
      return true;
    },
    addClaimed: (works) => void claimed.push(...works),
    take: ({ most, places, runningClaimed }) => {
      const hasShareLeft = runningClaimed < Math.max(1, Math.floor(places / 2));
      const isTheirTurn = hasShareLeft && !(places === 1 && wasClaimedLast);
      wasClaimedLast = claimed.length > 0 && (first.length === 0 || isTheirTurn);
      return wasClaimedLast ? claimed.splice(0, most) : takeFirst(most);
    },
    takeOlder: (than) => {
      const count = first.findIndex((work) => work.since > than);
      return takeFirst(count === -1 ? first.length : count);
    },
    takeAll: () => [...takeFirst(first.length), ...claimed.splice(0)],
    claimed: () => claimed.length,
    size: () => first.length + claimed.length,
  };
}
