import fc from 'fast-check';
import { expect, test } from 'vitest';
import { keysetPage, type KeysetRange, type PageArgs } from '../../src/graphql/connection.ts';

const keys = Array.from({ length: 25 }, (_, index) => String.fromCharCode(97 + index));
const list = async ({ after, before, limit, reversed }: KeysetRange): Promise<string[]> => {
  const within = keys.filter((key) => (after === undefined || key > after) && (before === undefined || key < before));
  return (reversed ? within.toReversed() : within).slice(0, limit);
};
const page = (args: PageArgs) => keysetPage({ args, load: list, keyOf: (key) => key, isKey: (key) => /^[a-y]$/.test(key) });
const nodes = async (args: PageArgs) => (await page(args)).edges.map(({ node }) => node).join('');

test('a page without arguments is the first twenty', async () => {
  expect(await nodes({})).toBe('abcdefghijklmnopqrst');
  expect((await page({})).pageInfo).toMatchObject({ hasNextPage: true, hasPreviousPage: false });
});

test('whatever the size, pages from either end make up the whole list, each once and in order', async () => {
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 1, max: 30 }), fc.boolean(), async (size, isBackward) => {
      let read = '';
      let args: PageArgs = isBackward ? { last: size } : { first: size };
      for (;;) {
        const { edges, pageInfo } = await page(args);
        const text = edges.map(({ node }) => node).join('');
        read = isBackward ? text + read : read + text;
        if (!(isBackward ? pageInfo.hasPreviousPage : pageInfo.hasNextPage)) break;
        args = isBackward ? { last: size, before: pageInfo.startCursor } : { first: size, after: pageInfo.endCursor };
      }
      expect(read).toBe(keys.join(''));
    }),
  );
});

test('a cursor of another list, or of none, is refused', async () => {
  for (const after of ['', '!', 'YQ==', Buffer.from('z').toString('base64url')]) {
    await expect(page({ after })).rejects.toMatchObject({ faults: [{ code: 'INVALID_INPUT', path: ['after'] }] });
  }
});
