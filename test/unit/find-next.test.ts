import { expect, test } from 'vitest';
import type { AcceptedEvent } from '../../src/completeness/account.ts';
import { findNext, mostLooked } from '../../src/replays/find-next.ts';

/** Events at the positions 1, 2 …, of which those are wanted whose position is one of `wanted`. */
async function find({ count, wanted, limit, after = 0 }: { count: number; wanted: (position: number) => boolean; limit: number; after?: number }) {
  const reads: number[] = [];
  const next = await findNext({
    read: (page) => {
      reads.push(page.limit);
      const found = Array.from({ length: Math.max(0, Math.min(page.limit, count - page.after)) }, (_, index) => ({ position: page.after + 1 + index }));
      return Promise.resolve(found as AcceptedEvent[]);
    },
    isWanted: ({ position }) => wanted(position),
    after,
    limit,
  });
  return { positions: next.events.map(({ position }) => position), last: next.last?.position, looked: next.looked, isEnd: next.isEnd, reads };
}

test('where each event is wanted, few more are read than are sent', async () => {
  expect(await find({ count: 5_000, wanted: () => true, limit: 3 })).toEqual({ positions: [1, 2, 3], last: 3, looked: 3, isEnd: false, reads: [6] });
});

test('where few are wanted, it looks further', async () => {
  expect(await find({ count: 5_000, wanted: (position) => position % 100 === 0, limit: 3 })).toEqual({ positions: [100, 200, 300], last: 300, looked: 300, isEnd: false, reads: [6, 994] });
});

test('where none is wanted, it looks at so many and goes on behind them the next time', async () => {
  const first = await find({ count: 1_500, wanted: () => false, limit: 50 });
  expect(first).toMatchObject({ positions: [], last: mostLooked, looked: mostLooked, isEnd: false });
  expect(await find({ count: 1_500, wanted: () => false, limit: 50, after: mostLooked })).toMatchObject({ positions: [], last: 1_500, looked: 500, isEnd: true });
});

test.for([0, 1, 5, 6, 7, 12, mostLooked - 1, mostLooked, mostLooked + 1, 2_345])('of %d events each is found once, and the end is seen', async (count) => {
  const found: number[] = [];
  for (let after = 0, isEnd = false; !isEnd;) {
    const next = await find({ count, wanted: (position) => position % 3 === 0 || position < 40, limit: 3, after });
    found.push(...next.positions);
    after = next.last ?? after;
    isEnd = next.isEnd;
  }
  expect(found).toEqual(Array.from({ length: count }, (_, index) => index + 1).filter((position) => position % 3 === 0 || position < 40));
});
