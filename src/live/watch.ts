import { isDeepStrictEqual } from 'node:util';
import { GraphQLError } from 'graphql';
import type { Standings } from '../accounts/standings.ts';
import { pause } from '../run.ts';
import type { Log } from '../log.ts';
import type { Watched } from './hub.ts';
import type { Member } from './member.ts';

export interface WatchOptions {
  groups: () => Iterable<Watched>;
  standings: Pick<Standings, 'ofMany'>;
  now: () => Date;
  /** How long a subscriber may take nothing of what is there for it. */
  unreadMs: number;
  signal: AbortSignal;
  log: Log;
}

/** As old as what any other call knows of its caller, at most. */
const standingEveryMs = 750;
const authorizeEveryMs = 5_000;

/**
 * Ends subscriptions whose credentials have ended, or are worth something else than when they began: a token expires, a
 * session ends, a member gets another role, a key is revoked. All of a process cost one small statement a round.
 */
export function watchMembers(options: WatchOptions): void {
  const { groups, standings, now, unreadMs, signal, log } = options;
  const all = (): Member[] => [...groups()].flatMap(({ members }) => [...members]);

  const checkStandings = async (): Promise<void> => {
    const members = all();
    if (members.length === 0) return;
    for (const member of members) if (member.until && member.until <= now()) member.end('UNAUTHENTICATED');
    const standing = await standings.ofMany(members.map(({ viewer }) => viewer.credential));
    for (const member of members) {
      const present = standing.get(member.viewer.credential.id);
      if (!present) member.end('UNAUTHENTICATED');
      else if (!isDeepStrictEqual(present, member.viewer)) member.end('PERMISSIONS_CHANGED');
    }
  };

  /** Of what is told, this is asked before each time; here of groups in which nothing happens. */
  const checkGroups = async (): Promise<void> => {
    for (const { members, authorize } of groups()) {
      await authorize().catch((error: unknown) => {
        if (!(error instanceof GraphQLError)) throw error;
        for (const member of members) member.fail(error);
      });
    }
  };

  const every = async (ms: number, step: () => Promise<void> | void): Promise<void> => {
    while (!signal.aborted) {
      await pause(ms, signal);
      try {
        if (!signal.aborted) await step();
      } catch (error) {
        log.warn({ err: error }, 'live.check_failed'); // nobody is told anything either while the database is away
      }
    }
  };
  void every(standingEveryMs, checkStandings);
  void every(authorizeEveryMs, checkGroups);
  void every(unreadMs, () => {
    for (const member of all()) member.requireProgress();
  });
}
