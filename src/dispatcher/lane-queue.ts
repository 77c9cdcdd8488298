import { performance } from 'node:perf_hooks';
import type { Work } from './work.ts';

/** What waits in a lane: deliveries from the stream, bounded in number and bytes, and those claimed from PostgreSQL. */
export interface LaneQueue {
  /** False when it is full. */
  addFirst(work: Work): boolean;
  addClaimed(works: readonly Work[]): void;
  /** The next one: of each kind in turn where both wait. Claimed ones get half of `places`, so that neither kind starves the other. */
  take(options: { places: number; runningClaimed: number }): Work | undefined;
  /** The next ones, half of them claimed where both kinds wait. */
  takeBatch(options: { most: number; mostBytes: number }): Work[];
  /** Those from the stream that came before a time. */
  takeOlder(than: number): Work[];
  takeClaimed(): Work[];
  takeAll(): Work[];
  /**
   * What the stream should wait for before it brings more: undefined, or, where the queue is crowded but moves on,
   * until there is room. A queue that does not move within a quarter of a second is nobody's to wait for.
   */
  room(): Promise<void> | undefined;
  claimed(): number;
  size(): number;
}

const maxFirst = 1_000;
const maxFirstBytes = 8 * 1024 * 1024;
/** From here on it is crowded. */
const manyFirst = 250;
const manyFirstBytes = 2 * 1024 * 1024;
/** A delivery that has waited so long says that its receiver is slower than its events come. */
const slowMs = 250;

export function createLaneQueue(): LaneQueue {
  const first: Work[] = [];
  const claimed: Work[] = [];
  let firstBytes = 0;
  let wasClaimedLast = false;
  let isSlow = false;
  let waiting: { until: Promise<void>; end: () => void } | undefined;

  const isCrowded = (): boolean => first.length >= manyFirst || firstBytes >= manyFirstBytes;
  const waitForRoom = (withinMs: number): Promise<void> => {
    if (waiting) return waiting.until;
    const { promise, resolve } = Promise.withResolvers<void>();
    const end = (): void => {
      clearTimeout(timer);
      waiting = undefined;
      resolve();
    };
    const timer = setTimeout(() => {
      isSlow = true;
      end();
    }, withinMs);
    waiting = { until: promise, end };
    return promise;
  };

  const takeFirst = (count: number): Work[] => {
    const taken = first.splice(0, count);
    for (const work of taken) firstBytes -= work.event.body.byteLength;
    if (waiting && !isCrowded()) waiting.end();
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
    take: ({ places, runningClaimed }) => {
      const hasShareLeft = runningClaimed < Math.max(1, Math.floor(places / 2));
      const isTheirTurn = hasShareLeft && !wasClaimedLast;
      wasClaimedLast = claimed.length > 0 && (first.length === 0 || isTheirTurn);
      if (wasClaimedLast) return claimed.shift();
      const [taken] = takeFirst(1);
      if (taken) isSlow &&= performance.now() - taken.since > slowMs;
      return taken;
    },
    takeBatch: ({ most, mostBytes }) => {
      const claimedShare = Math.max(Math.ceil(most / 2), most - first.length);
      const begin = claimed.splice(0, fitting(claimed, { least: 1, most: claimedShare, mostBytes }));
      const left = { least: begin.length > 0 ? 0 : 1, most: most - begin.length, mostBytes: mostBytes - bytesOf(begin) };
      return [...begin, ...takeFirst(fitting(first, left))];
    },
    takeOlder: (than) => {
      const count = first.findIndex((work) => work.since > than);
      return takeFirst(count === -1 ? first.length : count);
    },
    takeClaimed: () => claimed.splice(0),
    takeAll: () => [...takeFirst(first.length), ...claimed.splice(0)],
    room: () => {
      const [oldest] = first;
      if (isSlow || !oldest || !isCrowded()) return undefined;
      const leftMs = slowMs - (performance.now() - oldest.since);
      isSlow = leftMs <= 0;
      return isSlow ? undefined : waitForRoom(leftMs);
    },
    claimed: () => claimed.length,
    size: () => first.length + claimed.length,
  };
}

/** How many from the front fit; `least` go however large they are. */
function fitting(works: readonly Work[], { least, most, mostBytes }: { least: number; most: number; mostBytes: number }): number {
  let bytes = 0;
  const cut = works.slice(0, most).findIndex((work) => (bytes += work.event.body.byteLength) > mostBytes);
  return Math.max(cut === -1 ? Math.min(most, works.length) : cut, Math.min(least, works.length));
}

const bytesOf = (works: readonly Work[]): number => works.reduce((sum, work) => sum + work.event.body.byteLength, 0);
