import { setTimeout as sleep } from 'node:timers/promises';
import type { Found, LiveItem, Stretch } from '../graphql/live-topic.ts';
import type { Settled } from '../outbox/settled.ts';
import { Batch, type Frame } from './batch.ts';
import type { Reading } from './counts.ts';
import type { Gate } from './gate.ts';
import type { Member } from './member.ts';
import { pageSizes } from './page-sizes.ts';
import type { RecentPages } from './recent-pages.ts';

export interface GroupDeps {
  /** Tells its pages from those of others. */
  name: string;
  /** Of all groups: within a bound on what they hold. */
  recent: RecentPages;
  /** Of the order that its positions are of. */
  settled: Pick<Settled, 'known' | 'find'> & { isBehind?(): boolean };
  read: (stretch: Stretch) => Promise<Found>;
  execute: (items: readonly LiveItem[]) => Promise<Frame[]>;
  /** Whether the same may go well later. */
  isPassing: (error: unknown) => boolean;
  onTrouble: (error: unknown) => void;
  /** A stretch was read. */
  onRead: (why: Reading) => void;
  /** Of all groups of the process: what is new, and what somebody missed. */
  gates: { live: Gate; catchUp: Gate };
  /** How many events a subscriber may fall behind the others before it is ended. */
  unreadItems: number;
}

/** All who are told the same: one execution and one serialisation of each event, whoever joins when. */
export interface Group {
  /** Lets somebody catch up from their position, and then follow. Resolves when they follow, or are gone. */
  join(member: Member): Promise<void>;
  leave(member: Member): void;
  /** Up to where they have been told. */
  position(): number;
  /** There may be something new. */
  ring(): void;
}

/** What was found of a stretch, and up to where it was looked at. */
export interface Page {
  batch: Batch;
  end: number;
}

/** The first event of a burst goes out at once; while it does, the next ones gather. */
const restMs = 5;
const againMs = 500;

/**
 * Why nobody misses anything, and nobody is told anything twice.
 *
 * What is told is read from PostgreSQL, in the order of positions, and never beyond the settled position (see `Settled`):
 * so a stretch that was read once can never get anything more in it. A subscriber's position says up to where they were
 * handed everything. It only grows, each stretch begins where the last one ended, and a batch leaves out what lies at or
 * below it. The group has such a position too. Whoever comes, or has not read what was new, is told stretch after stretch on their own until they are as
 * far as the group, or farther: then, in the same turn of the event loop, they become one of it, and the next batch of
 * the group begins at or below their position. Each event carries its position as its cursor; what a subscriber received
 * last says where all of this begins for them in whatever process they come to next. NATS has no part in it but to say
 * when to look; what it loses is found by looking now and then.
 */
export function createGroup(deps: GroupDeps, start: number): Group {
  const { name, recent, settled, isPassing, onTrouble, onRead, gates, unreadItems } = deps;
  const members = new Set<Member>();
  /** Who did not take what was new, and what they have missed since: they catch up, at their own pace. */
  const fallen = new Map<Member, number>();
  const underWay = new Map<number, Promise<Page>>();
  const size = pageSizes();
  let position = start;
  let isAdvancing = false;
  let isRung = false;

  const readPage = async (after: number, upTo: number): Promise<Page> => {
    const { items, end } = await deps.read({ after, upTo, limit: size.next() });
    const frames = await deps.execute(items);
    const bytes = frames.reduce((sum, { json }) => sum + json.length, 0);
    size.note(bytes);
    const found = { batch: new Batch(frames), end };
    if (bytes > 0) recent.set(`${name} ${after}`, found, bytes);
    return found;
  };

  /** Those who go on from the same place share the reading, also a little later: after an outage, all come at once. */
  const page = async (why: Reading, after: number, upTo: number): Promise<Page> => {
    const known = underWay.get(after) ?? recent.get(`${name} ${after}`);
    if (known) return known;
    onRead(why);
    const reading = readPage(after, upTo).finally(() => underWay.delete(after));
    underWay.set(after, reading);
    return reading;
  };

  const advanceOnce = async (): Promise<void> => {
    const upTo = await settled.find();
    while (position < upTo && members.size > 0) {
      const { batch, end } = await gates.live.run(() => page('live', position, upTo));
      position = Math.max(position, end);
      countMissed(batch.frames.length);
      for (const member of members) if (!member.tell(batch, end)) fall(member, batch.frames.length);
    }
    if (settled.isBehind?.()) isRung = true; // what this ring was for may be still to come
  };

  const fall = (member: Member, missed: number): void => {
    members.delete(member);
    fallen.set(member, missed);
    void join(member);
  };

  const countMissed = (count: number): void => {
    for (const [member, missed] of fallen) {
      if (missed + count > unreadItems) member.end('TOO_SLOW');
      else fallen.set(member, missed + count);
    }
  };

  const endAll = (error: unknown): void => {
    onTrouble(error);
    for (const member of members) member.fail(error);
  };

  const advance = async (): Promise<void> => {
    isAdvancing = true;
    while (isRung && members.size > 0) {
      isRung = false;
      try {
        await advanceOnce();
        await sleep(restMs);
      } catch (error) {
        if (!isPassing(error)) endAll(error);
        else {
          onTrouble(error);
          isRung = true;
          await sleep(againMs);
        }
      }
    }
    isAdvancing = false;
  };

  const ring = (): void => {
    isRung = true;
    if (!isAdvancing) void advance();
  };

  /** Stretch after stretch, each when the one before is taken. */
  const catchUp = async (member: Member): Promise<void> => {
    while (!member.signal.aborted && member.position < position) {
      const { batch, end } = await gates.catchUp.run(() => page('catch_up', member.position, position));
      member.tell(batch, end);
      await member.flushed();
    }
  };

  const join = async (member: Member): Promise<void> => {
    await member.flushed();
    while (!member.signal.aborted) {
      try {
        await catchUp(member);
        break;
      } catch (error) {
        onTrouble(error);
        if (!isPassing(error)) member.fail(error);
        else await sleep(againMs);
      }
    }
    fallen.delete(member);
    if (member.signal.aborted) return;
    members.add(member);
    ring();
  };

  return {
    join,
    leave: (member) => {
      members.delete(member);
      fallen.delete(member);
    },
    position: () => position,
    ring,
  };
}
