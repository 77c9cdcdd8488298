import { expect, test } from 'vitest';
import type { Batch } from '../../src/live/batch.ts';
import { createGate } from '../../src/live/gate.ts';
import { createGroup } from '../../src/live/group.ts';
import { createMember } from '../../src/live/member.ts';
import { createRecentPages } from '../../src/live/recent-pages.ts';

/** A group over items at these positions, one of its members, and what that is told. `finds`: what is settled, one time after the other. */
function begin({ positions, finds }: { positions: number[]; finds: { settled: number; isBehind: boolean }[] }) {
  let found = { settled: 0, isBehind: false };
  const told: number[] = [];
  const group = createGroup(
    {
      name: 'group',
      recent: createRecentPages({ maxChars: 1_000, now: () => new Date() }),
      settled: {
        known: () => found.settled,
        isBehind: () => found.isBehind,
        find: async () => (found = finds.shift() ?? found).settled,
      },
      read: async ({ after, upTo }) => ({ items: positions.filter((position) => position > after && position <= upTo).map((position) => ({ position })), end: upTo }),
      execute: async (items) => items.map(({ position }) => ({ position, cursor: `${position}`, json: '{}' })),
      isPassing: () => false,
      onTrouble: () => undefined,
      onRead: () => undefined,
      gates: { live: createGate(1), catchUp: createGate(1) },
      unreadItems: 10,
    },
    0,
  );
  const outlet = { transport: 'sse' as const, send: ({ frames }: Batch) => void told.push(...frames.map(({ position }) => position)), unreadBytes: () => 0, flushed: async () => undefined, end: () => undefined };
  const viewer = { organizationId: 'org_1', userId: 'usr_1', credential: { kind: 'session', id: 'ses_1', role: 'owner' } } as const;
  const member = createMember({ viewer, until: undefined, position: 0, cursorOf: String, outlet, unreadBytes: 1_000, errorOf: (error) => { throw error; }, onTold: () => undefined, onOver: () => undefined });
  return { group, member, told };
}

test('where the order is held up, a group looks again by itself: what rang is told when it is settled', async () => {
  const { group, member, told } = begin({ positions: [1, 2], finds: [{ settled: 1, isBehind: true }, { settled: 1, isBehind: true }, { settled: 2, isBehind: false }] });
  await group.join(member); // rings, once
  await expect.poll(() => told).toEqual([1, 2]);
});
